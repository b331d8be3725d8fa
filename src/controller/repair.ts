import type { ReviewProject } from '../api/index.ts'
import { ForgeError } from '../forge/errors.ts'
import type { FailedDelivery, WebhookLog } from '../forge/forge.ts'
import { messageOf } from '../util/errors.ts'
import { LruMap } from '../util/lru.ts'
import type { ControllerContext } from './context.ts'

/** Only deliveries of this long are looked at, in milliseconds: what is older, listings have found long ago. */
const horizon = 24 * 60 * 60_000
/** Attempts at one delivery, the forge's first included. */
const maxAttempts = 5
/** Deliveries asked for in one round, over all repositories by turns: a server that was down for long is not overrun. */
const perRound = 20
/** A webhook that may not be read is not asked for again before this, in milliseconds. */
const forbiddenFor = 6 * 60 * 60_000
/** An attempt that was asked for appears at the forge only after a while, in milliseconds. */
const underway = 5 * 60_000

/** What repairing counts. */
export interface RepairMetrics {
  /** One more delivery was asked for, or could not be. */
  redelivered(type: WebhookLog['type'], outcome: 'asked' | 'failed'): void
  /** Deliveries that failed and may still be asked for, as of the last look. */
  failing(count: number): void
}

/** What repairing is given. */
export interface RepairOptions {
  /** Public address of this server: webhooks to other addresses are somebody else's. */
  url: string
  metrics: RepairMetrics
}

/** A delivery that may be asked for now. */
interface Due {
  log: WebhookLog
  delivery: FailedDelivery
}

/**
 * Finds deliveries that the forge could not bring to us, and asks for them again: GitHub does not do so by itself.
 * Whatever comes twice does no harm. Nothing here is needed for correctness: listings find what is missed, only later.
 */
export class WebhookRepair {
  readonly #context: ControllerContext
  readonly #url: string
  readonly #metrics: RepairMetrics
  readonly #asked = new LruMap<string, number>(10_000)
  readonly #silent = new LruMap<string, number>(10_000)
  /** When a repository had its last turn. */
  readonly #served = new LruMap<string, number>(10_000)

  constructor(context: ControllerContext, { url, metrics }: RepairOptions) {
    this.#context = context
    this.#url = url
    this.#metrics = metrics
  }

