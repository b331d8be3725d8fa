import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nest } from '../../src/engine/vars/target-path.ts'
import { readYaml } from '../../src/engine/yaml.ts'
import { complaint, configMap, data, type Outcome, TestProject } from './harness/project.ts'

/** Renders one ConfigMap with these expressions after `vars` were loaded. */
async function evaluate(
  vars: string,
  expressions: Record<string, string>,
  {
    files = {},
    env = {},
    flags = [],
  }: { files?: Record<string, string>; env?: Record<string, string>; flags?: string[] } = {},
): Promise<Outcome & { values: Record<string, string> | undefined; said: string }> {
  const quoted = Object.fromEntries(
    Object.entries(expressions).map(([key, text]) => [key, `{{ (${text}) | to_json | to_json }}`]),
  )
  await using project = await TestProject.of({
    'deployment.yaml': `vars:\n${vars}\ndeployments:\n- path: a\n`,
    'a/x.yaml': configMap('x', quoted),
    ...files,
  })
  const outcome = await project.render(flags, env)
  const values = outcome.code === 0 ? data(outcome).x : undefined
  return { ...outcome, values, said: complaint(project, outcome) }
}

describe('values', () => {
  test('as Go passes them on: whole numbers are ints, keys are sorted, YAML 1.1', async () => {
    const { values } = await evaluate(
      '- values: {b: 1.0, c: 1.5, big: 12345678901234567890, huge: 1e21, oct: 0755, d: 2024-02-29, m: {z: 1, a: 2}}',
      {
        b: 'b',
        c: 'c',
        big: 'big',
        huge: 'huge | string',
        oct: 'oct',
        d: 'd',
        keys: 'm | list',
      },
    )
    expect(values).toEqual({
      b: '1',
      c: '1.5',
      big: '12345678901234567000',
      huge: '"1e+21"',
      oct: '493',
      d: '"2024-02-29"',
      keys: '["a", "z"]',
    })
  })

  test('later ones merge over earlier ones, lists are replaced; noOverride fills in', async () => {
    const { values } = await evaluate(
      '- values: {m: {a: 1, b: [1, 2]}}\n- values: {m: {b: [3], c: 4}}\n- values: {m: {a: 9, d: 9}}\n  noOverride: true',
      { m: 'm' },
    )
    expect(values).toEqual({ m: '{"a": 1, "b": [3], "c": 4, "d": 9}' })
  })

  test('are rendered as strings after the deployment file, and a rendered number stays a string', async () => {
    const { values } = await evaluate(
      '- values: {a: 1}\n{% raw %}- values: {c: "{{ a }}", "k{{ a }}": 2}\n{% endraw %}',
      { c: 'c', k1: 'k1' },
    )
    expect(values).toEqual({ c: '"1"', k1: '2' })
  })

  test('the unquoted form of the documentation fails, as in kluctl', async () => {
    const { code, said } = await evaluate("- values: {a: 1}\n- values:\n    c: {{ '{{ a }}' }}", {})
    expect(code).toBe(1)
    expect(said).toContain('invalid map key')
  })

  test('targetPath nests', async () => {
    const { values } = await evaluate('- values: {a: 1}\n  targetPath: x.y["z.w"]', { x: 'x' })
    expect(values).toEqual({ x: '{"y": {"z.w": {"a": 1}}}' })
  })

  test('when is judged with what is known so far', async () => {
    const { values } = await evaluate(
      '- values: {a: 1}\n- values: {b: 1}\n  when: a == 1\n- values: {b: 2}\n  when: b == 2',
      { b: 'b' },
    )
    expect(values).toEqual({ b: '1' })
  })
})

