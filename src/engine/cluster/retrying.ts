import { KubeError } from '../../kube/errors.ts'
import { ExchangeError } from '../../kube/exchange.ts'
import { jitter } from '../../kube/retry.ts'
import type { Clock } from '../../util/clock.ts'

/** Milliseconds for one piece of work with all its retries. */
export const retryDeadline = 30_000
/** The same after a 500 that gives no reason: most are mistakes of the request, such as a field that does not exist. */
const unexplainedDeadline = 1_000

const firstDelay = 100
const maxDelay = 5_000

/** Whether a field conflict is meant: another manager owns what was to be applied. */
export function isFieldConflict(error: unknown): boolean {
  return (
    error instanceof KubeError &&
    error.status === 409 &&
    error.details.causes?.some(cause => cause.reason === 'FieldManagerConflict') === true
  )
}

/** Whether the same request may succeed later: the server's trouble or a lost race, not the request's fault. */
export function isTransient(error: unknown): boolean {
  // What did not even leave was sent again by the transport, up to its own deadline.
  if (error instanceof ExchangeError) return error.sent
  if (!(error instanceof KubeError) || isFieldConflict(error)) return false
  return [409, 410, 429].includes(error.status) || error.status >= 500
}

/**
 * Sends requests again that failed in a way that may pass: lost connections and 5xx, on top of what the transport does
 * (429, Retry-After, what never left). Only for requests that do the same when they are sent twice. One instance serves
 * a whole run: a kind of failure that outlasted one deadline is not waited for again until it passes.
 */
export class Retrier {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #deadline: number
  readonly #lasting = new Set<string>()

  /** `deadline`: milliseconds for a piece of work with its retries. */
  constructor({ clock, random }: { clock: Clock; random: () => number }, deadline = retryDeadline) {
    this.#clock = clock
    this.#random = random
    this.#deadline = deadline
  }

  /** @throws the last attempt's error; the signal's reason when aborted */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const began = this.#clock.now()
    const met = new Set<string>()
    for (let tries = 0; ; tries++) {
      signal.throwIfAborted()
      try {
        const result = await work()
        for (const failure of met) this.#lasting.delete(failure)
        return result
      } catch (error) {
        const failure = describe(error)
        if (signal.aborted || !isTransient(error) || this.#lasting.has(failure)) throw error
        met.add(failure)
        const delay = jitter(Math.min(maxDelay, firstDelay * 2 ** tries), this.#random)
        if (this.#clock.now() + delay >= began + this.#patience(error)) {
          this.#lasting.add(failure)
          throw error
        }
        await this.#clock.sleep(delay, signal)
      }
    }
  }

  #patience(error: unknown): number {
    const isUnexplained = error instanceof KubeError && error.status === 500 && error.reason === 'HTTP500'
    return isUnexplained ? Math.min(unexplainedDeadline, this.#deadline) : this.#deadline
  }
}

/** A conflict as an answer: the same request would meet it again, so that no `Retrier` is to repeat it. @throws all else */
export async function conflictOr<T>(request: Promise<T>): Promise<T | KubeError> {
  try {
    return await request
  } catch (error) {
    if (error instanceof KubeError && error.isConflict) return error
    throw error
  }
}

/** What failures of one cause have in common. */
function describe(error: unknown): string {
  return error instanceof KubeError ? `${error.status} ${error.reason}` : 'no answer'
}