  /** Looks again and again until the signal aborts. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, limits, random } = this.#context
    while (!signal.aborted) {
      // Spread, so that replicas and installations of one account do not look at the same time.
      const pause = limits.repairInterval * (0.9 + random() / 5)
      await clock.sleep(pause, signal).catch(() => undefined)
      if (signal.aborted) return
      await this.round(signal).catch(error => {
        if (!signal.aborted) log.warn({ error: messageOf(error) }, 'failed deliveries could not be looked for')
      })
    }
  }

  /** One look at every webhook. */
  async round(signal: AbortSignal): Promise<void> {
    const now = this.#context.clock.now()
    const due: Due[] = []
    let failing = 0
    for (const log of await this.#logs(signal)) {
      const failed = await this.#failed(log, now, signal)
      failing += failed.length
      due.push(...failed.filter(delivery => this.#isDue(log, delivery, now)).map(delivery => ({ log, delivery })))
    }
    this.#metrics.failing(failing)
    await this.#askInTurn(due, signal)
  }

  /** Each repository has a turn before any has two, and who waited longest is first: one cannot starve the others. */
  async #askInTurn(due: readonly Due[], signal: AbortSignal): Promise<void> {
    const refusing = new Set<WebhookLog>()
    let left = perRound
    const lines = [...Map.groupBy(due, lineKey)].map(([key, line]) => ({ line, served: this.#served.get(key) ?? 0 }))
    const byWait = lines.toSorted((a, b) => a.served - b.served)
    for (const one of inTurn(byWait.map(({ line }) => line.slice(0, perRound)))) {
      if (left === 0) return
      if (refusing.has(one.log)) continue
      left--
      this.#served.set(lineKey(one), this.#context.clock.now())
      if (!(await this.#askAgain(one.log, one.delivery, signal))) refusing.add(one.log)
    }
  }

  /** Each webhook log once, whoever shares it. */
  async #logs(signal: AbortSignal): Promise<WebhookLog[]> {
    const { forges, stores, clock } = this.#context
    const logs = new Map<string, WebhookLog>()
    for (const project of stores.projects.list().filter(isAlive)) {
      signal.throwIfAborted()
      // Who cannot be asked says so in the project's status, when its listing fails.
      const log = await forges.webhooks(project).catch(() => undefined)
      // One project's credential may not read what another's may: the first that is not known to fail is used.
      const isSilent = log === undefined || (this.#silent.get(silentKey(log)) ?? 0) > clock.now()
      if (!isSilent && !logs.has(log.key)) logs.set(log.key, log)
    }
    return [...logs.values()]
  }

  async #failed(log: WebhookLog, now: number, signal: AbortSignal): Promise<FailedDelivery[]> {
    try {
      const failed = await log.failed(this.#url, now - horizon, signal)
      return failed.filter(({ attempts }) => attempts < maxAttempts)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ForgeError)) throw error
      const mayNot = error.kind === 'forbidden' || error.kind === 'notFound' || error.kind === 'unauthorized'
      // A token for reading and commenting is enough for everything else: this is no fault.
      const pause = mayNot ? forbiddenFor : (error.retryAfter ?? 0)
      this.#silent.set(silentKey(log), now + pause)
      const fields = { webhook: log.type, error: messageOf(error) }
      this.#context.log.debug(fields, 'the deliveries of a webhook cannot be read')
      return []
    }
  }

  #isDue(log: WebhookLog, { hook, guid, attempts, lastAt }: FailedDelivery, now: number): boolean {
    const asked = this.#asked.get(askedKey(log, { hook, guid }))
    if (asked !== undefined && now - asked < underway) return false
    // With a look every two minutes: after 1, 4, 16 and 64 minutes.
    return now - lastAt >= (this.#context.limits.repairInterval / 2) * 4 ** (attempts - 1)
  }

  /** False when the forge wants to be left alone. */
  async #askAgain(log: WebhookLog, delivery: FailedDelivery, signal: AbortSignal): Promise<boolean> {
    const { guid, event, status, attempts } = delivery
    const fields = { webhook: log.type, delivery: guid, event, status, attempts }
    this.#asked.set(askedKey(log, delivery), this.#context.clock.now())
    try {
      await log.redeliver(delivery, signal)
      this.#metrics.redelivered(log.type, 'asked')
      this.#context.log.info(fields, 'failed delivery asked for again')
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ForgeError)) throw error
      this.#metrics.redelivered(log.type, 'failed')
      this.#context.log.warn({ ...fields, error: messageOf(error) }, 'failed delivery could not be asked for again')
      const pause = error.kind === 'forbidden' || error.kind === 'notFound' ? forbiddenFor : (error.retryAfter ?? 0)
      this.#silent.set(silentKey(log), this.#context.clock.now() + pause)
      return false
    }
  }
}

function isAlive({ metadata, spec }: ReviewProject): boolean {
  return metadata.deletionTimestamp === undefined && !spec.suspend
}

/** The first of each line, then the second of each, and so on. */
function inTurn<T>(lines: readonly (readonly T[])[]): T[] {
  const turns = Math.max(0, ...lines.map(({ length }) => length))
  return Array.from({ length: turns }, (_, turn) => lines.flatMap(line => line.slice(turn, turn + 1))).flat()
}

function lineKey({ log, delivery }: Due): string {
  return JSON.stringify([log.key, delivery.repository ?? null])
}

function silentKey({ key, credential }: WebhookLog): string {
  return JSON.stringify([key, credential])
}

function askedKey({ key }: WebhookLog, { hook, guid }: Pick<FailedDelivery, 'hook' | 'guid'>): string {
  return JSON.stringify([key, hook ?? null, guid])
}
