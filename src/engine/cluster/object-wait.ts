import type { KubeObject } from '../../kube/types.ts'
import type { Tracker } from '../host.ts'
import type { Manifest } from '../item.ts'
import { formatRef } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import { follow } from './follow.ts'
import { judgeObject } from './readiness.ts'
import { reminding } from './reminding.ts'
import type { DeployRun } from './run.ts'

/** Milliseconds between lines that say what is still waited for. */
const reminderInterval = 5_000
/** Milliseconds between looks at the clock, for what time alone makes ready. */
const tick = 500

/** Who waits, and hears of what is found out. */
export interface Waiter {
  readonly run: Pick<DeployRun, 'context' | 'requirements'>
  readonly tracker: Tracker
  fail(ref: ObjectRef, error: unknown): void
  warn(ref: ObjectRef, warning: string): void
}

/** The wait for one object's readiness, from the first look at it. */
export class ObjectWait {
  readonly #item: Waiter
  readonly #ref: ObjectRef
  readonly #hook: boolean
  readonly #began: number
  readonly #settled = new AbortController()
  #outcome: 'ready' | 'failed' | undefined
  /** Why it is not ready. */
  #reasons: readonly string[] = []
  #readyAt: number | undefined
  /** When people were told last that it is waited for. */
  #told: number | undefined

  constructor(item: Waiter, ref: ObjectRef, hook: boolean) {
    this.#item = item
    this.#ref = ref
    this.#hook = hook
    this.#began = item.run.context.clock.now()
  }

  /** Whether the object got ready before `timeUp`. Problems are noted, never thrown. */
  async run(timeUp: AbortSignal): Promise<boolean> {
    const { context } = this.#item.run
    const until = AbortSignal.any([context.signal, timeUp, this.#settled.signal])
    try {
      await reminding(
        context.clock,
        tick,
        () => this.#tick(),
        () => follow(context, this.#ref, object => this.#look(object), until),
      )
    } catch (error) {
      if (this.#outcome === undefined) this.#giveUp(error, timeUp)
    }
    if (this.#outcome === 'failed')
      context.progress.warn(`Cancelled waiting for ${this.#name} due to errors ${this.#elapsed}`)
    else if (this.#outcome === 'ready' && this.#told !== undefined) {
      this.#item.tracker.line(`Finished waiting for ${this.#name} ${this.#elapsed}`)
    }
    return this.#outcome === 'ready'
  }

  get #name(): string {
    return formatRef(this.#ref)
  }

  get #now(): number {
    return this.#item.run.context.clock.now()
  }

  get #elapsed(): string {
    return `(${Math.floor((this.#now - this.#began) / 1000)}s elapsed)`
  }

  async #look(object: KubeObject | undefined): Promise<boolean> {
    if (object === undefined) {
      this.#readyAt = undefined
      this.#reasons = ['it does not exist']
      this.#item.tracker.update(`Waiting for ${this.#name} to appear...`)
    } else {
      await this.#judge(object as unknown as Manifest)
    }
    if (this.#outcome !== undefined) return true
    if (this.#told === undefined) this.#tell(`Waiting for ${this.#name} to get ready...`)
    return false
  }

  async #judge(object: Manifest): Promise<void> {
    const { run, tracker } = this.#item
    const purpose = { waiting: true, hook: this.#hook }
    const { judgement, readyAt } = await judgeObject(run.requirements, run.context.clock, object, purpose)
    this.#reasons = judgement.reasons
    this.#readyAt = readyAt
    if (judgement.errors.length === 0 && !judgement.ready) {
      tracker.update(`Waiting for ${this.#name} to get ready...`)
      return
    }
    for (const error of judgement.errors) this.#item.fail(this.#ref, error)
    for (const warning of judgement.warnings) this.#item.warn(this.#ref, warning)
    this.#outcome = judgement.ready ? 'ready' : 'failed'
  }

  #tick(): void {
    if (this.#readyAt !== undefined && this.#now >= this.#readyAt) {
      this.#outcome = 'ready'
      this.#settled.abort()
    } else if (this.#now - (this.#told ?? this.#began) >= reminderInterval) {
      this.#tell(`Still waiting for ${this.#name} to get ready...`)
    }
  }

  #tell(what: string): void {
    this.#told = this.#now
    this.#item.tracker.line(`${what} ${this.#elapsed}`)
  }

  #giveUp(error: unknown, timeUp: AbortSignal): void {
    const { context } = this.#item.run
    const why = this.#reasons.length === 0 ? '' : `: ${this.#reasons.join('; ')}`
    const ending = context.signal.aborted ? 'context cancelled' : timeUp.aborted ? 'timed out' : undefined
    if (ending === undefined) {
      this.#item.fail(this.#ref, error)
      return
    }
    const failure = `${ending} while waiting for readiness of ${this.#name}${why}`
    context.progress.warn(`${failure} ${this.#elapsed}`)
    this.#item.fail(this.#ref, failure)
  }
}
