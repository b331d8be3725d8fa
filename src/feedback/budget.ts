import type { Clock } from '../util/clock.ts'

/** At most `count` in any span of `milliseconds`. */
export interface Limit {
  count: number
  milliseconds: number
}

/**
 * GitHub's secondary limits for requests that create content.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
export const githubContentLimits: readonly Limit[] = [
  { count: 80, milliseconds: 60_000 },
  { count: 500, milliseconds: 3_600_000 },
]

/** Counts what was sent per credential, so that no limit is overstepped. Nothing ever waits in here. */
export class Budget {
  readonly #clock: Clock
  readonly #limits: readonly Limit[]
  readonly #sent = new Map<string, number[]>()
  readonly #blockedUntil = new Map<string, number>()

  constructor(clock: Clock, limits: readonly Limit[] = githubContentLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** 0 and counted, if one more may be sent now; otherwise the milliseconds to wait, and nothing is counted. */
  take(credential: string): number {
    const now = this.#clock.now()
    const times = this.#recent(credential, now)
    let wait = Math.max(0, (this.#blockedUntil.get(credential) ?? 0) - now)
    for (const { count, milliseconds } of this.#limits) {
      const oldest = times[times.length - count]
      if (oldest !== undefined) wait = Math.max(wait, oldest + milliseconds - now)
    }
    if (wait > 0) return wait
    times.push(now)
    this.#sent.set(credential, times)
    return 0
  }

  /** Takes back what `take` counted last, because nothing was sent after all. */
  giveBack(credential: string): void {
    this.#sent.get(credential)?.pop()
  }

  /** Sends nothing for a while: the forge said so. */
  block(credential: string, milliseconds: number): void {
    this.#blockedUntil.set(credential, this.#clock.now() + milliseconds)
  }

  #recent(credential: string, now: number): number[] {
    const longest = Math.max(...this.#limits.map(({ milliseconds }) => milliseconds))
    return (this.#sent.get(credential) ?? []).filter(time => time > now - longest)
  }
}
