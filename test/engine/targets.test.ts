import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { complaint, configMap, data, TestProject } from './harness/project.ts'

const project = (kluctl: string, value: string) =>
  TestProject.of({
    '.kluctl.yaml': kluctl,
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/x.yaml': configMap('x', { v: `{{ (${value}) | to_json | to_json }}` }),
  })

describe('arguments', () => {
  const kluctl =
    'args:\n- name: a\n  default: {x: dflt, y_: dflt, list: [1, 2]}\n- name: b\n  default: false\n' +
    'targets:\n- name: t\n  args: {a: {x: target, list: [3]}, extra: 1}\n'

  test.each<[string[], string]>([
    [[], '{"a": {"list": [3], "x": "target", "y_": "dflt"}, "b": false, "extra": 1}'],
    [['-a', 'a.x=arg', '-a', 'b=yes'], '{"a": {"list": [3], "x": "arg", "y_": "dflt"}, "b": true, "extra": 1}'],
    [['-a', 'b=1', '-a', 'b=2'], '{"a": {"list": [3], "x": "target", "y_": "dflt"}, "b": 2, "extra": 1}'],
    [
      ['-a', "b='2'", '-a', 'extra={q: 1}'],
      '{"a": {"list": [3], "x": "target", "y_": "dflt"}, "b": "2", "extra": {"q": 1}}',
    ],
  ])('%j', async (flags, wanted) => {
    await using own = await project(kluctl, 'args')
    expect(data(await own.render(['-t', 't', ...flags]))).toEqual({ x: { v: wanted } })
  })

  test('files beat -a, in order; @ reads a value from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-args-'))
    try {
      await writeFile(join(folder, 'one.yaml'), 'b: 1\na: {x: one}\n')
      await writeFile(join(folder, 'two.yaml'), 'a: {x: two}\n')
      await writeFile(join(folder, 'value.yaml'), '[1, "2"]')
      await using own = await project(kluctl, '[args.a.x, args.b, args.c]')
      const flags = ['--args-from-file', join(folder, 'one.yaml'), '--args-from-file', join(folder, 'two.yaml')]
      const outcome = await own.render(['-t', 't', '-a', 'b=9', '-a', `c=@${join(folder, 'value.yaml')}`, ...flags])
      expect(data(outcome)).toEqual({ x: { v: '["two", 1, [1, "2"]]' } })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('from the environment: KLUCTL_ and OFFSHOOT_, with an index; the command line comes last', async () => {
    await using own = await project(kluctl, '[args.a.x, args.b, target.name]')
    const env = { KLUCTL_ARG: 'b=1', KLUCTL_ARG_1: 'a.x=env', OFFSHOOT_TARGET: 't' }
    expect(data(await own.render([], env))).toEqual({ x: { v: '["env", 1, "t"]' } })
    expect(data(await own.render(['-a', 'b=2'], env))).toEqual({ x: { v: '["env", 2, "t"]' } })
  })

  test.each([
    ['b', "invalid --arg argument. Must be --arg=some_var_name=value, not 'b'"],
    ['b ad=1', 'invalid --arg argument'],
    ['b=@/nowhere/at/all', 'invalid value of argument b'],
    ['b=\\@x', 'invalid value of argument b'],
    ['b={', 'invalid value of argument b'],
  ])('-a %j is refused', async (arg, message) => {
    await using own = await project(kluctl, 'args')
    const outcome = await own.render(['-t', 't', '-a', arg])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain(message)
  })
})

