import { compareBytes, isObject, type Json, type JsonObject } from '../values.ts'
import { type FieldPath, formatPath } from './field-path.ts'
import type { Change } from './types.ts'
import { unifiedDiff } from './unified-diff.ts'

/** Lists longer than this are not compared item by item. */
const manyItems = 16

/**
 * What is different in the new version of an object, by path. As in kluctl's diffs, the order of a list's items does
 * not count: items that the other list has anywhere are left out, and the rest is compared by index.
 */
export function diffObjects(before: Json, after: Json): Change[] {
  const changes: Change[] = []
  compare([], before, after, changes)
  // Paths are unique. The line end makes a field come before the fields within it.
  return changes.sort((a, b) => compareBytes(`${a.jsonPath}\n`, `${b.jsonPath}\n`))
}

/** A change with its unified diff; an absent value is undefined. */
export function makeChange(jsonPath: string, oldValue: Json | undefined, newValue: Json | undefined): Change {
  return {
    type: oldValue === undefined ? 'insert' : newValue === undefined ? 'delete' : 'update',
    jsonPath,
    ...(oldValue === undefined ? {} : { oldValue }),
    ...(newValue === undefined ? {} : { newValue }),
    unifiedDiff: unifiedDiff(oldValue, newValue),
  }
}

function compare(path: FieldPath, before: Json | undefined, after: Json | undefined, changes: Change[]): void {
  if (before === after) return
  if (Array.isArray(before) && Array.isArray(after)) compareLists(path, before, after, changes)
  else if (isObject(before) && isObject(after)) compareMaps(path, before, after, changes)
  else changes.push(makeChange(formatPath(path), before, after))
}

function compareMaps(path: FieldPath, before: JsonObject, after: JsonObject, changes: Change[]): void {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare([...path, key], own(before, key), own(after, key), changes)
  }
}

function compareLists(path: FieldPath, before: readonly Json[], after: readonly Json[], changes: Change[]): void {
  const [removed, added] = unmatched(before, after)
  for (const index of new Set([...removed, ...added])) {
    const [old, fresh] = [removed.has(index) ? before[index] : undefined, added.has(index) ? after[index] : undefined]
    compare([...path, index], old, fresh, changes)
  }
}

/** Indexes of the items of each list that have no partner in the other one. */
function unmatched(before: readonly Json[], after: readonly Json[]): [removed: Set<number>, added: Set<number>] {
  const removed = new Set<number>()
  const added = new Set(after.keys())
  const take = Math.min(before.length, after.length) > manyItems ? takerByText(after) : takerByLook(after, added)
  for (const [index, item] of before.entries()) {
    const partner = take(item)
    if (partner === undefined) removed.add(index)
    else added.delete(partner)
  }
  return [removed, added]
}

/** The first item that is left and the same. */
function takerByLook(list: readonly Json[], left: ReadonlySet<number>): (item: Json) => number | undefined {
  return item => {
    for (const index of left) if (isSame(item, list[index])) return index
    return undefined
  }
}

/** The same for long lists, without looking at each item for each other one. */
function takerByText(list: readonly Json[]): (item: Json) => number | undefined {
  const places = new Map<string, number[]>()
  for (const [index, item] of list.entries()) {
    const text = textOf(item)
    const known = places.get(text)
    if (known === undefined) places.set(text, [index])
    else known.push(index)
  }
  for (const indexes of places.values()) indexes.reverse()
  return item => places.get(textOf(item))?.pop()
}

/** The same text for exactly those values that would show no difference. */
function textOf(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(textOf).sort().join()}]`
  if (isObject(value)) {
    const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${textOf(inner)}`)
    return `{${entries.sort().join()}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : `${typeof value} ${String(value)}`
}

/** Whether two values would show no difference. */
function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false
    return a.every((item, index) => isSame(item, b[index])) || unmatched(a, b)[0].size === 0
  }
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(key => Object.hasOwn(b, key) && isSame(a[key], b[key]))
}

function own(map: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined
}
