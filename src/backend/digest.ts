import { createHash } from 'node:crypto'

/** SHA-256 (hex) of a JSON value; the order of keys does not count. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex')
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : Number(a > b))))
      : part,
  )
}

/**
 * Whether `part` is in `whole`: every key of its objects with an equal value, and lists of equal length. Null is as
 * good as absent: the API server drops it where a schema does not allow it.
 */
export function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && whole.length === part.length && part.every((item, i) => contains(whole[i], item))
  }
  if (typeof part === 'object' && part !== null) {
    if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return false
    return Object.entries(part).every(([key, value]) =>
      contains(Object.hasOwn(whole, key) ? Reflect.get(whole, key) : undefined, value),
    )
  }
  return Object.is(whole ?? undefined, part ?? undefined)
}
