import { CommanderError } from 'commander'
import { KubeConnectionError, KubeError } from '../kube/errors.ts'
import { formatProblem, InvalidInputError, messageOf, OffshootError } from '../util/errors.ts'
import type { Io } from './io.ts'

/** Exit codes of every command; documented in docs/cli.md. */
export const exitCodes = {
  ok: 0,
  /** The command ran and failed; the message says why. */
  failure: 1,
  /** Unknown flag, missing argument, or an input file with mistakes. */
  usage: 2,
  /** What was waited for did not come in time. */
  timedOut: 3,
  /** The named object does not exist. */
  notFound: 4,
  /** Ended by SIGINT, as shells have it. */
  interrupted: 130,
} as const

/** A failure with an exit code of its own and, where there is one, what to do about it. */
export class CliError extends OffshootError {
  override readonly name = 'CliError'
  readonly exitCode: number
  readonly hint?: string

  constructor(message: string, exitCode: number = exitCodes.failure, hint?: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
    if (hint !== undefined) this.hint = hint
  }
}

/** Reports what a command threw on standard error, and gives the exit code. */
export function report(error: unknown, io: Io): number {
  if (io.signal.aborted) return exitCodes.interrupted
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof InvalidInputError) {
    for (const problem of error.problems) io.stderr.write(`${formatProblem(problem)}\n`)
    return exitCodes.usage
  }
  io.stderr.write(`error: ${messageOf(error)}\n`)
  const hint = hintFor(error)
  if (hint !== undefined) io.stderr.write(`hint: ${hint}\n`)
  return error instanceof CliError ? error.exitCode : exitCodes.failure
}

function hintFor(error: unknown): string | undefined {
  if (error instanceof CliError) return error.hint
  if (error instanceof KubeConnectionError) return 'is the cluster running, and is this the right --context?'
  if (!(error instanceof KubeError)) return undefined
  if (error.isKindMissing) return 'Offshoot is not installed in this cluster: offshoot install --apply'
  if (error.isUnauthorized) return 'the credentials of this context are not valid (any more)'
  if (error.isForbidden) return 'ask for the ClusterRole offshoot-viewer or offshoot-developer in this namespace'
  return undefined
}
