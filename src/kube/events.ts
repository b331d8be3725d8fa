import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '../util/clock.ts'
import { messageOf } from '../util/errors.ts'
import { type Logger, silentLogger } from '../util/log.ts'
import type { KubeClient } from './client.ts'
import { KubeError } from './errors.ts'
import type { KubeObject, ObjectKey } from './types.ts'

/** What happened to an object, for people who describe it. */
export interface EventInput {
  type: 'Normal' | 'Warning'
  /** CamelCase word, such as `Deployed`. */
  reason: string
  /** Sentence for people; cut at 1,000 bytes. */
  note: string
  /** What was being done; default `Reconcile`. */
  action?: string
}

/** How events are written. */
export interface EventRecorderOptions {
  /** Name of the component, such as `offshoot.dev/controller`. */
  controller: string
  /** This process. */
  instance: string
  clock?: Clock
  log?: Logger
  /** Events of one object that may come at once (default 25), then one per `refillMilliseconds` (default 300,000). */
  burst?: number
  refillMilliseconds?: number
  /** A repeated event raises a count instead, at most once in this many milliseconds (default 60,000). */
  seriesMilliseconds?: number
}

interface Series {
  key: ObjectKey
  count: number
  written: number
  touchedAt: number
  writtenAt: number
}

interface Bucket {
  tokens: number
  filledAt: number
}

/** A series that has been quiet this long starts as a new event (the window of client-go's correlator). */
const seriesWindow = 10 * 60_000
const maxKnown = 4_096
const maxQueue = 1_000
/** Bytes; the API server refuses notes over 1,024. */
const maxNote = 1_000

/**
 * Writes `events.k8s.io/v1` Events about objects. Repeats are counted, bursts are capped, and `record` neither waits
 * nor throws: an event is a courtesy, work goes on without it.
 */
export class EventRecorder {
  readonly #client: Pick<KubeClient, 'create' | 'patch'>
  readonly #options: EventRecorderOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #series = new Map<string, Series>()
  readonly #buckets = new Map<string, Bucket>()
  readonly #queue: (() => Promise<unknown>)[] = []
  readonly #closing = new AbortController()
  #draining: Promise<void> | undefined
  #dropped = 0

  constructor(client: Pick<KubeClient, 'create' | 'patch'>, options: EventRecorderOptions) {
    this.#client = client
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLogger
  }

  /** Events that were left out by the caps. */
  get dropped(): number {
    return this.#dropped
  }

  /** Records that something happened to `regarding`, which must have been read from the cluster. */
  record(regarding: KubeObject, event: EventInput): void {
    if (this.#closing.signal.aborted) return
    const now = this.#clock.now()
    const { uid = '' } = regarding.metadata
    const note = cut(event.note)
    const id = JSON.stringify([uid, event.type, event.reason, event.action, note])
    const known = this.#series.get(id)
    if (known && now - known.touchedAt < seriesWindow) {
      this.#repeat(known, now)
      return
    }
    if (!this.#takeToken(uid, now)) {
      this.#dropped++
      return
    }
    const body = this.#eventOf(regarding, { ...event, note }, now)
    const { name = '', namespace = 'default' } = body.metadata
    const key = { apiVersion: body.apiVersion, kind: body.kind, namespace, name }
    remember(this.#series, id, { key, count: 1, written: 1, touchedAt: now, writtenAt: now })
    this.#enqueue(() => this.#client.create(body, { signal: this.#closing.signal }))
  }

  /** Writes what is queued and every count that is behind, for at most `deadlineMilliseconds`, then stops. */
  async close(deadlineMilliseconds = 2_000): Promise<void> {
    for (const series of this.#series.values()) if (series.count > series.written) this.#writeCount(series)
    const timer = setTimeout(() => this.#closing.abort(new Error('the event recorder is closed')), deadlineMilliseconds)
    await this.#draining
    clearTimeout(timer)
    this.#closing.abort(new Error('the event recorder is closed'))
  }

  #repeat(series: Series, now: number): void {
    series.count++
    series.touchedAt = now
    if (now - series.writtenAt >= (this.#options.seriesMilliseconds ?? 60_000)) this.#writeCount(series)
  }

  #writeCount(series: Series): void {
    series.written = series.count
    series.writtenAt = this.#clock.now()
    const lastObservedTime = microTime(series.touchedAt)
    const patch = { series: { count: series.count, lastObservedTime } }
    this.#enqueue(() => this.#client.patch(series.key, patch, { type: 'merge', signal: this.#closing.signal }))
  }

  #takeToken(uid: string, now: number): boolean {
    const { burst = 25, refillMilliseconds = 300_000 } = this.#options
    const bucket = this.#buckets.get(uid) ?? { tokens: burst, filledAt: now }
    const refill = Math.floor((now - bucket.filledAt) / refillMilliseconds)
    bucket.tokens = Math.min(burst, bucket.tokens + refill)
    bucket.filledAt += refill * refillMilliseconds
    remember(this.#buckets, uid, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  #eventOf(regarding: KubeObject, event: EventInput, now: number): KubeObject {
    const { name = '', namespace, uid, resourceVersion } = regarding.metadata
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        name: `${name.slice(0, 230).replace(/[^a-z0-9.-]/g, '-')}.${randomBytes(8).toString('hex')}`,
        // Events about cluster-scoped objects live in `default`, as Kubernetes' own do.
        namespace: namespace ?? 'default',
      },
      type: event.type,
      reason: event.reason,
      action: event.action ?? 'Reconcile',
      note: event.note,
      eventTime: microTime(now),
      reportingController: this.#options.controller,
      reportingInstance: this.#options.instance,
      regarding: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
    }
  }

  #enqueue(write: () => Promise<unknown>): void {
    if (this.#queue.length >= maxQueue) {
      this.#dropped++
      return
    }
    this.#queue.push(write)
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined
    })
  }

  async #drain(): Promise<void> {
    for (let write = this.#queue.shift(); write; write = this.#queue.shift()) {
      if (this.#closing.signal.aborted) return
      try {
        await write()
      } catch (error) {
        // Expected where the object's namespace is going away, or the event has expired.
        const isExpected = error instanceof KubeError && (error.isNamespaceTerminating || error.isNotFound)
        if (!isExpected) this.#log.warn({ error: messageOf(error) }, 'an event could not be written')
      }
    }
  }
}

/** Puts an entry last and keeps the map bounded by forgetting the one longest untouched. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= maxKnown) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}

function cut(note: string): string {
  if (Buffer.byteLength(note) <= maxNote) return note
  // A character that was cut in two decodes to U+FFFD.
  return Buffer.from(note)
    .subarray(0, maxNote)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
}

/** `metav1.MicroTime`. */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z')
}
