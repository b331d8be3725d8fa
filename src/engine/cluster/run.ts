import type { Manifest } from '../item.ts'
import type { DeployPlan } from '../plan/deploy-plan.ts'
import { refKey, refOf } from '../plan/refs.ts'
import type { ObjectRef, RemoteView } from '../plan/types.ts'
import { Retrier } from './retrying.ts'
import { StatusRequirements } from './status-requirement.ts'
import type { ClusterContext, DeployOptions, DeployResult } from './types.ts'

/** A deployment while it is carried out: what all its items share. */
export class DeployRun {
  readonly context: ClusterContext
  readonly options: DeployOptions
  readonly plan: DeployPlan
  readonly remote: RemoteView
  readonly retrier: Retrier
  readonly requirements: StatusRequirements
  readonly #applied = new Map<string, Manifest>()
  readonly #hooks = new Set<string>()
  readonly #created = new Map<string, ObjectRef>()
  readonly #deleted = new Map<string, ObjectRef>()
  readonly #namespaces = new Map<string, Promise<boolean>>()
  #aborted = false

  constructor(context: ClusterContext, plan: DeployPlan, remote: RemoteView, options: DeployOptions) {
    this.context = context
    this.plan = plan
    this.remote = remote
    this.options = options
    this.retrier = new Retrier(context)
    this.requirements = new StatusRequirements(context)
  }

  get dryRun(): boolean {
    return this.options.dryRun === true
  }

  /** Whether nothing new is to be begun. */
  get stopped(): boolean {
    return this.#aborted || this.context.signal.aborted
  }

  /** Sends requests that do the same when they are sent twice; see {@link Retrier}. */
  send<T>(work: () => Promise<T>): Promise<T> {
    return this.retrier.run(work, this.context.signal)
  }

  /** Notes what the server answered for an object, or would have. */
  took(answer: Manifest, hook: boolean): void {
    const ref = refOf(answer)
    const key = refKey(ref)
    this.#applied.set(key, answer)
    if (hook) this.#hooks.add(key)
    else if (this.remote.get(ref) === undefined) this.#created.set(key, ref)
  }

  /** Whether an object was applied in this run, or would have been. */
  hasTaken(ref: ObjectRef): boolean {
    return this.#applied.has(refKey(ref))
  }

  deleted(ref: ObjectRef): void {
    this.#deleted.set(refKey(ref), ref)
  }

  /** Notes that something failed. */
  failed(): void {
    if (this.options.abortOnError === true) this.#aborted = true
  }

  /** Whether a namespace is there; one that may not be asked for counts as there. */
  hasNamespace(name: string): Promise<boolean> {
    const known = this.#namespaces.get(name)
    if (known !== undefined) return known
    const { kube, signal } = this.context
    const key = { apiVersion: 'v1', kind: 'Namespace', name }
    const asked = this.send(() => kube.getMetadata(key, { signal })).then(
      found => found !== undefined,
      () => true,
    )
    this.#namespaces.set(name, asked)
    return asked
  }

  get result(): DeployResult {
    return {
      applied: this.#applied,
      hooks: this.#hooks,
      created: [...this.#created.values()],
      deleted: [...this.#deleted.values()],
    }
  }
}
