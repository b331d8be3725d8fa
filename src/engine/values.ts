/**
 * A value of a project: what YAML or JSON can say. Numbers of variables are doubles, as in kluctl, where everything
 * passes through Go's JSON; an integer of a manifest that a double cannot hold is a bigint.
 */
export type Json = null | boolean | number | bigint | string | Json[] | JsonObject

/** A map with string keys and no prototype: `__proto__` is a key like any other. */
export interface JsonObject {
  [key: string]: Json
}

/** An empty map. */
export function emptyObject(): JsonObject {
  return Object.create(null) as JsonObject
}

/** True for maps, not for lists or null. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A copy that shares nothing with the original. */
export function clone<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map(item => clone(item)) as T
  if (!isObject(value)) return value
  const copy = emptyObject()
  for (const [key, inner] of Object.entries(value)) copy[key] = clone(inner)
  return copy as T
}

/** Merges `other` into `target`, in place: maps key by key, everything else (lists too) is replaced. */
export function merge(target: JsonObject, other: JsonObject): JsonObject {
  for (const [key, value] of Object.entries(other)) {
    const known = target[key]
    if (isObject(known) && isObject(value)) merge(known, value)
    else target[key] = clone(value)
  }
  return target
}

/** The value at a path of keys and indexes, or undefined. */
export function getPath(value: Json | undefined, path: readonly (string | number)[]): Json | undefined {
  let at: Json | undefined = value
  for (const key of path) {
    if (Array.isArray(at)) at = typeof key === 'number' ? at[key] : undefined
    else at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }
  return at
}

/** Whether two values are the same, whatever the order of their keys. */
export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]))
  }
  if (!isObject(a) || !isObject(b)) return a === b
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(key => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
}

/** The value with the keys of every map in bytewise order, as Go writes JSON. */
export function sortKeys<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map(item => sortKeys(item)) as T
  if (!isObject(value)) return value
  const sorted = emptyObject()
  for (const key of Object.keys(value).sort(compareBytes)) sorted[key] = sortKeys(value[key] as Json)
  return sorted as T
}

/** Order of two strings by their UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0
  // UTF-16 order differs from byte order only where surrogates stand beside the code units above them.
  if (!/[\ud800-\uffff]/.test(a) && !/[\ud800-\uffff]/.test(b)) return a < b ? -1 : 1
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
