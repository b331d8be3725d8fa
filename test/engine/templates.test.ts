import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isIgnored, matchesName, parseIgnoreFile } from '../../src/engine/templating/ignore.ts'
import { complaint, configMap, data, objects, TestProject } from './harness/project.ts'

describe('files of an item', () => {
  test('one without { is copied as it is; one with { loses its last newline and CRLF', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- path: a\n',
      'a/kustomization.yaml':
        'configMapGenerator:\n- name: c\n  options: {disableNameSuffixHash: true}\n  files: [plain.txt, crlf.txt, braces.txt]\n',
      'a/plain.txt': 'one\ntwo\n',
      'a/crlf.txt': 'one\r\ntwo\r\n',
      'a/braces.txt': '{{ "one" }}\r\ntwo\r\n',
    })
    expect(data(await project.render())).toEqual({
      c: { 'plain.txt': 'one\ntwo\n', 'crlf.txt': 'one\r\ntwo\r\n', 'braces.txt': 'one\ntwo' },
    })
  })

  test('.templateignore of any folder above keeps files as they are; charts are never rendered; README is', async () => {
    await using project = await TestProject.of({
      '.templateignore': '# comment\n*.tpl\n!used.tpl\n',
      'deployment.yaml': 'deployments:\n- path: a\n  onlyRender: true\n',
      'a/x.tpl': '{{ nope }}',
      'a/used.tpl': '{{ 1 + 1 }}',
      'a/README.md': '{{ 1 + 2 }}',
      'a/sub/.templateignore': '/raw.txt\n',
      'a/sub/raw.txt': '{{ nope }}',
      'a/sub/deep/raw.txt': '{{ 2 + 2 }}',
      'a/chart/Chart.yaml': 'name: {{ nope }}',
      'a/chart/templates/x.yaml': '{{ .Values.x }}',
    })
    await symlink('used.tpl', join(project.folder, 'a', 'link'))
    const out = join(project.folder, 'out')
    expect(await project.render(['--render-output-dir', out])).toMatchObject({ code: 0 })
    const read = (name: string) => readFile(join(out, '0', 'a', name), 'utf8')
    expect(await read('x.tpl')).toBe('{{ nope }}')
    expect(await read('used.tpl')).toBe('2')
    expect(await read('link')).toBe('2')
    expect(await read('README.md')).toBe('3')
    expect(await read('sub/raw.txt')).toBe('{{ nope }}')
    expect(await read('sub/deep/raw.txt')).toBe('4')
    expect(await read('chart/templates/x.yaml')).toBe('{{ .Values.x }}')
  })

  test('templates search the item, its project and those around it, the nearest first', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- include: sub\n',
      'one.txt': 'root',
      'two.txt': 'root',
      'three.txt': 'root',
      'sub/deployment.yaml': 'deployments:\n- path: a\n',
      'sub/two.txt': 'sub',
      'sub/three.txt': 'sub',
      'sub/a/three.txt': 'item',
      'sub/a/x.yaml': configMap('x', {
        a: '{% include "one.txt" %}',
        b: '{{ load_template("two.txt") }}',
        c: '{% include "./three.txt" %}',
        d: '{% include "three.txt" %}',
      }),
    })
    expect(data(await project.render())).toEqual({ x: { a: 'root', b: 'sub', c: 'item', d: 'item' } })
  })

  test('macros that are imported without context see the variables, as they are globals', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'vars:\n- values: {v: 7}\ndeployments:\n- path: a\n',
      'a/lib.j2': '{% macro m(x) %}{{ x }}-{{ v }}{% endmacro %}',
      'a/x.yaml': `{% import "lib.j2" as lib %}${configMap('x', { a: '{{ lib.m("q") }}' })}`,
    })
    expect(data(await project.render())).toEqual({ x: { a: 'q-7' } })
  })

  test('a variable named like a function of kluctl is hidden by it', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'vars:\n- values: {images: [], version: 3, time: 4}\ndeployments:\n- path: a\n',
      'a/x.yaml': configMap('x', {
        a: '{{ images.get_image is callable }}',
        b: '{{ version.semver() }}',
        c: '{{ time.second }}',
      }),
    })
    expect(data(await project.render())).toEqual({ x: { a: true, b: 'semver(allow_no_nums=False)', c: 1000000 } })
  })

  test('all broken templates of all items are reported at once, in order', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- path: a\n- path: b\n- path: c\n',
      'a/x.yaml': 'a: 1\nb: {{ nope.x }}\n',
      'a/y.yaml': '{% if %}',
      'b/z.yaml': '\n\n{{ 1 / 0 }}',
      'c/w.yaml': '{% include "gone.yaml" %}',
    })
    const outcome = await project.render()
    expect(outcome.code).toBe(1)
    expect(complaint(project, outcome)).toBe(`error: 4 errors occurred:
\t* failed rendering template 'DIR/a/x.yaml': File "DIR/a/x.yaml", line 2
\t      b: {{ nope.x }}
\t  UndefinedError: 'nope' is undefined
\t* failed rendering template 'DIR/a/y.yaml': File "DIR/a/y.yaml", line 1
\t      {% if %}
\t  TemplateSyntaxError: Expected an expression, got 'end of statement block'
\t* failed rendering template 'DIR/b/z.yaml': File "DIR/b/z.yaml", line 3
\t      {{ 1 / 0 }}
\t  ZeroDivisionError: division by zero
\t* failed rendering template 'DIR/c/w.yaml': template gone.yaml not found

`)
  })

  test('a failed render leaves the output of the one before as it was', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- path: a\n- path: b\n  when: args.b is defined\n',
      'a/x.yaml': configMap('x', { v: '{{ args.v }}' }),
      'b/x.yaml': '{{ nope }}',
    })
    const out = join(project.folder, 'out')
    expect((await project.render(['--render-output-dir', out, '-a', 'v=1'])).code).toBe(0)
    const before = await readFile(join(out, '0', 'a', 'x.yaml'), 'utf8')
    expect((await project.render(['--render-output-dir', out, '-a', 'v=2', '-a', 'b=1'])).code).toBe(1)
    expect(await readFile(join(out, '0', 'a', 'x.yaml'), 'utf8')).toBe(before)
    expect((await project.render(['--render-output-dir', out, '-a', 'v=3'])).code).toBe(0)
    expect(await readFile(join(out, '0', 'a', '.rendered.yml'), 'utf8')).toContain('v: 3')
  })
})

