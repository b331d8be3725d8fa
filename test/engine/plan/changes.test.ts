import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DeploymentProject } from '../../../src/engine/deployment/tree.ts'
import type { Manifest } from '../../../src/engine/item.ts'
import { changedObjects, changesOf } from '../../../src/engine/plan/changes.ts'
import type { DiffFlags, IgnoreRule } from '../../../src/engine/plan/ignore-diff.ts'
import { normalizeObject } from '../../../src/engine/plan/normalize.ts'
import { Problems } from '../../../src/engine/plan/problems.ts'
import { refKey, refOf } from '../../../src/engine/plan/refs.ts'
import { clone, type JsonObject } from '../../../src/engine/values.ts'
import { anyObject } from './values.ts'

function deployment(spec: JsonObject, metadata: JsonObject = {}): Manifest {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'test', namespace: 'ns', ...metadata }, spec }
}

function configMap(name: string, data: JsonObject, metadata: JsonObject = {}): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'ns', ...metadata }, data }
}

const containers = (container: JsonObject) => ({ template: { spec: { containers: [container] } } })

describe('normalising', () => {
  test('what the API server keeps for itself goes', () => {
    const kept = deployment({ replicas: 1 }, { good: 'keep', labels: {}, annotations: { mine: 'yes' } })
    const full = deployment(
      { replicas: 1 },
      {
        good: 'keep',
        managedFields: [{}],
        creationTimestamp: 't',
        generation: 3,
        resourceVersion: '5',
        selfLink: '/',
        uid: 'u',
        labels: null,
        annotations: { mine: 'yes', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
    )
    expect(normalizeObject({ ...full, status: { ready: true } })).toEqual(kept)
  })

  test('environment variables are compared by name, and their sources by what they name', () => {
    const env = (value: string, name = 'LEVEL') => [
      { name, value },
      { name: 'B', value: 'b' },
    ]
    const old = deployment(containers({ env: env('info'), envFrom: [{ secretRef: { name: 's' } }, { prefix: 'X_' }] }))
    const fresh = deployment(
      containers({
        env: env('debug').reverse(),
        envFrom: [{ prefix: 'X_' }, { secretRef: { name: 's', optional: true } }, { configMapRef: { name: 'c' } }],
      }),
    )
    expect(changesOf(old, fresh, fresh, []).map(({ type, jsonPath }) => `${type} ${jsonPath}`)).toEqual([
      'update spec.template.spec.containers[0].env.LEVEL.value',
      'insert spec.template.spec.containers[0].envFrom["configMapRef/c"]',
      'insert spec.template.spec.containers[0].envFrom["secretRef/s"].secretRef.optional',
    ])
  })

  test('no data is the same as empty data', () => {
    const none = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }
    for (const data of [{}, null]) expect(changesOf(none, { ...none, data }, none, [])).toEqual([])
  })

  test("an account's own tokens do not count", () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'app' } }
    const [a, b] = [{ name: 'app-token-1' }, { name: 'registry' }]
    expect(changesOf({ ...account, secrets: [a, b] }, { ...account, secrets: [b] }, account, [])).toEqual([])
  })

  test('the object that is normalised stays as it is', () => {
    fc.assert(
      fc.property(anyObject, object => {
        const before = clone(object)
        normalizeObject(object)
        expect(object).toEqual(before)
      }),
    )
  })
})

describe('what is left out of diffs', () => {
  const labels = (values: JsonObject) => deployment({}, { labels: values })
  const old = labels({ l1: 'v1', l2: 'v2', 'a/b': 'v3' })
  const fresh = labels({ l1: 'w1', l2: 'w2', 'a/b': 'w3' })
  const paths = (rules: IgnoreRule[], annotations: JsonObject = {}) =>
    changesOf(old, fresh, deployment({}, { annotations }), rules).map(({ jsonPath }) => jsonPath)
  const all = ['metadata.labels.l1', 'metadata.labels.l2', 'metadata.labels["a/b"]']

  test.each<[string, IgnoreRule[], JsonObject, string[]]>([
    ['nothing', [], {}, all],
    ['several paths', [{ fieldPath: ['metadata.labels.l1', 'metadata.labels["a/b"]'] }], {}, [all[1] ?? '']],
    ['a wildcard', [{ fieldPath: ['metadata.labels.*'] }], {}, []],
    ['a regular expression', [{ fieldPathRegex: [String.raw`metadata\.labels\.l.*`] }], {}, [all[2] ?? '']],
    ['quoted names by regular expression', [{ fieldPathRegex: [String.raw`labels\["a/.*"\]`] }], {}, all.slice(0, 2)],
    ['rules for others', [{ fieldPath: ['metadata.labels.*'], kind: 'Service' }], {}, all],
    ['rules for another name', [{ fieldPath: ['metadata.labels.*'], name: 'other' }], {}, all],
    ['rules for this', [{ fieldPath: ['metadata'], group: 'apps', kind: 'Deployment', name: 'test' }], {}, []],
    ['the whole object', [], { 'kluctl.io/ignore-diff': 'true' }, []],
    ['no word for yes', [], { 'kluctl.io/ignore-diff': 'yes' }, all],
    [
      'fields by annotation',
      [],
      { 'kluctl.io/ignore-diff-field': 'metadata.labels.l1', 'kluctl.io/ignore-diff-field-12': 'metadata.labels.l2' },
      [all[2] ?? ''],
    ],
    [
      'fields by regular expression in an annotation',
      [],
      { 'kluctl.io/ignore-diff-field-regex-1': String.raw`labels\.l[12]`, 'kluctl.io/ignore-diff-field-x': 'metadata' },
      [all[2] ?? ''],
    ],
  ])('%s', (_, rules, annotations, expected) => expect(paths(rules, annotations)).toEqual(expected))

  test('items of a list, whatever their places', () => {
    const [one, three] = [deployment({ list: [1] }), deployment({ list: [1, 2, 3], other: 1 })]
    const changes = changesOf(one, three, three, [{ fieldPath: ['spec.list[*]'] }])
    expect(changes.map(({ jsonPath }) => jsonPath)).toEqual(['spec.other'])
  })
})

