import type { Status, StatusCause, StatusDetails } from '../kube/errors.ts'
import { OffshootError } from '../util/errors.ts'

/** What error details name: `pods` of group "", or a kind for errors about a body. */
export interface Subject {
  group: string
  plural: string
  kind: string
}

/** A request is refused; `status` is what the client gets. */
export class StatusError extends OffshootError {
  override readonly name = 'StatusError'
  readonly status: Status & { code: number }

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.status = { kind: 'Status', status: 'Failure', message, reason, code, ...(details ? { details } : {}) }
  }
}

function qualified({ group, plural }: Subject): string {
  return group === '' ? plural : `${plural}.${group}`
}

function detailsOf(subject: Subject, name: string, more: StatusDetails = {}): StatusDetails {
  const details: StatusDetails = { name, kind: subject.plural, ...more }
  if (subject.group !== '') details.group = subject.group
  return details
}

export function notFound(subject: Subject, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualified(subject)} "${name}" not found`, detailsOf(subject, name))
}

export function alreadyExists(subject: Subject, name: string): StatusError {
  const message = `${qualified(subject)} "${name}" already exists`
  return new StatusError(409, 'AlreadyExists', message, detailsOf(subject, name))
}

export function conflict(subject: Subject, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(subject)} "${name}": ${why}`
  return new StatusError(409, 'Conflict', message, detailsOf(subject, name))
}

/** The answer to an update of an object that has been changed since it was read. */
export function modified(subject: Subject, name: string): StatusError {
  const why = 'the object has been modified; please apply your changes to the latest version and try again'
  return conflict(subject, name, why)
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message)
}

export function forbidden(subject: Subject, name: string, why: string, causes?: StatusCause[]): StatusError {
  const message = `${qualified(subject)} "${name}" is forbidden: ${why}`
  return new StatusError(403, 'Forbidden', message, detailsOf(subject, name, causes ? { causes } : {}))
}

export function methodNotAllowed(what: string): StatusError {
  return new StatusError(405, 'MethodNotAllowed', what)
}

/** 410: a resourceVersion or continue token that history no longer reaches. */
export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message)
}

/** The path names nothing that is served. */
export function noSuchPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
}

/** One thing that is wrong with an object: `reason` as in `field.Error`. */
export interface FieldProblem {
  field: string
  reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTypeInvalid'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
  /** Such as `Required value` or `Invalid value: "x": must be lower case`. */
  message: string
}

/** The answer to an object that breaks rules: all of them at once. */
export function invalid(subject: Subject, name: string, problems: readonly FieldProblem[]): StatusError {
  const lines = problems.map(({ field, message }) => `${field}: ${message}`)
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  const kind = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`
  const details: StatusDetails = { name, kind: subject.kind, causes: problems.map(problem => ({ ...problem })) }
  if (subject.group !== '') details.group = subject.group
  return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${text}`, details)
}
