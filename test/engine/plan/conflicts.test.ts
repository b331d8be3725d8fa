import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Manifest } from '../../../src/engine/item.ts'
import { type ConflictCause, type ConflictRule, resolveConflicts } from '../../../src/engine/plan/conflicts.ts'
import type { JsonObject } from '../../../src/engine/values.ts'

type Field = [name: string, value: string, manager: string]

function configMap(data: JsonObject, annotations: JsonObject = {}): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'name', namespace: 'ns', annotations }, data }
}

function remote(fields: readonly Field[]): Manifest {
  const managers = [...new Set(fields.map(([, , manager]) => manager))]
  const managedFields = managers.map(manager => ({
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    operation: 'Apply',
    manager,
    fieldsV1: {
      'f:data': Object.fromEntries(
        fields.filter(([, , other]) => other === manager).map(([name]) => [`f:${name}`, {}]),
      ),
    },
  }))
  const object = configMap(Object.fromEntries(fields.map(([name, value]) => [name, value])))
  return { ...object, metadata: { ...(object.metadata as JsonObject), managedFields } }
}

function conflict(...fields: string[]): ConflictCause[] {
  return fields.map(field => ({ reason: 'FieldManagerConflict', message: 'conflict', field: `.data.${field}` }))
}

const theirs: Field[] = [
  ['d1', 'v1', 'c1'],
  ['d2', 'v2', 'm1'],
  ['d3', 'v3', 'c2x'],
]

/** What is applied in the end, and what was lost, of `d1` and `d3` in conflict. */
function resolve(annotations: JsonObject, rules: ConflictRule[] = [], fields = theirs) {
  const local = configMap({ d1: 'x', d2: 'x', d3: 'x' }, annotations)
  const { object, lost } = resolveConflicts(local, remote(fields), conflict('d1', 'd3'), rules)
  return { applied: Object.keys(object.data as JsonObject), lost: lost.map(({ field }) => field) }
}

describe('by annotation', () => {
  test.each<[string, JsonObject, string[], string[]]>([
    ['none', {}, ['d2'], ['.data.d1', '.data.d3']],
    ['another field', { 'force-apply-field': 'data.d4' }, ['d2'], ['.data.d1', '.data.d3']],
    ['force all', { 'force-apply': 'true' }, ['d1', 'd2', 'd3'], []],
    ['force a field', { 'force-apply-field': 'data.d1' }, ['d1', 'd2'], ['.data.d3']],
    ['force a numbered field', { 'force-apply-field-123': 'data.d3' }, ['d2', 'd3'], ['.data.d1']],
    ['force a manager', { 'force-apply-manager': 'c1' }, ['d1', 'd2'], ['.data.d3']],
    ['force managers by expression', { 'force-apply-manager-1': 'c2.*' }, ['d2', 'd3'], ['.data.d1']],
    ['ignore all', { 'ignore-conflicts': 'true' }, ['d2'], []],
    ['ignore a field', { 'ignore-conflicts-field': 'data.d1' }, ['d2'], ['.data.d3']],
    ['ignore a manager', { 'ignore-conflicts-manager-9': 'c2.*' }, ['d2'], ['.data.d1']],
    ['ignore is stronger', { 'force-apply': 'true', 'ignore-conflicts': 'true' }, ['d2'], []],
    ['force all but', { 'force-apply': 'true', 'ignore-conflicts-field': 'data.d1' }, ['d2', 'd3'], []],
    ['$ at the start', { 'force-apply-field': '$.data.d1' }, ['d1', 'd2'], ['.data.d3']],
  ])('%s', (_, annotations, applied, lost) => {
    const full = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`kluctl.io/${key}`, value]))
    expect(resolve(full)).toEqual({ applied, lost })
  })
})

describe('by rule of the project', () => {
  test.each<[string, ConflictRule[], string[], string[]]>([
    ['a field', [{ action: 'force-apply', fieldPath: ['data.d1'] }], ['d1', 'd2'], ['.data.d3']],
    ['an expression', [{ action: 'ignore', fieldPathRegex: [String.raw`^data\.d[13]$`] }], ['d2'], []],
    ['a manager', [{ action: 'ignore', manager: ['^c1$'] }], ['d2'], ['.data.d3']],
    ['for others', [{ action: 'ignore', manager: ['.*'], kind: 'Secret' }], ['d2'], ['.data.d1', '.data.d3']],
    [
      'the later wins',
      [
        { action: 'ignore', fieldPath: ['data.*'] },
        { action: 'force-apply', fieldPath: ['data.d1'] },
      ],
      ['d1', 'd2'],
      [],
    ],
  ])('%s', (_, rules, applied, lost) => expect(resolve({}, rules)).toEqual({ applied, lost }))
})

test.each(['kubectl', 'kubectl-edit', 'kluctl', 'kluctl-x', 'rancher', 'k9s'])('what %s set is taken back', manager => {
  const fields: Field[] = [
    ['d1', 'v1', manager],
    ['d3', 'v3', manager],
  ]
  expect(resolve({}, [], fields)).toEqual({ applied: ['d1', 'd2', 'd3'], lost: [] })
  expect(resolve({ 'kluctl.io/ignore-conflicts': 'true' }, [], fields)).toEqual({ applied: ['d2'], lost: [] })
})