describe('targets', () => {
  test('refer to themselves and are sorted; those that cannot be loaded are warned of', async () => {
    await using own = await project(
      'discriminator: "{{ target.name }}-{{ args.x }}"\naws: {profile: p}\nargs:\n- name: x\n' +
        'targets:\n- name: b\n  context: "c-{{ target.args.x }}"\n  args: {x: "{{ target.name }}", digits: "{{ 12 }}"}\n' +
        '- name: a\n  args: {x: 1}\n  discriminator: own\n  aws: {serviceAccount: {name: s, namespace: q}}\n- name: missing\n- {}\n' +
        '- name: a\n  args: {x: 2}\n- name: undefined\n  args: {x: "{{ nope }}"}\n',
      'target',
    )
    const outcome = await own.run(['list-targets'])
    expect(outcome.code).toBe(0)
    expect(parse(outcome.stdout)).toEqual([
      {
        name: 'a',
        args: { x: 1 },
        discriminator: 'own',
        aws: { profile: 'p', serviceAccount: { name: 's', namespace: 'q' } },
      },
      { name: 'b', args: { x: 'b', digits: '12' }, context: 'c-b', discriminator: 'b-b', aws: { profile: 'p' } },
    ])
    expect(complaint(own, outcome)).toContain(
      'warning: Failed to load target missing: required argument x not set\n' +
        'warning: Target at index 3 has no name\nwarning: Duplicate target a\n' +
        'warning: Failed to load target undefined: ',
    )
    expect(complaint(own, outcome)).toContain("UndefinedError: 'nope' is undefined")
    expect(data(await own.render(['-t', 'b']))).toEqual({
      x: {
        v: '{"args": {"digits": "12", "x": "b"}, "aws": {"profile": "p"}, "context": "", "discriminator": "b-b", "name": "b"}',
      },
    })
  })

  test.each<[string, string[], string]>([
    [
      'targets:\n- name: a\n',
      [],
      'a target must be explicitly selected when targets are defined in the Kluctl project',
    ],
    ['targets:\n- name: a\n', ['-t', 'b'], 'target b not existent in kluctl project config'],
    ['', ['-t', 'b'], 'target b not existent in kluctl project config'],
    ['args:\n- name: a\n', [], 'required argument a not set'],
    [
      'targets:\n- name: a\n  foo: 1\nbar: 1\n',
      ['-t', 'a'],
      'DIR/.kluctl.yaml:3:8: targets[0].foo: json: unknown field "foo"',
    ],
    ['targets:\n- name: a\n  foo: 1\nbar: 1\n', ['-t', 'a'], 'DIR/.kluctl.yaml:4:6: bar: json: unknown field "bar"'],
    ['targets:\n- name: a\n  images:\n  - image: x\n', ['-t', 'a'], 'targets[0].images[0].resultImage'],
    ['targets:\n- name: a\n  images:\n  - resultImage: x\n', ['-t', 'a'], 'one of image or imageRegex must be set'],
    ['targets: {}\n', [], 'DIR/.kluctl.yaml:1:10: targets: expected a list, got a map'],
  ])('%j with %j is refused', async (kluctl, flags, message) => {
    await using own = await project(kluctl, '1')
    const outcome = await own.render(flags)
    expect(outcome.code).toBe(1)
    expect(complaint(own, outcome)).toContain(message)
  })

  test('without targets there is one without a name; -T names it; target.args is absent', async () => {
    await using own = await project(
      'discriminator: "d-{{ target.name }}"\n',
      '[target.name, target.discriminator, target.args is defined]',
    )
    expect(data(await own.render())).toEqual({ x: { v: '["", "d-", false]' } })
    expect(data(await own.render(['-T', 'q']))).toEqual({ x: { v: '["q", "d-", false]' } })
  })

  test('.kluctl.yml beats .kluctl.yaml, and -c beats both; field names may be in any case', async () => {
    await using own = await project('targets:\n- name: yaml\n', 'target.name')
    await own.write({ '.kluctl.yml': 'Targets:\n- NAME: yml\n', 'other.yaml': 'targets:\n- name: other\n' })
    expect((await own.run(['list-targets', '--only-names'])).stdout).toBe('yml\n')
    expect((await own.run(['list-targets', '--only-names', '-c', join(own.folder, 'other.yaml')])).stdout).toBe(
      'other\n',
    )
  })

  test('list-targets as JSON, and into files', async () => {
    await using own = await project('targets:\n- name: a\n', '1')
    expect(JSON.parse((await own.run(['list-targets', '-o', 'json'])).stdout)).toEqual([{ name: 'a', aws: {} }])
    const file = join(own.folder, 'out', 'targets.yaml')
    expect(await own.run(['list-targets', '-o', file])).toMatchObject({ code: 0, stdout: '' })
    await using reader = await project('', '1')
    expect(parse((await reader.run(['list-targets', '-c', file])).stdout)).toBeNull()
  })
})
