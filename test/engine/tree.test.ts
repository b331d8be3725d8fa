import { describe, expect, test } from 'vitest'
import { complaint, configMap, data, objects, TestProject, tags } from './harness/project.ts'

const names = (outcome: Parameters<typeof objects>[0]) => objects(outcome).map(({ metadata }) => metadata.name)

describe('order', () => {
  test('items in the order of the tree, depth first; files of an item by name, bytewise', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- path: z\n- include: sub\n- path: a\n',
      'sub/deployment.yml': 'deployments:\n- path: one\n- path: two\n',
      'z/b.yaml': configMap('z-b'),
      'z/B.YAML': configMap('z-big'),
      'z/.hidden.yml': configMap('z-hidden'),
      'z/ignored.json': '{}',
      'sub/one/x.yaml': configMap('one'),
      'sub/two/x.yaml': configMap('two'),
      'a/x.yaml': configMap('a'),
    })
    expect(names(await project.render())).toEqual(['z-hidden', 'z-big', 'z-b', 'one', 'two', 'a'])
  })

  test('recursive items walk their folders', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- path: a\n  recursive: true\n',
      'a/b/x.yaml': configMap('b-x'),
      'a/a.yaml': configMap('a-a'),
      'a/c.yaml': configMap('a-c'),
    })
    expect(names(await project.render())).toEqual(['a-a', 'b-x', 'a-c'])
  })

  test('barriers, deleteObjects, messages and onlyRender leave no objects', async () => {
    await using project = await TestProject.of({
      'deployment.yaml':
        'deployments:\n- barrier: true\n- message: hi\n- deleteObjects:\n  - kind: Job\n    name: x\n' +
        '- path: a\n  onlyRender: true\n- waitReadinessObjects:\n  - kind: Job\n    name: x\n',
      'a/x.yaml': configMap('a'),
    })
    expect(await project.render()).toMatchObject({ code: 0, stdout: '' })
  })

  test('a project without deployment.yaml is one item, without tags', async () => {
    await using project = await TestProject.of({ 'b.yaml': configMap('b'), 'a.yaml': configMap('a') })
    const outcome = await project.render()
    expect(names(outcome)).toEqual(['a', 'b'])
    expect(objects(outcome)[0]?.metadata).toEqual({ name: 'a', annotations: { 'kluctl.io/deployment-item-dir': '.' } })
  })

  test('one folder used twice with its own variables is rendered twice, and warned of', async () => {
    await using project = await TestProject.of({
      'deployment.yaml':
        'deployments:\n- path: a/\n  vars:\n  - values: {no_: one}\n- path: a\n  vars:\n  - values: {no_: two}\n- path: a\n  vars: [{values: {no_: two}}]\n',
      'a/x.yaml': configMap('cm-{{ no_ }}'),
    })
    const outcome = await project.render()
    expect(names(outcome)).toEqual(['cm-one', 'cm-two', 'cm-two'])
    expect(outcome.stderr).toContain('ConfigMap/cm-two is in two deployment items: a-1 and a-2')
  })
})

describe('tags', () => {
  const files = {
    'deployment.yaml':
      'tags: [root]\ndeployments:\n- include: sub/inner\n  tags: [inc]\n- path: dup\n  tags: [x, root, w]\n- path: deep/er/\n',
    'sub/inner/deployment.yaml':
      'tags: [project, 1.50]\ndeployments:\n- path: item\n- path: always\n  alwaysDeploy: true\n',
    'sub/inner/item/x.yaml': configMap('item'),
    'sub/inner/always/x.yaml': configMap('always'),
    'dup/x.yaml': configMap('dup'),
    'deep/er/x.yaml': configMap('deep'),
  }

  test('the project, the item that includes it, outwards, and the own ones last; each once', async () => {
    await using project = await TestProject.of(files)
    expect(tags(await project.render())).toEqual({
      item: ['project', '1.5', 'inc', 'root', 'item'],
      always: ['project', '1.5', 'inc', 'root', 'always'],
      dup: ['root', 'x', 'w'],
      deep: ['root', 'er'],
    })
  })

  test.each<[string[], string[]]>([
    [
      ['-I', 'item'],
      ['item', 'always'],
    ],
    [['-I', 'inc', '-E', 'item'], ['always']],
    [['-E', 'root'], ['always']],
    [
      ['--include-deployment-dir', 'sub/inner/item'],
      ['item', 'always'],
    ],
    [['--include-deployment-dir', 'sub/inner'], ['always']],
    [
      ['--exclude-deployment-dir', 'dup'],
      ['item', 'always', 'deep'],
    ],
    [
      ['--include-tag', 'x', '--include-deployment-dir', 'deep/er'],
      ['always', 'dup', 'deep'],
    ],
  ])('%j leaves %j', async (flags, left) => {
    await using project = await TestProject.of(files)
    expect(names(await project.render(flags))).toEqual(left)
  })
})