test('what others set to the same value is given up without a word', () => {
  const same: Field[] = [
    ['d1', 'x', 'c1'],
    ['d3', 'v3', 'c1'],
  ]
  expect(resolve({}, [], same)).toEqual({ applied: ['d2'], lost: ['.data.d3'] })
})

test('items of lists are found by their keys, wherever they are', () => {
  const service = (ports: JsonObject[], managedFields: JsonObject[] = []): Manifest => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', managedFields },
    spec: { ports },
  })
  const key = 'k:{"port":443,"protocol":"TCP"}'
  const owned = { manager: 'proxy', fieldsV1: { 'f:spec': { 'f:ports': { [key]: { '.': {}, 'f:targetPort': {} } } } } }
  const [http, https] = [
    { port: 80, protocol: 'TCP', targetPort: 1 },
    { port: 443, protocol: 'TCP', targetPort: 2 },
  ]
  const field = '.spec.ports[port=443,protocol="TCP"].targetPort'
  const cause = { reason: 'FieldManagerConflict', message: 'conflict with "proxy"', field }
  const there = service([{ ...https, targetPort: 3 }, http], [owned])
  const { object, lost } = resolveConflicts(service([http, https]), there, [cause], [])
  expect(object.spec).toEqual({ ports: [http, { port: 443, protocol: 'TCP' }] })
  expect(lost).toEqual([{ field, message: 'conflict with "proxy"' }])
  const forced: ConflictRule = { action: 'force-apply', manager: ['^proxy$'] }
  expect(resolveConflicts(service([http, https]), there, [cause], [forced]).object.spec).toEqual({
    ports: [http, https],
  })
})

test('an item may lack a key that the API server defaults, as long as it is the only one it can be', () => {
  const pod = (ports: JsonObject[], managedFields: JsonObject[] = []): Manifest => ({
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name: 'x', managedFields },
    spec: { ports },
  })
  const owned = { 'k:{"port":53,"protocol":"TCP"}': { 'f:node': {} } }
  const there = pod(
    [{ port: 53, protocol: 'TCP', node: 2 }],
    [{ manager: 'm', fieldsV1: { 'f:spec': { 'f:ports': owned } } }],
  )
  const causes = [{ reason: 'FieldManagerConflict', field: '.spec.ports[port=53,protocol="TCP"].node' }]
  const resolve = (...ports: JsonObject[]) => resolveConflicts(pod(ports), there, causes, []).object.spec
  expect(resolve({ port: 80, node: 1 }, { port: 53, node: 1 })).toEqual({
    ports: [{ port: 80, node: 1 }, { port: 53 }],
  })
  expect(() => resolve({ protocol: 'TCP', node: 1 }, { port: 53, node: 1 })).toThrow('not found in local object')
})

describe('a field that cannot be told for sure is an error', () => {
  const local = configMap({ d1: 'x' })
  test.each([
    ['unknown', conflict('d9'), theirs, "Could not find matching field for path '.data.d9'"],
    ['not rendered', conflict('d3'), theirs, "Field '.data.d3' not found in local object"],
    ['another cause', [{ reason: 'FieldValueInvalid', field: '.data.d1' }], theirs, 'unknown type FieldValueInvalid'],
  ])('%s', (_, causes, fields, message) => {
    expect(() => resolveConflicts(local, remote(fields as Field[]), causes, [])).toThrow(message)
  })

  test('two fields with the same text', () => {
    const object = remote([])
    const fieldsV1 = { 'f:data': { 'f:a.b': {}, 'f:a': { 'f:b': {} } } }
    const ambiguous = {
      ...object,
      metadata: { ...(object.metadata as JsonObject), managedFields: [{ manager: 'm', fieldsV1 }] },
    }
    expect(() => resolveConflicts(local, ambiguous, conflict('a.b'), [])).toThrow('is ambiguous')
  })
})

test('nothing is lost but fields in conflict, and never one that is ignored', () => {
  const field = fc.tuple(
    fc.constantFrom('d1', 'd2', 'd3', 'd4'),
    fc.constantFrom('x', 'y'),
    fc.constantFrom('c1', 'c2', 'kubectl'),
  )
  const fields = fc.uniqueArray(field, { selector: ([name]) => name, minLength: 1 })
  const path = fc.constantFrom('data.d1', 'data.d2', 'data.*')
  fc.assert(
    fc.property(fields, fc.array(path), fc.array(path), (owned, forced, ignored) => {
      const names = owned.map(([name]): string => name)
      const local = configMap(Object.fromEntries(['d1', 'd2', 'd3', 'd4'].map(name => [name, 'x'])))
      const rules: ConflictRule[] = [
        { action: 'force-apply', fieldPath: forced },
        { action: 'ignore', fieldPath: ignored },
      ]
      const { object, lost } = resolveConflicts(local, remote(owned), conflict(...names), rules)
      const data = object.data as JsonObject
      for (const name of ['d1', 'd2', 'd3', 'd4']) {
        const isIgnored = names.includes(name) && ignored.some(one => one === `data.${name}` || one === 'data.*')
        if (!names.includes(name)) expect(data[name]).toBe('x')
        if (isIgnored) expect(data[name]).toBeUndefined()
        if (lost.some(one => one.field === `.data.${name}`)) {
          expect(isIgnored).toBe(false)
          expect(data[name]).toBeUndefined()
        }
      }
    }),
  )
})
