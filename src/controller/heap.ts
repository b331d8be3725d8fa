/** What waits in a `DueHeap`: something, and when its time has come in milliseconds since the epoch. */
export interface Due<T> {
  readonly item: T
  readonly at: number
}

/** A binary heap, earliest first: push and pop in O(log n). */
export class DueHeap<T> {
  readonly #entries: Due<T>[] = []

  get size(): number {
    return this.#entries.length
  }

  /** The earliest entry, left in place. */
  peek(): Due<T> | undefined {
    return this.#entries[0]
  }

  clear(): void {
    this.#entries.length = 0
  }

  push(entry: Due<T>): void {
    const entries = this.#entries
    let at = entries.length
    entries.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = entries[parent]
      if (above === undefined || above.at <= entry.at) break
      entries[at] = above
      at = parent
    }
    entries[at] = entry
  }

  /** Takes the earliest entry out. */
  pop(): Due<T> | undefined {
    const first = this.#entries[0]
    const last = this.#entries.pop()
    if (first !== undefined && last !== undefined && this.#entries.length > 0) this.#sink(last)
    return first
  }

  #sink(entry: Due<T>): void {
    const entries = this.#entries
    let at = 0
    for (;;) {
      const left = entries[2 * at + 1]
      if (left === undefined) break
      const right = entries[2 * at + 2]
      const child = right !== undefined && right.at < left.at ? 2 * at + 2 : 2 * at + 1
      const below = child === 2 * at + 2 && right !== undefined ? right : left
      if (below.at >= entry.at) break
      entries[at] = below
      at = child
    }
    entries[at] = entry
  }
}
