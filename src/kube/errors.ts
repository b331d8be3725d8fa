import { OffshootError } from '../util/errors.ts'

/** One cause inside `Status.details`: which field, and what is wrong with it. */
export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

/** `metav1.StatusDetails`. */
export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

/** `metav1.Status`: how the API server says that a request failed. */
export interface Status {
  kind: 'Status'
  status?: string
  message?: string
  reason?: string
  code?: number
  details?: StatusDetails
}

/** The API server refused a request. `status` is the HTTP status, `reason` the `metav1.StatusReason`. */
export class KubeError extends OffshootError {
  override readonly name = 'KubeError'
  readonly status: number
  readonly reason: string
  readonly details: StatusDetails

  constructor(status: number, reason: string, message: string, details: StatusDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.status = status
    this.reason = reason
    this.details = details
  }

  /** A write lost against another one (resourceVersion, field manager), or a precondition did not hold. */
  get isConflict(): boolean {
    return this.status === 409 && this.reason !== 'AlreadyExists'
  }

  get isAlreadyExists(): boolean {
    return this.reason === 'AlreadyExists'
  }

  get isNotFound(): boolean {
    return this.status === 404
  }

  /** The kind itself is unknown to the server, as opposed to one object of it. */
  get isKindMissing(): boolean {
    return this.status === 404 && (this.reason === 'KindNotFound' || this.details.name === undefined)
  }

  get isForbidden(): boolean {
    return this.status === 403
  }

  get isUnauthorized(): boolean {
    return this.status === 401
  }

  /** The object was refused by its schema or by validation. */
  get isInvalid(): boolean {
    return this.status === 422 || this.status === 400
  }

  /** The resourceVersion or continue token is too old: list again. */
  get isExpired(): boolean {
    return this.status === 410
  }

  /** A create into a namespace that is going away. */
  get isNamespaceTerminating(): boolean {
    return this.details.causes?.some(cause => cause.reason === 'NamespaceTerminating') ?? false
  }
}

/** No usable answer came: connection, TLS, deadline, oversize or malformed body. Worth a retry. */
export class KubeConnectionError extends OffshootError {
  override readonly name = 'KubeConnectionError'
}

/** The error of an answer with `status` and the given body, which need not be a `Status`. */
export function errorFromBody(status: number, body: string, request: string): KubeError {
  const parsed = parseStatus(body)
  if (parsed) return errorFromStatus(parsed, status, request)
  const text = body.trim().slice(0, 500)
  return new KubeError(status, `HTTP${status}`, `${request}: HTTP ${status}${text === '' ? '' : `: ${text}`}`)
}

/** The error of a `Status` object, as answers and watch events of type ERROR carry it. */
export function errorFromStatus(status: Status, httpStatus: number, request: string): KubeError {
  const code = status.code ?? httpStatus
  const message = status.message ?? `${request}: HTTP ${code}`
  return new KubeError(code, status.reason ?? `HTTP${code}`, message, status.details ?? {})
}

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status') {
      return value as Status
    }
  } catch {
    // A proxy's or a broken server's body: its text is reported as it is.
  }
  return undefined
}
