import type { Clock } from '../util/clock.ts'
import { KubeError } from './errors.ts'
import { ExchangeError } from './exchange.ts'
import type { TransportRequest } from './transport.ts'

/** Time and chance of retries; `random` gives numbers in [0, 1). */
export interface RetryOptions {
  clock: Clock
  random: () => number
}

const firstDelay = 100
const maxDelay = 5_000

/** Codes of Node.js, OpenSSL and undici for what no retry mends: untrusted certificates and malformed requests. */
const hopeless =
  /^(ERR_TLS|ERR_SSL|ERR_INVALID|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|UND_ERR_(INVALID_ARG|CLOSED|DESTROYED))/

/**
 * Runs `attempt` until it succeeds, fails for good, or `timeout` ms are over. Sent again are: requests that the server
 * put off (429, or 5xx with Retry-After: it did not act on them), requests that never left, and reads cut short.
 * The error thrown in the end is that of the last attempt.
 */
export async function withRetries<T>(
  request: Pick<TransportRequest, 'method' | 'signal'>,
  timeout: number,
  options: RetryOptions,
  attempt: (remaining: number) => Promise<T>,
): Promise<T> {
  const deadline = options.clock.now() + timeout
  for (let tries = 0; ; tries++) {
    const remaining = deadline - options.clock.now()
    try {
      return await attempt(Math.max(1, remaining))
    } catch (error) {
      const delay = retryDelay(error, request.method, tries, options.random)
      if (delay === undefined || options.clock.now() + delay >= deadline) throw error
      await options.clock.sleep(delay, request.signal ?? undefined)
    }
  }
}

/** Milliseconds to wait before the next attempt; undefined when there must be none. */
function retryDelay(error: unknown, method: string, tries: number, random: () => number): number | undefined {
  const backoff = jitter(Math.min(maxDelay, firstDelay * 2 ** tries), random)
  if (error instanceof KubeError) {
    const after = error.details.retryAfterSeconds
    if (error.status !== 429 && !(error.status >= 500 && after !== undefined)) return undefined
    return after === undefined ? backoff : Math.max(after * 1000, backoff)
  }
  if (error instanceof ExchangeError && !hopeless.test(codeOf(error.cause))) {
    return !error.sent || method === 'GET' ? backoff : undefined
  }
  return undefined
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

/** Between half of `milliseconds` and all of it, so that many clients do not come back together. */
export function jitter(milliseconds: number, random: () => number): number {
  return milliseconds * (0.5 + random() / 2)
}