function itemOf(objects: Manifest[], ...configs: object[]) {
  const project = configs.reduceRight<object | undefined>((parent, config) => ({ config, parent }), undefined)
  return { item: { project: (project ?? { config: {} }) as DeploymentProject }, objects }
}

function diffOf(
  rendered: Manifest[],
  applied: Manifest[],
  remote: Manifest[],
  flags?: DiffFlags,
  ...configs: object[]
) {
  const problems = new Problems()
  const changed = changedObjects(
    {
      items: [itemOf(rendered, ...configs)],
      applied: new Map(applied.map(object => [refKey(refOf(object)), object])),
      remote: { all: () => remote, get: () => undefined },
      flags,
    },
    problems,
  )
  return { changed, problems }
}

describe('changed objects', () => {
  const old = configMap('test', { d1: 'v1' }, { labels: { 'kluctl.io/tag-0': 'a', mine: 'x' } })
  const fresh = configMap('test', { d1: 'v2' }, { labels: { 'kluctl.io/tag-0': 'b', mine: 'y' } })

  test('new ones, and ones that were not applied, are not among them', () => {
    expect(diffOf([fresh], [fresh], []).changed).toEqual([])
    expect(diffOf([fresh], [], [old]).changed).toEqual([])
  })

  test('a name that changes with the contents: compared with the youngest of its diff-name', () => {
    const named = (name: string, d1: string, creationTimestamp?: string) =>
      configMap(
        name,
        { d1 },
        { annotations: { 'kluctl.io/diff-name': 'test' }, ...(creationTimestamp ? { creationTimestamp } : {}) },
      )
    const remote = [
      named('test-c', 'c', '2026-01-01T00:00:02Z'),
      named('test-b', 'b', '2026-01-01T00:00:02Z'),
      named('test-z', 'z', '2026-01-01T00:00:01Z'),
    ]
    const next = named('test-d', 'd')
    expect(diffOf([next], [next], remote).changed).toEqual([
      {
        ref: { version: 'v1', kind: 'ConfigMap', name: 'test', namespace: 'ns' },
        changes: [
          { type: 'update', jsonPath: 'data.d1', oldValue: 'c', newValue: 'd', unifiedDiff: '-c\n+d' },
          {
            type: 'update',
            jsonPath: 'metadata.name',
            oldValue: 'test-c',
            newValue: 'test-d',
            unifiedDiff: '-test-c\n+test-d',
          },
        ],
      },
    ])
  })

  test.each<[DiffFlags, string[]]>([
    [{}, ['data.d1', 'metadata.labels.mine', 'metadata.labels["kluctl.io/tag-0"]']],
    [{ ignoreTags: true }, ['data.d1', 'metadata.labels.mine']],
    [{ ignoreLabels: true }, ['data.d1']],
    [{ ignoreKluctlMetadata: true }, ['data.d1', 'metadata.labels.mine']],
  ])('flags %j', (flags, paths) => {
    const { changed } = diffOf([fresh], [fresh], [old], flags)
    expect(changed.flatMap(({ changes }) => changes.map(({ jsonPath }) => jsonPath))).toEqual(paths)
  })

  test('rules of the project and of those around it', () => {
    const around = { ignoreForDiff: [{ fieldPath: ['metadata.labels'] }] }
    const own = { ignoreForDiff: [{ fieldPath: ['data'] }] }
    expect(diffOf([fresh], [fresh], [old], {}, own, around).changed).toEqual([])
    expect(diffOf([fresh], [fresh], [old], {}, own).changed).toHaveLength(1)
  })

  test('sorted as people read them, and one that cannot be compared is an error of its own', () => {
    const bad = configMap('bad', { d1: 'v1' }, { annotations: { 'kluctl.io/ignore-diff-field': 'data[' } })
    const objects = ['b', 'a'].map(name => configMap(name, { d1: 'v2' }))
    const before = [bad, ...['b', 'a'].map(name => configMap(name, { d1: 'v1' }))]
    const { changed, problems } = diffOf([bad, ...objects], [bad, ...objects], before)
    expect(changed.map(({ ref }) => ref.name)).toEqual(['a', 'b'])
    expect(problems.errors).toMatchObject([{ ref: { name: 'bad' }, message: expect.stringContaining('data[') }])
  })
})
