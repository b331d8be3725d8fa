/** A JSON merge patch (RFC 7386), or undefined when there is nothing to change. */
export type MergePatch = Record<string, unknown> | undefined

/**
 * The smallest merge patch that turns `before` into `after`; fields that are undefined in `after` are removed.
 * Lists are replaced whole, as merge patches do.
 */
export function mergePatch(before: object | undefined, after: object): MergePatch {
  const patch: Record<string, unknown> = {}
  const old = (before ?? {}) as Record<string, unknown>
  const wanted = after as Record<string, unknown>
  for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
    const from = old[key]
    const to = wanted[key]
    if (to === undefined) {
      if (from !== undefined) patch[key] = null
    } else if (isObject(from) && isObject(to)) {
      const inner = mergePatch(from, to)
      if (inner !== undefined) patch[key] = inner
    } else if (!sameJson(from, to)) {
      patch[key] = to
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch
}

/** Whether two JSON values are equal; the order of keys does not count, an undefined field is an absent one. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]))
  }
  if (isObject(a) && isObject(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(key => sameJson(a[key], b[key]))
  }
  return Object.is(a, b)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
