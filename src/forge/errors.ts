import { OffshootError } from '../util/errors.ts'

/**
 * Why a forge gave no usable answer. None of these says anything about whether a change exists.
 * - `unauthorized` 401, the token is wrong or expired; `forbidden` 403, it may not do this;
 * - `notFound` 404 or 410, missing or hidden from this token; `moved` 301, 302, 307 or 308, the repository was renamed;
 * - `rateLimited` 429, or 403 with a limit's headers: `retryAfter` says when;
 * - `unavailable` 5xx, a lost connection or a deadline; `malformed` an answer that is not what the API documents;
 * - `tooLarge` an answer over its cap; `invalid` 400, 409 or 422, the forge refuses what was sent;
 * - `unsupported` this type of forge cannot do it.
 */
export type ForgeErrorKind =
  | 'unauthorized'
  | 'forbidden'
  | 'notFound'
  | 'moved'
  | 'rateLimited'
  | 'unavailable'
  | 'malformed'
  | 'tooLarge'
  | 'invalid'
  | 'unsupported'

/** A forge did not answer, or its answer cannot be used. Callers branch on `kind`, never on the message. */
export class ForgeError extends OffshootError {
  override readonly name = 'ForgeError'
  readonly kind: ForgeErrorKind
  /** HTTP status, when there was an answer. */
  readonly status?: number
  /** Milliseconds to wait before the next request, when the forge said so. */
  readonly retryAfter?: number

  constructor(
    kind: ForgeErrorKind,
    message: string,
    options: ErrorOptions & { status?: number; retryAfter?: number } = {},
  ) {
    super(message, options)
    this.kind = kind
    if (options.status !== undefined) this.status = options.status
    if (options.retryAfter !== undefined) this.retryAfter = options.retryAfter
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get transient(): boolean {
    return this.kind === 'rateLimited' || this.kind === 'unavailable' || this.kind === 'malformed'
  }
}

/** A delivery that is not believed, or cannot be read. Nothing of its body was acted on. */
export class WebhookRejected extends OffshootError {
  override readonly name = 'WebhookRejected'
  /** 400 unreadable, 401 no valid signature, 413 body over the cap, 415 not JSON. */
  readonly status: 400 | 401 | 413 | 415

  constructor(status: 400 | 401 | 413 | 415, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}
