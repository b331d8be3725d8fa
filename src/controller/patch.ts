/** A JSON merge patch (RFC 7386), or undefined when there is nothing to change. */
export type MergePatch = Record<string, unknown> | undefined

/**
 * The smallest merge patch that turns `before` into `after`; fields that are undefined in `after` are removed.
 * Lists are replaced whole, as merge patches do.
 */
export function mergePatch(before: object | undefined, after: object): MergePatch {
  const old = new Map<string, unknown>(Object.entries(before ?? {}))
  const wanted = new Map<string, unknown>(Object.entries(after))
  const changes = [...new Set([...old.keys(), ...wanted.keys()])].flatMap<[string, unknown]>(key => {
    const change = changeOf(old.get(key), wanted.get(key))
    return change === undefined ? [] : [[key, change]]
  })
  // Not by assignment: a field may be called `__proto__`.
  return changes.length === 0 ? undefined : Object.fromEntries(changes)
}

function changeOf(from: unknown, to: unknown): unknown {
  if (to === undefined) return from === undefined ? undefined : null
  if (isObject(from) && isObject(to)) return mergePatch(from, to)
  return sameJson(from, to) ? undefined : to
}

/** Whether two JSON values are equal; the order of keys does not count, an undefined field is an absent one. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]))
  }
  if (isObject(a) && isObject(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(key => sameJson(own(a, key), own(b, key)))
  }
  return Object.is(a, b)
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
