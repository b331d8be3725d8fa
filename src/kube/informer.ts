import { type Clock, systemClock } from '../util/clock.ts'
import { messageOf } from '../util/errors.ts'
import { type Logger, silentLogger } from '../util/log.ts'
import type { KubeClient } from './client.ts'
import { KubeError } from './errors.ts'
import type { SelectorOptions } from './list.ts'
import { jitter } from './retry.ts'
import { type Change, type IndexFunction, Store } from './store.ts'
import { compareResourceVersions, formatGvk, type GroupVersionKind, type KubeObject } from './types.ts'
import { MalformedWatchError, type WatchEvent } from './watch.ts'

/** What an informer watches, and how. */
export interface InformerOptions<T extends KubeObject> extends SelectorOptions, GroupVersionKind {
  indexes?: Readonly<Record<string, IndexFunction<T>>>
  /** Shapes an object before it is kept, to save memory. Default: drops `metadata.managedFields`. */
  transform?: (object: T) => T
  clock?: Clock
  /** Numbers in [0, 1), for jitter. */
  random?: () => number
  log?: Logger
  /** The server ends each watch after about this many seconds. Default 300. */
  watchTimeoutSeconds?: number
  maxEventBytes?: number
  /** Milliseconds after the first failure, doubled for each further one. Default 500, up to 30,000. */
  backoff?: { first: number; max: number }
}

interface Waiting {
  resourceVersion: string
  resolve: () => void
}

/** Told about each change once, in order, after the store has it. Handlers only note and return. */
export interface InformerHandler<T> {
  onAdd?(object: T): void
  onUpdate?(object: T, old: T): void
  onDelete?(object: T): void
}

/**
 * A cache of one kind that stays true: list, then watch, and again whatever fails, until it is closed. Deletions missed
 * while disconnected are found by the next list.
 */
export class Informer<T extends KubeObject> {
  /** Resolves after the first complete list. Never rejects: pair it with a deadline. */
  readonly synced: Promise<void>
  readonly #client: Pick<KubeClient, 'list' | 'watch'>
  readonly #options: InformerOptions<T>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #log: Logger
  readonly #store: Store<T>
  readonly #handlers = new Set<InformerHandler<T>>()
  readonly #closing = new AbortController()
  readonly #resolveSynced: () => void
  #hasSynced = false
  #running: Promise<void> | undefined
  readonly #waiting = new Set<Waiting>()
  #resourceVersion: string | undefined
  #failures = 0

  constructor(client: Pick<KubeClient, 'list' | 'watch'>, options: InformerOptions<T>) {
    this.#client = client
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    this.#log = (options.log ?? silentLogger).child({ informer: formatGvk(options) })
    this.#store = new Store(options.indexes)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.synced = promise
    this.#resolveSynced = resolve
  }

  /** Begins to list and watch; further calls do nothing. */
  start(): this {
    this.#running ??= this.#run(this.#closing.signal)
    return this
  }

  /** Ends the watch; handlers hear nothing more. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the informer is closed'))
    await this.#running
  }

  get hasSynced(): boolean {
    return this.#hasSynced
  }

  /** Failures since the last success: 0 while all is well. */
  get failures(): number {
    return this.#failures
  }

  get size(): number {
    return this.#store.size
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#store.get(namespace, name)
  }

  list(): T[] {
    return this.#store.list()
  }

  /** Objects that an index function gave `value` for. */
  byIndex(index: string, value: string): T[] {
    return this.#store.byIndex(index, value)
  }

  /** How many objects an index function gave `value` for. */
  count(index: string, value: string): number {
    return this.#store.count(index, value)
  }

  /** Adds a handler, which hears of every known object first; gives a function that removes it. */
  addHandler(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler)
    for (const object of this.#store.list()) this.#call(handler, { type: 'add', object })
    return () => this.#handlers.delete(handler)
  }

  /**
   * Takes in the answer to one's own write, so that it is seen at once; the watch event that follows is then old
   * news. The object must match the informer's selectors. `ahead`: it holds more than was written yet, and replaces
   * itself in the same version, in case the watch was faster than the answer.
   */
  assume(object: T, { ahead = false }: { ahead?: boolean } = {}): void {
    this.#publish(this.#store.upsert(this.#transform(object), ahead))
  }

  /** Takes out an object that a delete has removed for good, as answers without an object say. */
  assumeDeleted(object: KubeObject): void {
    this.#publish(this.#store.remove(object, true))
  }

