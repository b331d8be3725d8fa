import { isObject, type Json } from '../values.ts'

/** Where a value is inside of an object: keys of maps and indexes of lists. */
export type FieldPath = readonly (string | number)[]

const simple = /^[A-Za-z_][A-Za-z0-9_]+$/

/**
 * A path as kluctl writes it in results and as its regular expressions see it: `spec.ports[0].port`,
 * `metadata.labels["app.kubernetes.io/name"]`, `$["a"]` at the very start; the path of the object itself is empty.
 */
export function formatPath(path: FieldPath): string {
  let result = ''
  for (const key of path) {
    if (typeof key === 'number') result = `${result || '$'}[${key}]`
    else if (simple.test(key)) result = result === '' ? key : `${result}.${key}`
    else result = `${result || '$'}[${key.includes('"') ? `'${key}'` : `"${key}"`}]`
  }
  return result
}

/** Removes the value at a path, in place; a list closes the gap. Nothing happens when there is no such value. */
export function removePath(root: Json, path: FieldPath): void {
  let at: Json | undefined = root
  for (const key of path.slice(0, -1)) at = child(at, key)
  const last = path.at(-1)
  if (Array.isArray(at) && typeof last === 'number') {
    if (last < at.length) at.splice(last, 1)
  } else if (isObject(at) && last !== undefined) delete at[last]
}

/** Removes several values, in place, so that indexes of one do not shift by the removal of another. */
export function removePaths(root: Json, paths: readonly FieldPath[]): void {
  for (const path of [...paths].sort((a, b) => -comparePaths(a, b))) removePath(root, path)
}

/** The value at a key or index; undefined when there is none. */
export function child(value: Json | undefined, key: string | number): Json | undefined {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** Visits every value that is neither a map nor a list, with its path. */
export function* leaves(value: Json, path: FieldPath = []): Generator<[FieldPath, Json]> {
  if (Array.isArray(value)) for (const [index, inner] of value.entries()) yield* leaves(inner, [...path, index])
  else if (isObject(value)) for (const [key, inner] of Object.entries(value)) yield* leaves(inner, [...path, key])
  else yield [path, value]
}

/** Parents before children, lower indexes first. */
function comparePaths(a: FieldPath, b: FieldPath): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const [left, right] = [a[index], b[index]]
    if (left === right) continue
    if (typeof left === 'number' && typeof right === 'number') return left - right
    return String(left) < String(right) ? -1 : 1
  }
  return a.length - b.length
}
