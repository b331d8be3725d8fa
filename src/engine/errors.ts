import { messageOf, OffshootError } from '../util/errors.ts'

/** A project cannot be loaded or rendered; the message says what, where and what was expected. */
export class EngineError extends OffshootError {
  override readonly name: string = 'EngineError'
}

/** A source, path or program that the policy of this run does not allow. */
export class RefusedError extends EngineError {
  override readonly name = 'RefusedError'
}

/** What was asked for does not exist: a target, a file, a ref. */
export class MissingError extends EngineError {
  override readonly name = 'MissingError'
}

/** A worker did not come to an end of its own: no fault that can be told of the project's, so it is worth a retry. */
export class WorkerError extends EngineError {
  override readonly name = 'WorkerError'
}

/** Several failures, all reported: `2 errors occurred:` and a bullet for each, as kluctl prints them. */
export class EngineErrors extends EngineError {
  override readonly name = 'EngineErrors'
  readonly errors: readonly unknown[]

  constructor(errors: readonly unknown[]) {
    const count = errors.length === 1 ? '1 error' : `${errors.length} errors`
    const bullets = errors.map(error => `\t* ${messageOf(error).trimEnd().replaceAll('\n', '\n\t  ')}`)
    super(`${count} occurred:\n${bullets.join('\n')}\n`)
    this.errors = errors
  }
}

/** Throws what was collected: nothing, the one error itself, or all of them as one. */
export function throwAll(errors: readonly unknown[]): void {
  if (errors.length === 0) return
  throw errors.length === 1 ? errors[0] : new EngineErrors(errors)
}

/** A project that includes itself for ever; it names the chain itself, so nothing is put in front of it. */
export class IncludeCycleError extends EngineError {
  override readonly name = 'IncludeCycleError'
}

/**
 * The same error with what was being done in front: `context: message`. It becomes one message, as chains of causes
 * are cut when they are told, and includes nest deeper than that.
 */
export function within(context: string, error: unknown): EngineError {
  return error instanceof IncludeCycleError ? error : new EngineError(`${context}: ${messageOf(error)}`)
}
