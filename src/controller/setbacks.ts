import { ForgeError } from '../forge/errors.ts'
import { KubeConnectionError, KubeError } from '../kube/errors.ts'
import { messageOf, OffshootError, TerminalError } from '../util/errors.ts'
import { waitAskedBy } from './workers.ts'

/** Some changes of a listing could not be handled; all others were. */
export class ChangesFailed extends OffshootError {
  override readonly name = 'ChangesFailed'
  readonly reason = 'ChangesFailed'
  /** Milliseconds that one of the failures asks to wait; 0 if none does. */
  readonly retryAfter: number
  /** Whether trying again may help before anybody changes anything. */
  readonly transient: boolean

  constructor(failures: ReadonlyMap<string, unknown>) {
    const named = [...failures].slice(0, maxNamed).map(([change, error]) => `${change}: ${short(messageOf(error))}`)
    const more = failures.size > maxNamed ? [`and ${failures.size - maxNamed} more`] : []
    super(`changes that could not be handled, as all others were: ${[...named, ...more].join('; ')}`)
    this.retryAfter = Math.max(...[...failures.values()].map(waitAskedBy))
    this.transient = [...failures.values()].some(error => !isLasting(error))
  }
}

/** Most changes that a message names, and most characters for each. */
const maxNamed = 5
const maxMessage = 160

/** After so many changes without an answer it is the forge or the cluster that is away. */
const maxOutages = 2

/**
 * Keeps what goes wrong with one change away from the others of its listing: whoever may name a branch, open a pull
 * request or make a ReviewEnvironment must not be able to stop a project's listings.
 */
export class Setbacks {
  readonly #signal: AbortSignal
  readonly #failures = new Map<string, unknown>()
  #outages = 0

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** Does the work for one change; notes its failure and gives undefined. @throws what concerns every change */
  async attempt<T>(change: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#signal.throwIfAborted()
      if (concernsAll(error)) throw error
      if (isOutage(error) && ++this.#outages > maxOutages) throw error
      if (!this.#failures.has(change)) this.#failures.set(change, error)
      return undefined
    }
  }

  /** Whether something went wrong with this change. */
  has(change: string): boolean {
    return this.#failures.has(change)
  }

  /** Everything that went wrong; undefined if nothing did. */
  get failure(): ChangesFailed | undefined {
    return this.#failures.size === 0 ? undefined : new ChangesFailed(this.#failures)
  }
}

function concernsAll(error: unknown): boolean {
  if (error instanceof KubeConnectionError) return true
  return error instanceof ForgeError && ['unauthorized', 'forbidden', 'rateLimited', 'moved'].includes(error.kind)
}

/** May be one change's (a diff that the forge cannot make) as well as everybody's. */
function isOutage(error: unknown): boolean {
  if (error instanceof KubeError) return error.status >= 500 || error.status === 429
  return error instanceof ForgeError && error.kind === 'unavailable'
}

function isLasting(error: unknown): boolean {
  return error instanceof TerminalError || (error instanceof ForgeError && error.kind === 'invalid')
}

function short(message: string): string {
  return message.length > maxMessage ? `${message.slice(0, maxMessage - 1)}…` : message
}
