import type { Stored } from './store.ts'

/** One change of one object. */
export interface Change {
  revision: number
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  current: Stored
  /** Absent for ADDED. */
  previous: Stored | undefined
}

/** The latest changes of one kind, oldest first. */
export class History {
  readonly #limit: number
  #changes: Change[] = []
  #forgotten = 0

  /** @param limit changes that are kept at least; twice as many at most */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The newest revision that has been forgotten: what happened after it is known. */
  get horizon(): number {
    return this.#forgotten
  }

  push(change: Change): void {
    this.#changes.push(change)
    if (this.#changes.length > this.#limit * 2) this.forget(this.#changes.length - this.#limit)
  }

  /** Begins anew: nothing is known of what was before `revision`. */
  begin(revision: number): void {
    this.#changes = []
    this.#forgotten = revision
  }

  /** Forgets the oldest changes. */
  forget(count: number): void {
    const last = this.#changes[count - 1]
    if (!last) return
    this.#forgotten = last.revision
    this.#changes = this.#changes.slice(count)
  }

  /** Changes after a revision, oldest first; undefined when some of them are forgotten. */
  after(revision: number): readonly Change[] | undefined {
    if (revision < this.#forgotten) return undefined
    let low = 0
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#changes[middle]?.revision ?? 0) > revision) high = middle
      else low = middle + 1
    }
    return this.#changes.slice(low)
  }
}
