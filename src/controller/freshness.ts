/**
 * Remembers which change was fetched after what, so that a listing, whose facts are older by the time it is read to
 * its end, never overwrites what one event brought since.
 */
export class Freshness {
  #now = 0
  readonly #fetched = new Map<string, Map<string, number>>()

  /** Something about to be fetched will be newer than everything fetched before. */
  tick(): number {
    this.#now++
    return this.#now
  }

  /** One change is about to be fetched. */
  fetching(project: string, change: string): void {
    const changes = this.#fetched.get(project) ?? new Map<string, number>()
    this.#fetched.set(project, changes)
    changes.set(change, this.tick())
  }

  /** Whether the change was fetched by itself after `tick` gave this number. */
  isNewer(project: string, change: string, than: number): boolean {
    return (this.#fetched.get(project)?.get(change) ?? 0) > than
  }

  /** Forgets what is older than a listing that has been carried out. */
  forget(project: string, until: number): void {
    const changes = this.#fetched.get(project)
    if (changes === undefined) return
    for (const [change, at] of changes) if (at <= until) changes.delete(change)
    if (changes.size === 0) this.#fetched.delete(project)
  }
}
