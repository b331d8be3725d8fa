import type { Clock } from '../../util/clock.ts'
import { ForgeError } from '../errors.ts'

type Headers = Record<string, string | number | undefined>

/** GitHub's limits allow at least this much an hour; a longer wait is a wrong clock. Milliseconds. */
const longestWait = 3_660_000
/** What GitHub asks for when it names no time. Milliseconds. */
const secondaryWait = 60_000

/**
 * What GitHub said about its limits, for one credential. While a limit lasts, requests fail at once with the time to
 * wait: going on would prolong a secondary limit, and a worker that sleeps is lost to other projects.
 * Source: GitHub, "Rate limits for the REST API" and "Best practices for using the REST API".
 */
export class RateLimit {
  readonly #clock: Clock
  #until = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws ForgeError `rateLimited` while a limit lasts. */
  check(): void {
    const wait = this.#until - this.#clock.now()
    if (wait > 0) throw limited(wait)
  }

  /** Learns from an answer; gives the error if it was refused because of a limit. */
  learn(status: number, headers: Headers, message: string): ForgeError | undefined {
    const exhausted = headers['x-ratelimit-remaining'] !== undefined && Number(headers['x-ratelimit-remaining']) === 0
    const refused =
      status === 429 ||
      (status === 403 && (exhausted || headers['retry-after'] !== undefined || /secondary rate limit/i.test(message)))
    if (!refused && !exhausted) return undefined
    const wait = retryAfter(headers, this.#clock.now()) ?? (exhausted ? untilReset(headers) : undefined)
    if (!refused && wait === undefined) return undefined
    const bounded = Math.min(longestWait, Math.max(1000, wait ?? secondaryWait))
    this.#until = Math.max(this.#until, this.#clock.now() + bounded)
    return refused ? limited(bounded, status) : undefined
  }
}

/** Milliseconds that a `retry-after` header asks for: seconds, or a date. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers['retry-after']
  if (value === undefined) return undefined
  const seconds = Number(value)
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(String(value)) - now
  return Number.isFinite(wait) ? Math.min(longestWait, Math.max(0, wait)) : undefined
}

/** By the answer's own date, so that a wrong clock here does no harm. */
function untilReset(headers: Headers): number | undefined {
  const wait = Number(headers['x-ratelimit-reset']) * 1000 - Date.parse(String(headers.date))
  return Number.isFinite(wait) ? wait : undefined
}

function limited(wait: number, status?: number): ForgeError {
  const seconds = Math.ceil(wait / 1000)
  return new ForgeError('rateLimited', `GitHub's rate limit is used up; it asks to wait for ${seconds} s`, {
    retryAfter: wait,
    ...(status === undefined ? {} : { status }),
  })
}
