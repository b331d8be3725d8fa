/** Keys that wait, by group; groups take turns, so that one with many keys does not hold up another. */
export class Turns {
  /** Groups in the order of their turns, each with its keys and when they were added. */
  readonly #waiting = new Map<string, Map<string, number>>()
  readonly #groups = new Map<string, string>()

  get size(): number {
    return this.#groups.size
  }

  has(key: string): boolean {
    return this.#groups.has(key)
  }

  /** Adds a key at the end of its group; `now` in milliseconds. */
  add(key: string, group: string, now: number): void {
    const keys = this.#waiting.get(group) ?? new Map<string, number>()
    keys.set(key, now)
    if (!this.#waiting.has(group)) this.#waiting.set(group, keys)
    this.#groups.set(key, group)
  }

  /** Takes a key out, wherever it is; whether it was there. */
  remove(key: string): boolean {
    const group = this.#groups.get(key)
    if (group === undefined) return false
    this.#groups.delete(key)
    const keys = this.#waiting.get(group)
    keys?.delete(key)
    if (keys?.size === 0) this.#waiting.delete(group)
    return true
  }

  /** The first key of the group whose turn it is, and since when it waited. */
  take(): { key: string; since: number } | undefined {
    const turn = this.#waiting.entries().next().value
    if (turn === undefined) return undefined
    const [group, keys] = turn
    const first = keys.entries().next().value
    this.#waiting.delete(group)
    if (first === undefined) return undefined
    const [key, since] = first
    keys.delete(key)
    if (keys.size > 0) this.#waiting.set(group, keys)
    this.#groups.delete(key)
    return { key, since }
  }

  clear(): void {
    this.#waiting.clear()
    this.#groups.clear()
  }
}
