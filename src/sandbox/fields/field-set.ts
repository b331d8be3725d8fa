import { isDeepStrictEqual } from 'node:util'
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

/** Paths of leaves that both values have, with different contents. */
export function changedFields(before: unknown, after: unknown, schema: Schema | undefined): PathSet {
  const set = new PathSet()
  compare(before, after, schema, set)
  return set
}

function compare(before: unknown, after: unknown, schema: Schema | undefined, set: PathSet): void {
  if (before === after) return
  const topology = topologyOf(schema, after)
  if (
    topology !== topologyOf(schema, before) ||
    topology === 'atomic' ||
    Array.isArray(before) !== Array.isArray(after)
  )
    set.member = !isDeepStrictEqual(before, after)
  else if (topology === 'map') {
    const old = before as Record<string, unknown>
    for (const [name, value] of Object.entries(after as Record<string, unknown>)) {
      if (!Object.hasOwn(old, name) || old[name] === value) continue
      compare(old[name], value, fieldSchema(schema, name).schema, set.child(`f:${name}`))
    }
  } else if (topology === 'keyed' && schema) {
    const items = itemSchema(schema)
    const old = byElement(before as unknown[], schema)
    for (const [element, value] of byElement(after as unknown[], schema)) {
      if (old.has(element)) compare(old.get(element), value, items, set.child(element))
    }
  }
}

/** The items of a keyed list or set by their path elements. */
export function byElement(list: readonly unknown[], schema: Schema): Map<string, unknown> {
  return new Map(list.map(item => [itemElement(schema, item), item]))
}