describe('metadata', () => {
  test('of the project beats that of the object; a higher tag of its own stays', async () => {
    await using project = await TestProject.of({
      '.kluctl.yaml': 'discriminator: d-{{ target.name }}\ntargets:\n- name: t\n',
      'deployment.yaml':
        'commonLabels: {l: outer, o: 0755}\ncommonAnnotations: {none: ~}\ndeployments:\n- include: sub\n  skipDeleteIfTags: true\n',
      'sub/deployment.yaml': 'commonLabels: {l: yes}\ndeployments:\n- path: a\n  skipDeleteIfTags: true\n',
      'sub/a/x.yaml': configMap('a', {}, '  labels: {l: own, kluctl.io/tag-7: own, kluctl.io/tag-0: own, k: v}\n'),
    })
    expect(objects(await project.render(['-t', 't']))[0]?.metadata).toEqual({
      name: 'a',
      labels: {
        l: 'true',
        o: '493',
        k: 'v',
        'kluctl.io/discriminator': 'd-t',
        'kluctl.io/tag-0': 'sub',
        'kluctl.io/tag-1': 'a',
        'kluctl.io/tag-7': 'own',
      },
      annotations: { none: '', 'kluctl.io/deployment-item-dir': 'sub/a', 'kluctl.io/skip-delete-if-tags': 'true' },
    })
  })

  test('folders are relative to the root of the repository', async () => {
    await using project = await TestProject.of({
      'k/deployment.yaml': 'deployments:\n- path: a\n- include: ../shared\n',
      'k/a/x.yaml': configMap('a'),
      'shared/deployment.yaml': 'deployments:\n- path: s\n',
      'shared/s/x.yaml': configMap('s'),
    })
    const found = objects(await project.render([], {}, 'k')).map(({ metadata }) => metadata.annotations)
    expect(found).toEqual([{ 'kluctl.io/deployment-item-dir': 'k/a' }, { 'kluctl.io/deployment-item-dir': 'shared/s' }])
  })

  test('overrideNamespace: the nearest wins, and Namespace objects are renamed', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'overrideNamespace: outer\ndeployments:\n- path: a\n- include: sub\n',
      'a/x.yaml': configMap('a', {}, '  namespace: own\n'),
      'a/ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: own\n',
      'sub/deployment.yaml': 'overrideNamespace: inner\ndeployments:\n- path: b\n',
      'sub/b/x.yaml': configMap('b'),
    })
    const found = objects(await project.render()).map(({ kind, metadata: { name, namespace } }) => [
      kind,
      name,
      namespace,
    ])
    expect(found).toEqual([
      ['Namespace', 'outer', undefined],
      ['ConfigMap', 'a', 'outer'],
      ['ConfigMap', 'b', 'inner'],
    ])
  })

  test('objects with kluctl.io/ignore are left out', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- path: a\n',
      'a/x.yaml': configMap('a', {}, '  annotations: {kluctl.io/ignore: "true"}\n'),
      'a/y.yaml': configMap('b', {}, '  annotations: {kluctl.io/ignore: "false"}\n'),
    })
    expect(names(await project.render())).toEqual(['b'])
  })
})

describe('when', () => {
  test('of items, includes and projects; any expression, with the variables of the project', async () => {
    await using project = await TestProject.of({
      'deployment.yaml':
        'vars:\n- values: {on_: true, list: []}\ndeployments:\n- path: a\n  when: on_\n- path: a\n  when: list\n' +
        '- path: gone\n  when: not on_\n- include: sub\n  vars:\n  - values: {deploy: no}\n- include: gone\n  when: "False"\n' +
        '- include: sub\n  vars:\n  - values: {deploy: yes}\n',
      'a/x.yaml': configMap('a'),
      'sub/deployment.yaml': 'when: deploy\ndeployments:\n- path: b\n',
      'sub/b/x.yaml': configMap('b'),
    })
    expect(names(await project.render())).toEqual(['a', 'b'])
  })
})

