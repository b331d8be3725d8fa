import type { Clock } from '../util/clock.ts'
import type { Logger } from '../util/log.ts'
import type { Enqueue } from './context.ts'
import { formatWork, parseWork, type Work } from './keys.ts'
import type { ControllerMetrics } from './metrics.ts'
import { WorkQueue } from './queue.ts'
import { projectOf, type Stores } from './stores.ts'
import { type Outcome, runWorkers } from './workers.ts'

/** Queues of their own, so that slow work of one kind (a listing, a comment) never holds up another. */
export type QueueName = 'change' | 'listing' | 'project' | 'environment' | 'feedback'

const queueOf: Record<Work['kind'], QueueName> = {
  change: 'change',
  listing: 'listing',
  project: 'project',
  admission: 'project',
  environment: 'environment',
  feedback: 'feedback',
  credential: 'project',
}

/** Workers of each queue. */
export const defaultWorkers: Record<QueueName, number> = {
  change: 16,
  listing: 4,
  project: 4,
  environment: 8,
  feedback: 4,
}

/** Longest time of one piece of work, in milliseconds. */
const deadlines: Record<QueueName, number> = {
  change: 60_000,
  listing: 15 * 60_000,
  project: 120_000,
  environment: 180_000,
  feedback: 60_000,
}

/** With more environments than this in line, changes wait. */
const longestLine = 24

/** How long a change waits for environments to be done, in milliseconds; then it is looked at all the same. */
const longestWait = 20_000

/** What the queues are made of. */
export interface QueuesOptions {
  stores: Stores
  clock: Clock
  random: () => number
  log: Logger
  metrics: ControllerMetrics
  workers: Record<QueueName, number>
}

/** All queues of one term of leadership. */
export class Queues implements Enqueue {
  readonly byName: ReadonlyMap<QueueName, WorkQueue>
  readonly #options: QueuesOptions

  constructor(options: QueuesOptions) {
    this.#options = options
    const { clock, random, metrics } = options
    const names = Object.keys(defaultWorkers) as QueueName[]
    this.byName = new Map(
      names.map(name => [
        name,
        new WorkQueue({
          clock,
          random,
          groupOf: key => groupOf(key, options.stores),
          observer: metrics.queue(name),
          backoff: { base: 200, cap: 300_000 },
        }),
      ]),
    )
  }

  now(work: Work): void {
    this.#queue(work).add(formatWork(work))
  }

  look(work: Work): void {
    this.#queue(work).look(formatWork(work))
  }

  after(work: Work, milliseconds: number): void {
    this.#queue(work).addAfter(formatWork(work), milliseconds)
  }

  offer(work: Work): boolean {
    return this.#queue(work).offer(formatWork(work))
  }

  /** Works until the signal aborts or the queues are closed. */
  async run(
    work: (work: Work, signal: AbortSignal) => Promise<Outcome | undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, log, metrics, workers } = this.#options
    const pools = [...this.byName].map(([name, queue]) =>
      runWorkers(
        {
          queue,
          workers: workers[name],
          clock,
          log,
          deadline: deadlines[name],
          handler: async (key, inner) => {
            if (name === 'change') await this.#room(inner)
            return work(parseWork(key), inner)
          },
          observe: result => metrics.worked(result),
        },
        signal,
      ),
    )
    await Promise.all(pools)
  }

  /** Takes nothing more; work that has begun goes on. */
  close(): void {
    for (const queue of this.byName.values()) queue.close()
  }

  /** Waits while many environments wait: what was begun is finished before more is begun. */
  async #room(signal: AbortSignal): Promise<void> {
    const { clock, workers } = this.#options
    const environments = this.byName.get('environment')
    const isFull = () => (environments?.asked ?? 0) > Math.max(longestLine, workers.environment)
    for (let waited = 0; isFull() && waited < longestWait; waited += 10) await clock.sleep(10, signal)
  }

  #queue({ kind }: Work): WorkQueue {
    const queue = this.byName.get(queueOf[kind])
    if (queue === undefined) throw new RangeError(`no queue for ${kind}`)
    return queue
  }
}

/** Work of one project takes its turn together. */
function groupOf(key: string, stores: Stores): string {
  const work = parseWork(key)
  if (work.kind === 'environment' || work.kind === 'feedback') {
    const environment = stores.environments.get(work.namespace, work.name)
    if (environment !== undefined) return projectOf(environment)
  }
  return `${work.namespace}/${work.name}`
}
