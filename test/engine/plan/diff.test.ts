import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffObjects } from '../../../src/engine/plan/diff.ts'
import { formatPath, leaves, removePath } from '../../../src/engine/plan/field-path.ts'
import { lineEdits } from '../../../src/engine/plan/line-edits.ts'
import type { Change } from '../../../src/engine/plan/types.ts'
import { unifiedDiff } from '../../../src/engine/plan/unified-diff.ts'
import { clone, type Json, type JsonObject } from '../../../src/engine/values.ts'
import { anyObject, json, unordered } from './values.ts'

/** Reads paths as kluctl writes them. */
function parsePath(text: string): (string | number)[] {
  const path: (string | number)[] = []
  for (const [, index, double, single, name] of text.matchAll(
    /\[(\d+)\]|\["([^"]*)"\]|\['(.*?)'\](?=$|[.[])|([^.[\]$]+)/g,
  )) {
    if (index !== undefined) path.push(Number(index))
    else path.push(double ?? single ?? name ?? '')
  }
  return path
}

function put(root: JsonObject, path: readonly (string | number)[], value: Json): void {
  let at = root as unknown as Record<string | number, Json>
  for (const key of path.slice(0, -1)) at = at[key] as unknown as Record<string | number, Json>
  at[path.at(-1) ?? ''] = value
}

/** Carries out changes: updates and insertions at their new places, what was deleted from lists is cut out at the end. */
function applyChanges(object: JsonObject, changes: readonly Change[]): Json {
  const result = clone(object)
  const gone: Json = {}
  const deleted = changes.filter(({ type }) => type === 'delete').map(({ jsonPath }) => parsePath(jsonPath))
  for (const path of deleted) put(result, path, gone)
  for (const { type, jsonPath, newValue } of changes) {
    if (type === 'update') put(result, parsePath(jsonPath), newValue as Json)
  }
  const inserted = changes.filter(({ type }) => type === 'insert')
  for (const { jsonPath, newValue } of inserted) {
    const path = parsePath(jsonPath)
    const last = path.at(-1)
    if (typeof last === 'number') (at(result, path.slice(0, -1)) as Json[]).push(newValue as Json)
    else put(result, path, newValue as Json)
  }
  return without(result, gone)
}

function at(root: Json, path: readonly (string | number)[]): Json {
  return path.reduce<Json>((value, key) => (value as Record<string | number, Json>)[key] as Json, root)
}

function without(value: Json, gone: Json): Json {
  if (Array.isArray(value)) return value.filter(item => item !== gone).map(item => without(item, gone))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, inner]) => inner !== gone)
  return Object.fromEntries(kept.map(([key, inner]) => [key, without(inner, gone)]))
}

