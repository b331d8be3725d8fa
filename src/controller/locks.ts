/** Runs what has the same key one after the other, in the order of the calls. */
export class KeyedLocks {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `work` when everything called before with this key has ended, however it ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const mine = before === undefined ? work() : before.then(work, work)
    // A failure belongs to the caller; whoever is next in line only waits for the end.
    const end = mine.then(
      () => undefined,
      () => undefined,
    )
    this.#last.set(key, end)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === end) this.#last.delete(key)
    }
  }
}