describe('file', () => {
  test('is rendered and found in the project and those around it', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'vars:\n- values: {n_: 1}\ndeployments:\n- include: sub\n',
      'outer.yaml': 'a: {{ n_ }}\nb: outer',
      'sub/deployment.yaml': 'vars:\n- file: outer.yaml\n- file: inner.yaml\ndeployments:\n- path: a\n',
      'sub/inner.yaml': 'b: {{ a + 1 }}',
      'sub/a/x.yaml': configMap('x', { a: 'v{{ a }}', b: 'v{{ b }}' }),
    })
    expect(data(await project.render())).toEqual({ x: { a: 'v1', b: 'v2' } })
  })

  test.each([
    ['- file: gone.yaml', 'failed to render vars file gone.yaml: absolute path of gone.yaml could not be resolved'],
    ['- file: list.yaml', 'failed to load vars from list.yaml: expected a map, got a list'],
    [
      '- file: broken.yaml',
      'failed to render vars file broken.yaml: File "DIR/broken.yaml", line 2\n    b: {{ nope }}\nUndefinedError: \'nope\' is undefined',
    ],
    ['- file: twice.yaml', 'failed to load vars from twice.yaml: yaml: line 2: key "a" already set in map'],
    [
      '- file: multi.yaml\n  multidoc: true',
      'multidoc vars sources can only be used when targetPath is also specified',
    ],
    ['- file: multi.yaml\n  values: {}', 'more then one vars source type: values, file'],
    ['- values: {a: 1}\n  targetPath: a[*]', 'failed to parse targetPath'],
    ['- systemEnvVars: {a: NOPE}', 'environment variable NOPE not found for $["a"]'],
    ['- systemEnvVars: {a: [NOPE]}', 'environment variable NOPE not found for $["a"][0]'],
    ['- systemEnvVars: {a: {b: 1}}', 'value at $["a"]["b"] is not a string'],
    ['- git: {url: "file:///x", path: y}', 'file:// protocol is not supported'],
    ['- git: {url: "https://example.com/x", path: z, ref: main}', 'vars[0].git.ref: expected a map, got a string'],
  ])('%j is refused', async (vars, message) => {
    const files = {
      'list.yaml': '- a\n',
      'broken.yaml': 'a: 1\nb: {{ nope }}\n',
      'twice.yaml': 'a: 1\na: 2\n',
      'multi.yaml': '',
    }
    const { code, said } = await evaluate(vars, {}, { files })
    expect(code).toBe(1)
    expect(said).toContain(message)
    expect(said).toContain('failed to load deployment config for DIR')
  })

  test('ignoreMissing counts as an empty map; multidoc makes a list without empty documents', async () => {
    const { values } = await evaluate(
      '- file: gone.yaml\n  ignoreMissing: true\n- file: gone.yaml\n  ignoreMissing: true\n  targetPath: g\n- file: m.yaml\n  multidoc: true\n  targetPath: m\n- file: m.yaml\n  targetPath: first',
      { g: 'g', m: 'm', first: 'first' },
      { files: { 'm.yaml': '---\na: 1\n---\n---\na: 2\n' } },
    )
    expect(values).toEqual({ g: '{}', m: '[{"a": 1}, {"a": 2}]', first: '{"a": 1}' })
  })
})

describe('systemEnvVars', () => {
  test('values are YAML; the default is what follows the first colon', async () => {
    const { values } = await evaluate(
      "- systemEnvVars: {a: A, b: {c: 'NOPE:x:y', d: 'NOPE:', e: \"NOPE:'true'\"}, f: 'F:3'}\n- systemEnvVars: {gone: NOPE}\n  ignoreMissing: true",
      { a: 'a', b: 'b', f: 'f', gone: 'gone is defined' },
      { env: { A: '[1, yes]', F: '4' } },
    )
    expect(values).toEqual({ a: '[1, true]', b: '{"c": "x:y", "d": "", "e": "true"}', f: '4', gone: 'false' })
  })
})

describe('git', () => {
  test('files of another repository, and of all its branches that match', async () => {
    await using other = await TestProject.of({ 'dir/v.yaml': 'a: {{ x_ }}\n', 'info.yaml': 'n_: 1\n' })
    other.commit()
    execFileSync('git', ['-C', other.folder, 'checkout', '--quiet', '-b', 'preview-1'])
    await other.write({ 'info.yaml': 'n_: 2\n' })
    other.commit()
    const { values, said } = await evaluate(
      '- values: {x_: 5}\n- git: {url: "https://git.example.com/o/r.git", path: dir/v.yaml, ref: {branch: nonsense}}',
      { a: 'a' },
      { flags: ['--local-git-override', `git.example.com/o/r=${other.folder}`] },
    )
    expect(said).toBe('')
    expect(values).toEqual({ a: '5' })
  })

  test('a repository of a group is overridden only if it is there', async () => {
    await using other = await TestProject.of({ 'r/v.yaml': 'a: 1\n' })
    const flags = ['--local-git-group-override', `git.example.com/o=${join(other.folder)}`]
    const vars = '- git: {url: "ssh://git@git.example.com/o/r.git", path: v.yaml}'
    expect((await evaluate(vars, { a: 'a' }, { flags })).values).toEqual({ a: '1' })
  })
})

test.each([
  ['a', '{a: 1}'],
  ['$.a.b', '{a: {b: 1}}'],
  ["a['x y'].b", '{a: {x y: {b: 1}}}'],
  ['a[0]', '{a: [1]}'],
  ['a[2].b', '{a: [null, null, {b: 1}]}'],
])('target path %s', (path, wanted) => expect(nest(path, 1)).toEqual(readYaml(wanted)))

test.each(['', '$', 'a.*', 'a[-1]', 'a[9999]', 'a[?(@.x)]', 'a..b'])('target path %j is refused', path => {
  expect(() => nest(path, 1)).toThrow('failed to parse targetPath')
})

test('a source that is left out by its condition must still be one', async () => {
  const { said } = await evaluate('- clusterConfigMap: {}\n  when: "false"', { a: '1' })
  expect(said).toContain('vars[0].clusterConfigMap.namespace')
  const { values } = await evaluate('- clusterConfigMap: {name: a, namespace: b, key: c}\n  when: "1 == 2"', { a: '1' })
  expect(values).toEqual({ a: '1' })
})
