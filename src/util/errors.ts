import { inspect } from 'node:util'

/** Base of every error Offshoot throws on purpose; `cause` keeps what led to it. */
export class OffshootError extends Error {
  override readonly name: string = 'OffshootError'
}

/**
 * A failure that a retry cannot mend until somebody changes an input (spec, template, project, permission).
 * A reconciler that catches one reports `Stalled` with `reason` and waits for a change.
 */
export class TerminalError extends OffshootError {
  override readonly name = 'TerminalError'
  readonly reason: string

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** One mistake in an input: where it is and what was expected there. */
export interface Problem {
  /** Where: a field path such as `spec.changes.pullRequests.paths[1]`. */
  path: string
  message: string
  /** File and position, when the input was a file. */
  file?: string
  line?: number
  column?: number
}

/** An input with one or more mistakes; all of them are reported at once. */
export class InvalidInputError extends TerminalError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super('Invalid', problems.map(formatProblem).join('\n'), options)
    this.problems = problems
  }
}

/** `file:line:column: path: message`, leaving out what is not known. */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter(part => part !== undefined).join(':')
  return [place, problem.path, problem.message].filter(part => part !== '').join(': ')
}

/** The message of anything thrown, with the messages of its causes (at most 10 deep). */
export function messageOf(error: unknown): string {
  const parts: string[] = []
  for (
    let at: unknown = error;
    at !== undefined && parts.length < 10;
    at = at instanceof Error ? at.cause : undefined
  ) {
    parts.push(at instanceof Error ? at.message : inspect(at, { depth: 1 }))
  }
  return parts.join(': ')
}
