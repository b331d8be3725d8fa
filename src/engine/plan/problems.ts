import { messageOf } from '../../util/errors.ts'
import { refKey } from './refs.ts'
import type { DeploymentError, ObjectRef } from './types.ts'

/**
 * Errors and warnings of a command, by object. The same message about the same object counts once, however often it
 * comes.
 */
export class Problems {
  readonly #errors = new Map<string, DeploymentError>()
  readonly #warnings = new Map<string, DeploymentError>()
  readonly #failed = new Set<string>()

  /** `error` is an Error or a message. */
  addError(ref: ObjectRef, error: unknown): void {
    this.#failed.add(refKey(ref))
    add(this.#errors, ref, error)
  }

  /** `warning` is an Error or a message. */
  addWarning(ref: ObjectRef, warning: unknown): void {
    add(this.#warnings, ref, warning)
  }

  hadError(ref: ObjectRef): boolean {
    return this.#failed.has(refKey(ref))
  }

  /** In the order they came. */
  get errors(): DeploymentError[] {
    return [...this.#errors.values()]
  }

  /** In the order they came. */
  get warnings(): DeploymentError[] {
    return [...this.#warnings.values()]
  }

  /** Another one with the same contents; what is added to one is not in the other. */
  clone(): Problems {
    const copy = new Problems()
    for (const { ref, message } of this.errors) copy.addError(ref, message)
    for (const { ref, message } of this.warnings) copy.addWarning(ref, message)
    return copy
  }
}

function add(into: Map<string, DeploymentError>, ref: ObjectRef, problem: unknown): void {
  const message = typeof problem === 'string' ? problem : messageOf(problem)
  into.set(`${refKey(ref)} ${message}`, { ref, message })
}