  /**
   * Whether the watch has come as far as `resourceVersion` within `patience` milliseconds: from then on the server's own
   * watches are likely to have seen that change too.
   */
  async hears(resourceVersion: string, patience: number, signal: AbortSignal): Promise<boolean> {
    if (this.#isHeard(resourceVersion)) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiting = { resourceVersion, resolve: () => resolve(true) }
    const isOver = new AbortController()
    this.#waiting.add(waiting)
    try {
      const patient = this.#clock.sleep(patience, AbortSignal.any([signal, isOver.signal])).then(() => false)
      return await Promise.race([promise, patient])
    } finally {
      this.#waiting.delete(waiting)
      isOver.abort(new Error('heard'))
    }
  }

  #isHeard(resourceVersion: string): boolean {
    return this.#resourceVersion !== undefined && compareResourceVersions(this.#resourceVersion, resourceVersion) >= 0
  }

  #comeTo(resourceVersion: string | undefined): void {
    this.#resourceVersion = resourceVersion
    for (const waiting of this.#waiting) if (this.#isHeard(waiting.resourceVersion)) waiting.resolve()
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#relist(signal)
        await this.#watchOnce(signal)
      } catch (error) {
        if (signal.aborted) return
        await this.#recover(error, signal)
      }
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures++
    const isExpired = error instanceof KubeError && error.isExpired
    const { first, max } = this.#options.backoff ?? { first: 500, max: 30_000 }
    const delay = jitter(Math.min(max, first * 2 ** Math.min(this.#failures - 1, 20)), this.#random)
    if (isExpired || error instanceof MalformedWatchError) this.#resourceVersion = undefined
    // An expired version is everyday life; only again and again is it a failure.
    if (isExpired && this.#failures === 1) return
    this.#log.warn({ error: messageOf(error), failures: this.#failures, delay }, 'list or watch failed; trying again')
    await this.#clock.sleep(delay, signal).catch(() => undefined)
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { items, resourceVersion } = await this.#client.list<T>(this.#options, { ...this.#selectors(), signal })
    signal.throwIfAborted()
    const objects = items.map(item => this.#transform(item))
    this.#publish(this.#store.replace(objects, resourceVersion))
    this.#comeTo(resourceVersion)
    this.#hasSynced = true
    this.#resolveSynced()
  }

  async #watchOnce(signal: AbortSignal): Promise<void> {
    const started = this.#clock.now()
    const { watchTimeoutSeconds = 300, maxEventBytes } = this.#options
    const events = await this.#client.watch<T>(this.#options, {
      ...this.#selectors(),
      resourceVersion: this.#resourceVersion ?? '',
      // Spread, so that many informers do not come back together.
      timeoutSeconds: Math.ceil(jitter(watchTimeoutSeconds, this.#random)),
      signal,
      ...(maxEventBytes === undefined ? {} : { maxEventBytes }),
    })
    let count = 0
    try {
      for await (const event of events) {
        if (signal.aborted) return
        this.#take(event)
        this.#failures = 0
        count++
      }
    } catch (error) {
      // An ERROR event: the server lost track of this watch, so start from a list.
      if (error instanceof KubeError) this.#resourceVersion = undefined
      throw error
    }
    if (count === 0 && this.#clock.now() - started < 1_000) throw new Error('the server ended the watch at once')
    this.#failures = 0
  }

  #take(event: WatchEvent<T>): void {
    this.#comeTo(event.object.metadata.resourceVersion ?? this.#resourceVersion)
    if (event.type === 'BOOKMARK') return
    if (event.type === 'DELETED') this.#publish(this.#store.remove(event.object))
    else this.#publish(this.#store.upsert(this.#transform(event.object)))
  }

  #transform(object: T): T {
    const { transform = dropManagedFields, metadataOnly } = this.#options
    if (metadataOnly !== true) return transform(object)
    // Answers to writes are whole objects, even where only metadata is kept.
    const { apiVersion, kind, metadata } = object
    return transform({ apiVersion, kind, metadata } as T)
  }

  #selectors(): SelectorOptions {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = this.#options
    return { namespace, labelSelector, fieldSelector, metadataOnly }
  }

  #publish(changes: readonly Change<T>[]): void {
    for (const change of changes) {
      for (const handler of this.#handlers) this.#call(handler, change)
    }
  }

  #call(handler: InformerHandler<T>, change: Change<T>): void {
    try {
      if (change.type === 'add') handler.onAdd?.(change.object)
      else if (change.type === 'update') handler.onUpdate?.(change.object, change.old)
      else handler.onDelete?.(change.object)
    } catch (error) {
      // One broken handler must not stop the others, nor the watch.
      this.#log.error({ error: messageOf(error) }, 'an informer handler threw')
    }
  }
}

/** The object without `metadata.managedFields`, often half of its size. The argument is left as it is. */
export function dropManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}