describe('ignore patterns', () => {
  const cases: [string, string, boolean][] = [
    ['*.tpl', 'a/b/x.tpl', true],
    ['/x', 'x', true],
    ['/x', 'a/x', false],
    ['a/**', 'a/b/c', true],
    ['**/x', 'a/b/x', true],
    ['**/x', 'x/y', true],
    ['a/*/c', 'a/b/c', true],
    ['a/*/c', 'a/b/b/c', false],
    ['dir/', 'dir/file', true],
    ['dir/', 'a/dir', false],
    ['x[a-c]?', 'xbz', true],
    ['x[^a]', 'xa', false],
    ['\\*', '*', true],
    ['[', '[', false],
  ]
  test.each(cases)('%s on %s', (pattern, path, wanted) => {
    expect(isIgnored(parseIgnoreFile(pattern, []), path.split('/'))).toBe(wanted)
  })

  test('the last one that matches decides, below its own folder only', () => {
    const patterns = [...parseIgnoreFile('*\n!a', []), ...parseIgnoreFile('a', ['sub'])]
    expect(isIgnored(patterns, ['b'])).toBe(true)
    expect(isIgnored(patterns, ['a'])).toBe(false)
    expect(isIgnored(patterns, ['sub', 'a'])).toBe(true)
  })

  test('a glob matches what its stars stand for, and takes no time for many stars', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '.') }), { maxLength: 6 }), parts => {
        expect(matchesName(parts.join('*'), parts.join('xx'))).toBe(true)
        expect(matchesName(`${parts.join('*')}c`, parts.join('xx'))).toBe(false)
      }),
    )
    expect(matchesName('*a'.repeat(50), 'a'.repeat(200))).toBe(true)
    expect(matchesName(`${'*a'.repeat(50)}b`, 'a'.repeat(200))).toBe(false)
  })
})

