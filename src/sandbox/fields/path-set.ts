/**
 * A set of field paths as a tree. Path elements are written as in `fieldsV1`: `f:<name>` a field, `k:<keys>` a list item
 * by its keys, `v:<value>` a list item by its value.
 */
export class PathSet {
  /** Whether the path that leads here is in the set. */
  member = false
  readonly children = new Map<string, PathSet>()

  /** The child for an element; made if missing. */
  child(element: string): PathSet {
    let child = this.children.get(element)
    if (!child) {
      child = new PathSet()
      this.children.set(element, child)
    }
    return child
  }

  get isEmpty(): boolean {
    if (this.member) return false
    for (const child of this.children.values()) if (!child.isEmpty) return false
    return true
  }
}

/** The set as `fieldsV1`. */
export function toFieldsV1(set: PathSet): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  const elements = [...set.children].filter(([, child]) => !child.isEmpty).sort(([a], [b]) => (a < b ? -1 : 1))
  if (set.member && elements.length > 0) result['.'] = {}
  for (const [element, child] of elements) result[element] = toFieldsV1(child)
  return result
}

/** The set that `fieldsV1` describes. */
export function fromFieldsV1(fields: unknown, top = true): PathSet {
  const set = new PathSet()
  if (typeof fields !== 'object' || fields === null) return set
  const entries = Object.entries(fields)
  set.member = !top && entries.length === 0
  for (const [element, inner] of entries) {
    if (element === '.') set.member = true
    else set.children.set(element, fromFieldsV1(inner, false))
  }
  return set
}

/** Paths that are in either. */
export function union(a: PathSet, b: PathSet): PathSet {
  const result = new PathSet()
  result.member = a.member || b.member
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    result.children.set(element, other ? union(child, other) : child)
  }
  for (const [element, child] of b.children) if (!a.children.has(element)) result.children.set(element, child)
  return result
}

/** Paths that are in `a` but not in `b`. */
export function difference(a: PathSet, b: PathSet): PathSet {
  const result = new PathSet()
  result.member = a.member && !b.member
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    const rest = other ? difference(child, other) : child
    if (!rest.isEmpty) result.children.set(element, rest)
  }
  return result
}

/** Paths that are in both. */
export function intersection(a: PathSet, b: PathSet): PathSet {
  const result = new PathSet()
  result.member = a.member && b.member
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    const shared = other && intersection(child, other)
    if (shared && !shared.isEmpty) result.children.set(element, shared)
  }
  return result
}

/** `a` without the paths of `b` and everything below them. */
export function withoutTrees(a: PathSet, b: PathSet): PathSet {
  const result = new PathSet()
  if (b.member) return result
  result.member = a.member
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    const rest = other ? withoutTrees(child, other) : child
    if (!rest.isEmpty) result.children.set(element, rest)
  }
  return result
}

/** Whether both hold the same paths. */
export function equalSets(a: PathSet, b: PathSet): boolean {
  return difference(a, b).isEmpty && difference(b, a).isEmpty
}

/** Every path, written as the API server's conflict messages do: `.spec.containers[name="web"].image`. */
export function formatPaths(set: PathSet, prefix = ''): string[] {
  const result = set.member ? [prefix] : []
  const children = [...set.children].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [element, child] of children) result.push(...formatPaths(child, prefix + formatElement(element)))
  return result
}

function formatElement(element: string): string {
  const rest = element.slice(2)
  if (element.startsWith('f:')) return `.${rest}`
  if (element.startsWith('v:')) return `[=${rest}]`
  const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>)
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`
}
