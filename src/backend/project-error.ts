import { EngineError, MissingError, WorkerError } from '../engine/errors.ts'
import { GitError, type GitErrorKind } from '../git/index.ts'
import { messageOf, OffshootError, TerminalError } from '../util/errors.ts'
import { presentable } from './mask.ts'

/** A Kluctl project could not be reached or loaded for a reason that may pass; `reason` is for the condition. */
export class ProjectError extends OffshootError {
  override readonly name = 'ProjectError'
  readonly reason: string
  /** Passes by itself, such as a server that is away; else somebody has to do something, such as renew a Secret. */
  readonly transient: boolean

  constructor(reason: string, message: string, options: ErrorOptions & { transient: boolean }) {
    super(message, options)
    this.reason = reason
    this.transient = options.transient
  }
}

/** Most lines of a message that are shown, and characters of one. */
const maxLines = 10
const maxLine = 300

const reasons: Record<GitErrorKind, string> = {
  invalid: 'ProjectRefused',
  tooLarge: 'ProjectRefused',
  notFound: 'ProjectNotFound',
  unauthorized: 'ProjectForbidden',
  unsupported: 'ProjectUnavailable',
  malformed: 'ProjectUnavailable',
  unavailable: 'ProjectUnavailable',
}

/**
 * What went wrong with a project, for its environment's status: terminal if only an edit of the project mends it.
 * @param where names the project for people
 */
export function projectErrorOf(where: string, error: unknown): unknown {
  if (!(error instanceof GitError || error instanceof EngineError)) return error
  const message = `${presentable(where, maxLine)}: ${linesOf(messageOf(error))}`
  if (error instanceof GitError) {
    const reason = reasons[error.kind]
    if (reason === 'ProjectRefused') return new TerminalError(reason, message)
    return new ProjectError(reason, message, { transient: reason === 'ProjectUnavailable' })
  }
  if (error instanceof WorkerError) return new ProjectError('ProjectUnavailable', message, { transient: true })
  return new TerminalError(error instanceof MissingError ? 'TargetMissing' : 'ProjectInvalid', message)
}

function linesOf(message: string): string {
  const lines = message.split('\n').filter(line => line.trim() !== '')
  const more = lines.length > maxLines ? [`and ${lines.length - maxLines} more lines`] : []
  return [...lines.slice(0, maxLines).map(line => presentable(line, maxLine)), ...more].join('\n')
}
