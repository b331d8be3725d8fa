import { isDeepStrictEqual } from 'node:util'
import { isZeroStruct } from '../schema/go-form.ts'
import { fieldSchema, isRecord, itemSchema, resolve, type Schema, topologyOf } from '../schema/schema.ts'
import { PathSet } from './path-set.ts'

/**
 * The path element of a list's item: by its keys (with the keys' defaults) in a list map, by value in a set.
 * @throws TypeError for an item without one of its keys
 */
export function itemElement(schema: Schema, item: unknown): string {
  if (schema['x-kubernetes-list-type'] === 'set') return `v:${JSON.stringify(item)}`
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const items = itemSchema(schema)
  if (!isRecord(item)) throw new TypeError('an item of a list with keys must be an object')
  const found: Record<string, unknown> = {}
  let any = false
  for (const key of [...keys].sort()) {
    const field = items?.properties?.[key]
    const value = item[key] ?? (field && resolve(field).default)
    if (value === undefined) continue
    found[key] = value
    any = true
  }
  if (!any) throw new TypeError(`an item lacks its keys ${keys.join(', ')}`)
  return `k:${JSON.stringify(found)}`
}

/** The paths that a value sets: its leaves, the items of its keyed lists, the entries of its open maps. */
export function fieldSetOf(value: unknown, schema: Schema | undefined): PathSet {
  const set = new PathSet()
  collect(value, schema, set)
  return set
}

function collect(value: unknown, schema: Schema | undefined, set: PathSet): void {
  const topology = topologyOf(schema, value)
  if (topology === 'map') collectMap(value as Record<string, unknown>, schema, set)
  else if (topology !== 'atomic' && schema) collectList(value as unknown[], schema, set)
  else set.member = true
}

function collectMap(value: Record<string, unknown>, schema: Schema | undefined, set: PathSet): void {
  for (const name of Object.keys(value)) {
    const inner = value[name]
    if (inner === undefined) continue
    const child = set.child(`f:${name}`)
    const field = fieldSchema(schema, name)
    collect(inner, field.schema, child)
    if (!field.named || inner === null || (isRecord(inner) && Object.keys(inner).length === 0)) child.member = true
  }
}

function collectList(value: unknown[], schema: Schema, set: PathSet): void {
  const items = itemSchema(schema)
  for (const item of value) {
    const child = set.child(itemElement(schema, item))
    collect(item, items, child)
    child.member = true
  }
}

/** What a write did to fields. */
export interface FieldChanges {
  /** Added and changed. */
  written: PathSet
  removed: PathSet
}

/** Compares two states: fields that were added or changed, and fields that went. */
export function compareFields(before: unknown, after: unknown, schema: Schema | undefined): FieldChanges {
  const changes = { written: new PathSet(), removed: new PathSet() }
  compare(before, after, schema, changes)
  return changes
}

function compare(
  before: unknown,
  after: unknown,
  schema: Schema | undefined,
  { written, removed }: FieldChanges,
): void {
  if (before === after) return
  if (before === undefined || after === undefined) {
    whole(after ?? before, schema, before === undefined ? written : removed)
    return
  }
  const topology = topologyOf(schema, after)
  const isList = Array.isArray(after)
  if (topology === 'atomic' || topology !== topologyOf(schema, before) || Array.isArray(before) !== isList) {
    if (!isDeepStrictEqual(before, after)) written.member = true
    if (topology !== 'atomic') collect(after, schema, written)
  } else if (topology === 'map') compareMaps(before as Json, after as Json, schema, { written, removed })
  else if (schema) compareLists(before as unknown[], after as unknown[], schema, { written, removed })
}

type Json = Record<string, unknown>

function compareMaps(before: Json, after: Json, schema: Schema | undefined, { written, removed }: FieldChanges): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[name], after[name]]
    if (old === now) continue
    const element = `f:${name}`
    const zero = old === undefined || now === undefined ? zeroOf(schema, name) : undefined
    const field = fieldSchema(schema, name).schema
    compare(old ?? zero, now ?? zero, field, { written: written.child(element), removed: removed.child(element) })
  }
}

/** What Go writes for a field of a built-in kind that nobody set: it counts as present. */
function zeroOf(schema: Schema | undefined, name: string): unknown {
  const field = schema?.properties?.[name]
  if (field === undefined) return undefined
  if (isZeroStruct(field)) return {}
  const isBuiltIn = field.items?.$ref !== undefined
  return isBuiltIn && field.type === 'array' && schema?.required?.includes(name) ? [] : undefined
}

function compareLists(before: unknown[], after: unknown[], schema: Schema, { written, removed }: FieldChanges): void {
  const items = itemSchema(schema)
  const old = byElement(before, schema)
  const now = byElement(after, schema)
  for (const element of new Set([...old.keys(), ...now.keys()])) {
    compare(old.get(element), now.get(element), items, {
      written: written.child(element),
      removed: removed.child(element),
    })
  }
}

/** A whole part that came or went: everything in it, and each map and list in it. */
function whole(value: unknown, schema: Schema | undefined, set: PathSet): void {
  set.member = true
  const topology = topologyOf(schema, value)
  if (topology === 'map') {
    for (const [name, inner] of Object.entries(value as Json)) {
      if (inner !== undefined) whole(inner, fieldSchema(schema, name).schema, set.child(`f:${name}`))
    }
  } else if (topology !== 'atomic' && schema) {
    const items = itemSchema(schema)
    for (const item of value as unknown[]) whole(item, items, set.child(itemElement(schema, item)))
  }
}

/** The items of a keyed list or set by their path elements. */
export function byElement(list: readonly unknown[], schema: Schema): Map<string, unknown> {
  return new Map(list.map(item => [itemElement(schema, item), item]))
}