describe('includes', () => {
  test('a cycle is refused, naming the chain', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- include: a\n',
      'a/deployment.yaml': 'deployments:\n- include: ../b\n',
      'b/deployment.yaml': 'deployments:\n- include: ../a\n',
    })
    const outcome = await project.render()
    expect(outcome.code).toBe(1)
    expect(complaint(project, outcome)).toContain('include cycle: . -> a -> b -> a')
  })

  test('a project may include itself as long as its variables make an end of it', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- include: count\n  vars:\n  - values: {i: 2}\n',
      'count/deployment.yaml':
        'deployments:\n- path: item\n- include: ../count\n  when: i > 0\n  vars:\n  - values: {i: {{ i - 1 }}}\n',
      'count/item/x.yaml': configMap('n-{{ i }}'),
    })
    expect(names(await project.render())).toEqual(['n-2', 'n-1', 'n-0'])
  })

  test('one that never ends is refused too', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'vars:\n- values: {i: {{ (i | default(0)) + 1 }}}\ndeployments:\n- include: .\n',
    })
    const outcome = await project.render()
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain('include cycle: . -> . -> . ->')
  })

  test('a path above the root of the repository is refused, through links too', async () => {
    await using project = await TestProject.of({ 'deployment.yaml': 'deployments:\n- path: ../../etc\n' })
    const outcome = await project.render()
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain('path/include is not part of the deployment project')
  })

  test('variables of an include reach what it includes, and nothing else', async () => {
    await using project = await TestProject.of({
      'deployment.yaml':
        'vars:\n- values: {a: outer, b: outer}\ndeployments:\n- include: sub\n  vars:\n  - values: {b: inc}\n- path: x\n',
      'sub/deployment.yaml': 'vars:\n- values: {c: sub}\ndeployments:\n- path: inner\n',
      'sub/inner/y.yaml': configMap('inner', { a: '{{ a }}', b: '{{ b }}', c: '{{ c }}' }),
      'x/x.yaml': configMap('x', { a: '{{ a }}', b: '{{ b }}', c: '{{ c | default("none") }}' }),
    })
    expect(data(await project.render())).toEqual({
      inner: { a: 'outer', b: 'inc', c: 'sub' },
      x: { a: 'outer', b: 'outer', c: 'none' },
    })
  })

  test.each([
    ['', { a: 'dflt', b: 'given', v: 'none' }],
    ['  passVars: true\n', { a: 'dflt', b: 'given', v: 'outer' }],
  ])('a library sees its own arguments, the rest with passVars (%j)', async (pass, wanted) => {
    await using project = await TestProject.of({
      '.kluctl.yaml': 'args:\n- name: b\n  default: outer\n',
      'deployment.yaml': `vars:\n- values: {v: outer}\ndeployments:\n- include: lib\n  args: {b: given}\n${pass}`,
      'lib/.kluctl-library.yaml': 'args:\n- name: a\n  default: dflt\n- name: b\n',
      'lib/deployment.yaml': 'deployments:\n- path: x\n',
      'lib/x/x.yaml': configMap('x', { a: '{{ args.a }}', b: '{{ args.b }}', v: '{{ get_var("v", "none") }}' }),
    })
    expect(data(await project.render())).toEqual({ x: wanted })
  })

  test('a library without an argument that it requires is refused', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- include: lib\n',
      'lib/.kluctl-library.yaml': 'args:\n- name: a\n',
      'lib/deployment.yaml': '',
    })
    expect(complaint(project, await project.render())).toContain('required argument a not set')
  })
})

test.each(['y', '12', 'true'])('the name %s of an object to delete is no string, and is not made one', async name => {
  const item = `- deleteObjects: [{kind: ConfigMap, name: ${name}}]`
  await using project = await TestProject.of({ 'deployment.yaml': `deployments:\n${item}\n` })
  expect((await project.render()).stderr).toContain('deployments[0].deleteObjects[0].name: expected a string, got a ')
})
