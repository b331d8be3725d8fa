/** Readings up to this many nodes may nearly all come from aliases. */
const few = 400_000
/** From this many nodes on, aliases may only make up a tenth. */
const many = 4_000_000

/**
 * Tells documents that use aliases from those that multiply themselves with them, by the share that nodes read through
 * aliases have in all: the rule of Go's yaml, so that what kluctl reads is read, however large, and nothing else.
 */
export class AliasShare {
  #nodes = 0
  #aliased = 0

  /** Counts one more node that is read; true when the document is to be given up. */
  isTooMuch(throughAlias: boolean): boolean {
    this.#nodes++
    if (throughAlias) this.#aliased++
    return this.#aliased > 100 && this.#nodes > 1000 && this.#aliased / this.#nodes > allowed(this.#nodes)
  }
}

function allowed(nodes: number): number {
  if (nodes <= few) return 0.99
  if (nodes >= many) return 0.1
  return 0.99 - 0.89 * ((nodes - few) / (many - few))
}
