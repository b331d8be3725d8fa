import { messageOf } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'
import { reconcileAdmission } from './admission.ts'
import { reconcileChange } from './change.ts'
import type { ControllerContext } from './context.ts'
import { reconcileCredential } from './credential.ts'
import { reconcileEnvironment } from './environment.ts'
import { reconcileFeedback } from './feedback.ts'
import { watchCluster } from './handlers.ts'
import type { Work } from './keys.ts'
import { reconcileListing } from './listing.ts'
import { reconcileProject } from './project.ts'
import type { Queues } from './queues.ts'
import { WebhookRepair } from './repair.ts'
import { Sweeper } from './sweeper.ts'
import type { Outcome } from './workers.ts'

/** How long work that was cut off may take to notice, in milliseconds. */
const abortTime = 5_000

/**
 * One term of leadership. It begins with a look at everything there is and a listing of every project, so that nothing
 * that happened before it is missed; when it ends, all work has stopped.
 */
export class Term {
  readonly #context: ControllerContext
  readonly #queues: Queues
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #unwatch: () => void
  readonly #running: Promise<unknown>
  #closing = false
  #failure: string | undefined

  constructor(context: ControllerContext, queues: Queues) {
    this.#context = context
    this.#queues = queues
    this.#log = context.log
    const { signal } = this.#stop
    this.#running = Promise.all([
      queues.run((work, inner) => reconcile(context, work, inner), signal),
      new Sweeper(context).run(signal),
      ...(context.repair === undefined ? [] : [new WebhookRepair(context, context.repair).run(signal)]),
    ])
    this.#running.catch(error => {
      this.#failure = messageOf(error)
      this.#log.error({ error: this.#failure }, 'the workers have stopped')
    })
    this.#unwatch = watchCluster(context)
  }

  /** Why nothing is worked on any more; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Whether it takes work. */
  get accepting(): boolean {
    return !this.#closing
  }

  /** Asks for one change of a project to be looked at; false when the queue is full or the term ends. */
  offer(work: Work): boolean {
    return !this.#closing && this.#context.enqueue.offer(work)
  }

  /** Takes nothing more and lets what has begun end within `milliseconds`; what is cut off then is idempotent. */
  async end(milliseconds: number): Promise<void> {
    this.#closing = true
    this.#unwatch()
    this.#queues.close()
    const active = [...this.#queues.byName.values()].map(queue => queue.idle())
    if (!(await this.#within(milliseconds, Promise.all(active)))) {
      this.#log.warn({ milliseconds }, 'work did not end in time and is cut off')
    }
    this.#stop.abort(new Error('the term of leadership has ended'))
    const backends = Object.values(this.#context.backends).map(backend => backend.close?.())
    const ended = Promise.all([this.#running, ...backends]).catch(() => undefined)
    if (!(await this.#within(abortTime, ended))) this.#log.error({}, 'work goes on although it was cut off')
  }

  /** Whether something ends within `milliseconds`. */
  async #within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
    const enough = new AbortController()
    const timeout = this.#context.clock.sleep(milliseconds, enough.signal).then(
      () => false,
      () => true,
    )
    const inTime = await Promise.race([work.then(() => true), timeout])
    enough.abort()
    return inTime
  }
}

function reconcile(context: ControllerContext, work: Work, signal: AbortSignal): Promise<Outcome | undefined> {
  switch (work.kind) {
    case 'change':
      return reconcileChange(context, work, signal)
    case 'listing':
      return reconcileListing(context, work, signal)
    case 'project':
      return reconcileProject(context, work, signal)
    case 'admission':
      return reconcileAdmission(context, work, signal)
    case 'environment':
      return reconcileEnvironment(context, work, signal)
    case 'feedback':
      return reconcileFeedback(context, work, signal)
    case 'credential':
      return reconcileCredential(context, work, signal)
  }
}
