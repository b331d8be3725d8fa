import { KubeError } from '../kube/errors.ts'
import { formatKey, type ObjectKey } from '../kube/types.ts'
import { messageOf, OffshootError, TerminalError } from '../util/errors.ts'
import { presentable } from './mask.ts'

/** One object that could not be brought to its wanted state. */
export interface Refusal {
  object: ObjectKey
  reason: 'Conflict' | 'Forbidden' | 'Invalid' | 'NotOurs' | 'KindNotFound' | 'Unavailable'
  message: string
}

/** Reasons that only an edit of the project (or of the object in the way) can mend. */
const terminal: ReadonlySet<Refusal['reason']> = new Set(['Conflict', 'Invalid', 'NotOurs'])

/** Most refusals that a message names. */
const maxNamed = 5

/** Some objects were refused for reasons that may pass: a permission, a missing kind, an unreachable server. */
export class ApplyError extends OffshootError {
  override readonly name = 'ApplyError'
  readonly reason: string
  readonly refusals: readonly Refusal[]

  constructor(reason: string, message: string, refusals: readonly Refusal[]) {
    super(message)
    this.reason = reason
    this.refusals = refusals
  }
}

/** What went wrong with one object. @throws what is no answer of the API server */
export function refusalOf(object: ObjectKey, error: unknown): Refusal {
  if (!(error instanceof KubeError)) throw error
  const message = presentable(messageOf(error))
  if (error.isKindMissing) return { object, reason: 'KindNotFound', message }
  if (error.isForbidden && !error.isNamespaceTerminating) return { object, reason: 'Forbidden', message }
  if (error.isInvalid || isUnknownField(error)) return { object, reason: 'Invalid', message }
  const owned = fieldConflicts(error)
  if (owned !== undefined) return { object, reason: 'Conflict', message: owned }
  return { object, reason: 'Unavailable', message }
}

/** For a field that the kind does not have, server-side apply answers 500, and only its text tells (Kubernetes 1.36). */
function isUnknownField(error: KubeError): boolean {
  return error.status === 500 && /: field not declared in schema$/m.test(error.message)
}

/** `.spec.replicas is owned by "kubectl"; …` for a conflict of field managers, undefined for any other error. */
function fieldConflicts(error: KubeError): string | undefined {
  const causes = error.details.causes?.filter(cause => cause.reason === 'FieldManagerConflict') ?? []
  if (error.status !== 409 || causes.length === 0) return undefined
  return causes
    .slice(0, maxNamed)
    .map(({ field, message = '' }) => {
      const owner = /conflict with (".*?")/.exec(message)?.[1] ?? message
      return presentable(`${field} is owned by ${owner}`, 256)
    })
    .join('; ')
}

/**
 * Reports all refusals at once.
 * @throws TerminalError when no retry can mend any of them, ApplyError when one may
 */
export function throwRefusals(refusals: readonly Refusal[]): void {
  const first = refusals[0]
  if (first === undefined) return
  const more = refusals.length > maxNamed ? [`and ${refusals.length - maxNamed} more`] : []
  const named = refusals.slice(0, maxNamed).map(({ object, message }) => `${formatKey(object)}: ${message}`)
  const message = [...named, ...more].join('\n')
  const reason = refusals.length === 1 ? first.reason : 'ObjectsRefused'
  if (refusals.every(refusal => terminal.has(refusal.reason))) throw new TerminalError(reason, message)
  throw new ApplyError(reason, message, refusals)
}