describe('laws', () => {
  test('an object does not differ from itself', () => {
    fc.assert(fc.property(anyObject, object => diffObjects(object, clone(object)).length === 0))
  })

  test('the order of lists does not count', () => {
    const shuffled = fc
      .array(json, { maxLength: 6 })
      .chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
    fc.assert(fc.property(shuffled, ([a, b]) => diffObjects({ list: a }, { list: b }).length === 0))
  })

  test('objects that differ have differences, and carrying them out gives the new object', () => {
    fc.assert(
      fc.property(anyObject, anyObject, (before, after) => {
        const changes = diffObjects(before, after)
        expect(unordered(applyChanges(before, changes))).toBe(unordered(after))
        expect(changes.length === 0).toBe(unordered(before) === unordered(after))
      }),
    )
  })

  test('no path is told twice, and they are sorted', () => {
    fc.assert(
      fc.property(anyObject, anyObject, (before, after) => {
        const paths = diffObjects(before, after).map(({ jsonPath }) => jsonPath)
        expect(new Set(paths).size).toBe(paths.length)
        expect(paths).toEqual([...paths].sort((a, b) => (`${a}\n` < `${b}\n` ? -1 : 1)))
      }),
    )
  })

  test('line edits make one text of the other, and there is no shorter way', () => {
    const lines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n'), { maxLength: 12 })
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const edits = lineEdits(before, after)
        const result: string[] = []
        let next = 0
        for (const { kind, oldIndex, newIndex } of edits) {
          while (next < oldIndex) result.push(before[next++] ?? '')
          if (kind === 'delete') next++
          else result.push(after[newIndex] ?? '')
        }
        expect([...result, ...before.slice(next)]).toEqual(after)
        expect(edits.length).toBe(before.length + after.length - 2 * commonLength(before, after))
      }),
    )
  })
})

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = table[i] ?? []
      row[j] = a[i] === b[j] ? (table[i + 1]?.[j + 1] ?? 0) + 1 : Math.max(table[i + 1]?.[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return table[0]?.[0] ?? 0
}

// What kluctl 2.28.2 gives for the same values.
describe('as kluctl tells it', () => {
  test.each<[string, Json, Json, Change[]]>([
    [
      'values',
      { data: { aa: 'x', gone: 'x', null: null } },
      { data: { aa: 'y', null: 'q', d3: 'v3' } },
      [
        { type: 'update', jsonPath: 'data.aa', oldValue: 'x', newValue: 'y', unifiedDiff: '-x\n+y' },
        { type: 'insert', jsonPath: 'data.d3', newValue: 'v3', unifiedDiff: '+v3' },
        { type: 'delete', jsonPath: 'data.gone', oldValue: 'x', unifiedDiff: '-x' },
        { type: 'update', jsonPath: 'data.null', oldValue: null, newValue: 'q', unifiedDiff: '-<nil>\n+q' },
      ],
    ],
    [
      'types',
      { spec: { on: true, text: '' } },
      { spec: { on: 'true', text: 'xx' } },
      [
        { type: 'update', jsonPath: 'spec.on', oldValue: true, newValue: 'true', unifiedDiff: '-true\n+true' },
        { type: 'update', jsonPath: 'spec.text', oldValue: '', newValue: 'xx', unifiedDiff: '+xx' },
      ],
    ],
    [
      'lists by what they hold, then by place',
      { args: [1, 2, 3], l: [{ port: 1 }, { port: 2 }] },
      { args: [3, 2, 4, null], l: [{ port: 2 }, { port: 3 }] },
      [
        { type: 'delete', jsonPath: '$["l"][0]', oldValue: { port: 1 }, unifiedDiff: '-port: 1' },
        { type: 'insert', jsonPath: '$["l"][1]', newValue: { port: 3 }, unifiedDiff: '+port: 3' },
        { type: 'delete', jsonPath: 'args[0]', oldValue: 1, unifiedDiff: '-1' },
        { type: 'insert', jsonPath: 'args[2]', newValue: 4, unifiedDiff: '+4' },
        { type: 'insert', jsonPath: 'args[3]', newValue: null, unifiedDiff: '+<nil>' },
      ],
    ],
    [
      'structures as YAML',
      { aa: { a: 'yes', b: '*** x', c: [], d: {} } },
      { aa: [1], ww: { q: { r: ['multi\nline', 'y', 'on: x', '😀'] } } },
      [
        {
          type: 'update',
          jsonPath: 'aa',
          oldValue: { a: 'yes', b: '*** x', c: [], d: {} },
          newValue: [1],
          unifiedDiff: '@@ -1,4 +1 @@\n-a: "yes"\n-b: \'*** x\'\n-c: []\n-d: {}\n+- 1\n',
        },
        {
          type: 'insert',
          jsonPath: 'ww',
          newValue: { q: { r: ['multi\nline', 'y', 'on: x', '😀'] } },
          unifiedDiff: '+q:\n+  r:\n+  - |-\n+    multi\n+    line\n+  - "y"\n+  - \'on: x\'\n+  - "\\U0001F600"',
        },
      ],
    ],
  ])('%s', (_, before, after, changes) => expect(diffObjects(before, after)).toEqual(changes))

  test('long texts in hunks with three lines around them', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`)
    const changed = lines.with(4, 'changed').toSpliced(20, 1).toSpliced(10, 0, 'new')
    expect(unifiedDiff(lines.join('\n'), changed.join('\n'))).toBe(
      [
        '@@ -2,12 +2,13 @@',
        ' line 1',
        ' line 2',
        ' line 3',
        '-line 4',
        '+changed',
        ' line 5',
        ' line 6',
        ' line 7',
        ' line 8',
        ' line 9',
        '+new',
        ' line 10',
        ' line 11',
        ' line 12',
        '@@ -18,7 +19,6 @@',
        ' line 17',
        ' line 18',
        ' line 19',
        '-line 20',
        ' line 21',
        ' line 22',
        ' line 23',
        '',
      ].join('\n'),
    )
    expect(unifiedDiff('a\nb', 'a\nc\n')).toBe('@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n')
  })
})

test('long lists are compared as short ones are', () => {
  const item = fc.oneof(fc.constantFrom(1, '1', null, true), json)
  const long = fc.array(item, { minLength: 20, maxLength: 30 })
  fc.assert(
    fc.property(long, long, (before, after) => {
      // Most of both lists is the same, so that duplicates count.
      const changes = diffObjects({ list: [...before, ...after.slice(5)] }, { list: [...after, ...before.slice(5)] })
      const applied = applyChanges({ list: [...before, ...after.slice(5)] }, changes)
      expect(unordered(applied)).toBe(unordered({ list: [...after, ...before.slice(5)] }))
      expect(changes.length).toBeLessThanOrEqual(20)
    }),
  )
  const many = Array.from({ length: 20 }, (_, index) => index)
  const doubled = diffObjects({ many: ['x', ...many] }, { many: ['x', 'x', ...many] })
  expect(doubled.map(({ type, jsonPath }) => `${type} ${jsonPath}`)).toEqual(['insert many[1]'])
  const numbers = Array.from({ length: 20_000 }, (_, index) => ({ index }))
  expect(diffObjects({ numbers }, { numbers: [...numbers].reverse() })).toEqual([])
})

test('large numbers are shown as they are', () => {
  expect(unifiedDiff(1_000_650_000, 30_000_000)).toBe('-1000650000\n+30000000')
})

test('texts with nothing in common are replaced in reasonable time and space', () => {
  const before = Array.from({ length: 20_000 }, (_, index) => `old ${index}\n`)
  const after = ['old 0\n', ...Array.from({ length: 20_000 }, (_, index) => `new ${index}\n`), 'old 19999\n']
  const edits = lineEdits(before, after)
  expect(edits.filter(({ kind }) => kind === 'delete')).toHaveLength(19_998)
  expect(edits.filter(({ kind }) => kind === 'insert')).toHaveLength(20_000)
})

describe('paths', () => {
  test.each([
    [['metadata', 'labels', 'app.kubernetes.io/name'], 'metadata.labels["app.kubernetes.io/name"]'],
    [['spec', 'ports', 0, 'port'], 'spec.ports[0].port'],
    [['a'], '$["a"]'],
    [['x', 'yy'], '$["x"].yy'],
    [['data', 'a"b'], "data['a\"b']"],
    [[], ''],
  ])('%j is %s', (path, text) => expect(formatPath(path)).toBe(text))

  test('leaves can be removed one after the other, until only empty structures are left', () => {
    fc.assert(
      fc.property(anyObject, object => {
        const copy = clone(object)
        for (const [path] of [...leaves(copy)].reverse()) removePath(copy, path)
        expect([...leaves(copy)]).toEqual([])
      }),
    )
  })
})