describe('images', () => {
  const files = {
    '.kluctl.yaml':
      'targets:\n- name: t\n  images:\n  - image: nginx\n    resultImage: nginx:target\n  - imageRegex: ^re.*x$\n    resultImage: r:1\n',
    'deployment.yaml': `vars:
- values:
    images:
    - {image: nginx, resultImage: 'nginx:vars'}
    - {image: redis, resultImage: 'redis:1'}
    - {image: redis, resultImage: 'redis:2', namespace: n1}
    - {image: redis, resultImage: 'redis:3', deployment: Pod/p, container: c2}
deployments:
- path: a
`,
    'a/x.yaml': `apiVersion: v1
kind: Pod
metadata: {name: p, namespace: default}
spec:
  containers:
  - name: c1
    image: "{{ images.get_image('nginx') }}"
  - name: c2
    image: "{{ images.get_image('redis') }}"
  - name: c3
    image: "docker.io/{{ images.get_image('redis') }}"
    env: [{name: I, value: "{{ images.get_image('regex') }}"}]
`,
  }
  const images = (outcome: Parameters<typeof objects>[0]) => {
    const [pod] = objects(outcome) as unknown as {
      spec: { containers: { image: string; env?: { value: string }[] }[] }
    }[]
    return pod?.spec.containers.flatMap(({ image, env = [] }) => [image, ...env.map(({ value }) => value)])
  }

  test('of the target beat those of the variables; the last match wins; text may stand before', async () => {
    await using project = await TestProject.of(files)
    expect(images(await project.render(['-t', 't']))).toEqual(['nginx:target', 'redis:3', 'docker.io/redis:1', 'r:1'])
  })

  test('--fixed-image beats --fixed-images-file beats the target', async () => {
    await using project = await TestProject.of({
      ...files,
      'fixed.yaml':
        'images:\n- {image: nginx, resultImage: "nginx:file"}\n- {image: redis, resultImage: "redis:file"}\n',
    })
    const file = ['--fixed-images-file', join(project.folder, 'fixed.yaml')]
    expect(images(await project.render(['-t', 't', ...file]))?.slice(0, 2)).toEqual(['nginx:file', 'redis:file'])
    const flag = ['-F', 'redis:default:Pod/p:c2=redis:flag']
    expect(images(await project.render(['-t', 't', ...file, ...flag]))?.slice(0, 3)).toEqual([
      'nginx:file',
      'redis:flag',
      'docker.io/redis:file',
    ])
  })

  test('list-images says where each is used, in a form that --fixed-images-file reads', async () => {
    await using project = await TestProject.of(files)
    const listed = await project.run(['list-images', '-t', 't', '--offline-kubernetes', '-o', 'json'])
    const { images: found } = JSON.parse(listed.stdout) as { images: { image: string }[] }
    expect(found.map(({ image }) => image)).toEqual(['nginx', 'redis', 'redis', 'regex'])
    expect(found[1]).toEqual({
      image: 'redis',
      resultImage: 'redis:3',
      namespace: 'default',
      object: { version: 'v1', kind: 'Pod', name: 'p', namespace: 'default' },
      deployment: 'Pod/p',
      container: 'c2',
      deployTags: ['a'],
      deploymentDir: 'a',
    })
    await project.write({ 'fixed.yaml': listed.stdout })
    const again = await project.render(['-t', 't', '--fixed-images-file', join(project.folder, 'fixed.yaml')])
    expect(images(again)).toEqual(['nginx:target', 'redis:3', 'docker.io/redis:1', 'r:1'])
  })

  test.each<[string[], string]>([
    [['-F', 'redis'], "--fixed-image expects 'image<:namespace:deployment:container>=result'"],
    [['-F', 'a:b:c:d:e=x'], '--fixed-image expects'],
  ])('%j is refused', async (flags, message) => {
    await using project = await TestProject.of(files)
    const outcome = await project.render(['-t', 't', ...flags])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain(message)
  })

  test('an image that nobody fixed is an error that says where it is used', async () => {
    await using project = await TestProject.of({ ...files, 'deployment.yaml': 'deployments:\n- path: a\n' })
    const outcome = await project.render(['-t', 't'])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain('failed to find fixed image for redis (Pod/p, container c2)')
  })
})
