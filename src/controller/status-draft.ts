import {
  apiVersion,
  type ConditionInput,
  type ConditionType,
  type EnvironmentTimes,
  finalizer,
  type ReviewEnvironment,
  type ReviewEnvironmentStatus,
  withCondition,
  withoutCondition,
} from '../api/index.ts'
import { KubeError } from '../kube/errors.ts'
import { timestamp } from '../util/clock.ts'
import { isAhead, storedStatus, withClaim, withStatusAhead } from './ahead.ts'
import type { ControllerContext } from './context.ts'
import { mergePatch, sameJson } from './patch.ts'

/** Fields that the environment reconciler owns; the others belong to the project's, admission's and feedback's. */
export type OwnStatus = Omit<ReviewEnvironmentStatus, 'change' | 'summary' | 'admission' | 'feedback'>

/** What may not have changed under a reconcile that wants to record something. */
const recorded = ['inventory', 'discriminators', 'observedRevision', 'namespace', 'backend'] as const

/**
 * The status of one environment during one reconcile. Facts gather here and are written once, by `save`, as a merge
 * patch of what differs; `record` writes at once what must be in place before a side effect.
 */
export class StatusDraft {
  readonly #context: ControllerContext
  readonly #now: string
  #environment: ReviewEnvironment
  #status: OwnStatus

  constructor(context: ControllerContext, environment: ReviewEnvironment) {
    this.#context = context
    this.#now = timestamp(context.clock.now())
    this.#environment = withClaim(environment)
    this.#status = { ...this.#environment.status }
  }

  /** The environment as the API server has it. */
  get environment(): ReviewEnvironment {
    return this.#environment
  }

  /** The status as it will be written. */
  get status(): Readonly<OwnStatus> {
    return this.#status
  }

  /** Sets fields; undefined removes one. */
  set(fields: { [K in keyof OwnStatus]?: OwnStatus[K] | undefined }): void {
    const status: Record<string, unknown> = { ...this.#status, ...fields }
    for (const [key, value] of Object.entries(fields)) if (value === undefined) delete status[key]
    this.#status = status
  }

  /** Notes the present time for a step. */
  stamp(step: keyof EnvironmentTimes): void {
    this.set({ times: { ...this.#status.times, [step]: this.#now } })
  }

  condition(condition: ConditionInput): void {
    const generation = this.#environment.metadata.generation
    const observed = generation === undefined ? {} : { observedGeneration: generation }
    const conditions = withCondition(this.#status.conditions ?? [], { ...condition, ...observed }, this.#now)
    this.set({ conditions })
  }

  dropCondition(type: ConditionType): void {
    this.set({ conditions: withoutCondition(this.#status.conditions ?? [], type) })
  }

  /** Writes what differs from what the API server has; nothing if nothing does. */
  async save(signal?: AbortSignal): Promise<void> {
    // Facts that are older than somebody's newer ones must not be written over them.
    if (isAhead(this.#environment)) return this.record({}, signal)
    const status = mergePatch(this.#environment.status, this.#status)
    if (status === undefined) return
    await this.#patch({ status }, 'status', signal)
  }

  /**
   * Writes facts, and all that has gathered, at once; resolves when the API server has them.
   * @throws KubeError (a conflict) when somebody else has changed what the reconcile builds on
   */
  async record(facts: { [K in keyof OwnStatus]?: OwnStatus[K] | undefined }, signal?: AbortSignal): Promise<void> {
    this.set(facts)
    for (let attempt = 0; ; attempt++) {
      const status = mergePatch(storedStatus(this.#environment), this.#status)
      if (status === undefined) return
      const { resourceVersion } = this.#environment.metadata
      try {
        await this.#patch({ metadata: { resourceVersion }, status }, 'status', signal)
        return
      } catch (error) {
        if (!(error instanceof KubeError && error.isConflict) || attempt >= 3) throw error
        await this.#refresh(error, signal)
      }
    }
  }

  /** Takes our finalizer off: the object may go. */
  async release(signal?: AbortSignal): Promise<void> {
    const { resourceVersion, finalizers = [] } = this.#environment.metadata
    const left = finalizers.filter(name => name !== finalizer)
    await this.#patch({ metadata: { resourceVersion, finalizers: left } }, undefined, signal)
  }

  /** Puts our finalizer on, before anything is made that would have to be removed. */
  async hold(signal?: AbortSignal): Promise<void> {
    const { resourceVersion, finalizers = [] } = this.#environment.metadata
    if (finalizers.includes(finalizer)) return
    await this.#patch({ metadata: { resourceVersion, finalizers: [...finalizers, finalizer] } }, undefined, signal)
  }

  /** After a conflict: goes on with the newest object if only what others own has changed, else gives up. */
  async #refresh(conflict: KubeError, signal?: AbortSignal): Promise<void> {
    const { uid, generation, deletionTimestamp } = this.#environment.metadata
    const options = signal === undefined ? {} : { signal }
    const found = await this.#context.kube.get<ReviewEnvironment>(this.#key(), options)
    if (found === undefined || found.metadata.uid !== uid) throw conflict
    const live = withClaim(found)
    if (live.metadata.generation !== generation || live.metadata.deletionTimestamp !== deletionTimestamp) throw conflict
    const before = this.#environment.status
    if (recorded.some(field => !sameJson(live.status?.[field], before?.[field]))) throw conflict
    // Facts that were not written yet stay, unless newer ones were.
    const facts = isAhead(this.#environment) && live.status?.change === undefined
    this.#take(facts ? withStatusAhead(live, { ...live.status, ...before }) : live)
  }

  async #patch(patch: Record<string, unknown>, subresource: string | undefined, signal?: AbortSignal): Promise<void> {
    const where = subresource === undefined ? {} : { subresource }
    const options = { type: 'merge', ...where, ...(signal === undefined ? {} : { signal }) } as const
    this.#take(await this.#context.kube.patch<ReviewEnvironment>(this.#key(), patch, options))
  }

  /** The newest object becomes what is compared with; what others own comes from it. */
  #take(object: ReviewEnvironment): void {
    const { change, summary, admission, feedback } = object.status ?? {}
    const others = { change, summary, admission, feedback }
    const mine: Record<string, unknown> = { ...this.#status, ...others }
    for (const [key, value] of Object.entries(others)) if (value === undefined) delete mine[key]
    this.#status = mine
    this.#environment = object
    this.#context.stores.environments.assume(object)
  }

  #key() {
    const { namespace, name } = this.#environment.metadata
    return { apiVersion, kind: 'ReviewEnvironment', namespace, name }
  }
}
