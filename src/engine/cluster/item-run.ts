import type { Tracker } from '../host.ts'
import type { Manifest } from '../item.ts'
import type { ItemPlan } from '../plan/deploy-plan.ts'
import type { ObjectRef } from '../plan/types.ts'
import type { DeployRun } from './run.ts'
import { track } from './tracker.ts'

/** One item of a deployment while it is worked on: the run with the item's own progress and counts. */
export class ItemRun {
  readonly run: DeployRun
  readonly plan: ItemPlan
  readonly tracker: Tracker
  readonly #counts = { applied: 0, hooks: 0, deleted: 0, deletedHooks: 0, errors: 0, warnings: 0 }

  constructor(run: DeployRun, plan: ItemPlan) {
    this.run = run
    this.plan = plan
    // One part more than there are, so that it does not look done while it is still waited for readiness.
    const total = plan.objects.length + plan.hooksBefore.length + plan.hooksAfter.length + 1
    this.tracker = track(run.context.progress, plan.name, total)
  }

  /** Notes an error of an object (or of none). */
  fail(ref: ObjectRef, error: unknown): void {
    this.#counts.errors++
    this.run.context.problems.addError(ref, error)
    this.run.failed()
  }

  /** Notes a warning about an object; the API server's own as well. */
  warn(ref: ObjectRef, warning: string): void {
    this.#counts.warnings++
    this.run.context.problems.addWarning(ref, warning)
  }

  hadError(ref: ObjectRef): boolean {
    return this.run.context.problems.hadError(ref)
  }

  took(answer: Manifest, hook: boolean): void {
    this.#counts[hook ? 'hooks' : 'applied']++
    this.run.took(answer, hook)
  }

  deleted(ref: ObjectRef, hook: boolean): void {
    this.#counts[hook ? 'deletedHooks' : 'deleted']++
    // A hook's deletion is part of running it, not of what the deployment changes.
    if (!hook) this.run.deleted(ref)
  }

  /** Ends the item's progress with what was done. */
  end(): void {
    const { applied, hooks, deleted, deletedHooks, errors, warnings } = this.#counts
    const parts = [
      applied > 0 ? `Applied ${applied} objects.` : '',
      hooks > 0 ? `Applied ${hooks} hooks.` : '',
      deleted > 0 ? `Deleted ${deleted} objects.` : '',
      deletedHooks > 0 ? `Deleted ${deletedHooks} hooks.` : '',
      errors > 0 ? `Encountered ${errors} errors.` : '',
      warnings > 0 ? `Encountered ${warnings} warnings.` : '',
    ].filter(part => part !== '')
    const isDone = errors === 0 && !this.run.stopped
    this.tracker.end(isDone ? 'done' : 'failed', parts.length === 0 ? 'Nothing to apply.' : parts.join(' '))
  }
}
