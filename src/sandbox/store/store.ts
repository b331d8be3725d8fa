import { Buffer } from 'node:buffer'
import type { KubeObject } from '../../kube/types.ts'
import { StatusError } from '../errors.ts'
import { type Change, History } from './history.ts'

/** An object as it is kept; neither is ever changed. */
export interface Stored {
  readonly object: KubeObject
  /** The object as JSON. */
  readonly json: string
  readonly namespace: string
  readonly name: string
  readonly revision: number
}

/** How much a store keeps. */
export interface StoreLimits {
  /** Objects of all kinds. */
  objects: number
  /** Bytes of JSON of all objects. */
  bytes: number
  /** Bytes of one object, as etcd's request limit. */
  objectBytes: number
  /** Changes kept for each kind, for watches and pages of lists. */
  history: number
}

export const defaultLimits: StoreLimits = { objects: 200_000, bytes: 1 << 30, objectBytes: 1_572_864, history: 5_000 }

type Listener = (change: Change) => void

interface Bucket {
  objects: Map<string, Map<string, Stored>>
  history: History
  listeners: Set<Listener>
}

/**
 * Objects in memory with one growing revision for all of them. Writes are synchronous, so that a read, a check and a
 * write without an `await` between them are one transaction.
 */
export class Store {
  readonly #limits: StoreLimits
  readonly #buckets = new Map<string, Bucket>()
  readonly #observers = new Set<(storage: string, change: Change) => void>()
  #revision = 1
  #objects = 0
  #bytes = 0

  constructor(limits: Partial<StoreLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits }
  }

  /** The revision of the latest write. */
  get revision(): number {
    return this.#revision
  }

  get(storage: string, namespace: string, name: string): Stored | undefined {
    return this.#buckets.get(storage)?.objects.get(namespace)?.get(name)
  }

  /** Objects of a kind, of one namespace or of all, in no order. */
  *list(storage: string, namespace?: string): Generator<Stored> {
    const objects = this.#buckets.get(storage)?.objects
    if (!objects) return
    if (namespace !== undefined) yield* objects.get(namespace)?.values() ?? []
    else for (const inner of objects.values()) yield* inner.values()
  }

  /** Whether a kind has an object in a namespace. */
  hasAny(storage: string, namespace: string): boolean {
    return (this.#buckets.get(storage)?.objects.get(namespace)?.size ?? 0) > 0
  }

  /**
   * Keeps an object under its namespace and name and gives it the next resourceVersion.
   * @throws StatusError 413 for an object beyond its limit, 507 when the store is full
   */
  put(storage: string, object: KubeObject): Stored {
    const bucket = this.#bucket(storage)
    const { namespace = '', name = '' } = object.metadata
    const previous = bucket.objects.get(namespace)?.get(name)
    const revision = this.#revision + 1
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
    const json = JSON.stringify(versioned)
    this.#admit(json, previous)
    this.#revision = revision
    const current: Stored = { object: versioned, json, namespace, name, revision }
    let inner = bucket.objects.get(namespace)
    if (!inner) {
      inner = new Map()
      bucket.objects.set(namespace, inner)
    }
    inner.set(name, current)
    this.#publish(storage, bucket, { revision, type: previous ? 'MODIFIED' : 'ADDED', current, previous })
    return current
  }

  /** Removes an object; gives its last state with the resourceVersion of the removal. */
  remove(storage: string, namespace: string, name: string, last?: KubeObject): Stored | undefined {
    const bucket = this.#bucket(storage)
    const inner = bucket.objects.get(namespace)
    const previous = inner?.get(name)
    if (!inner || !previous) return undefined
    inner.delete(name)
    if (inner.size === 0) bucket.objects.delete(namespace)
    this.#objects--
    this.#bytes -= previous.json.length
    const revision = ++this.#revision
    const state = last ?? previous.object
    const object = { ...state, metadata: { ...state.metadata, resourceVersion: String(revision) } }
    const current: Stored = { object, json: JSON.stringify(object), namespace, name, revision }
    this.#publish(storage, bucket, { revision, type: 'DELETED', current, previous })
    return current
  }

  /** Objects of a kind as they were at a revision; undefined when that is forgotten. */
  at(storage: string, revision: number, namespace?: string): Stored[] | undefined {
    const since = this.#bucket(storage).history.after(revision)
    if (!since) return undefined
    const objects = new Map<string, Stored>()
    for (const one of this.list(storage, namespace)) objects.set(`${one.namespace}/${one.name}`, one)
    for (const { current, previous } of since.toReversed()) {
      if (namespace !== undefined && current.namespace !== namespace) continue
      const key = `${current.namespace}/${current.name}`
      if (previous) objects.set(key, previous)
      else objects.delete(key)
    }
    return [...objects.values()]
  }

  /** Changes of a kind after a revision; undefined when some are forgotten. */
  changes(storage: string, revision: number): readonly Change[] | undefined {
    return this.#bucket(storage).history.after(revision)
  }

  /** A kind is served from now on: watches of it from before answer 410. */
  begin(storage: string): void {
    this.#bucket(storage).history.begin(this.#revision)
  }

  /** Calls `listener` for each change of a kind from now on; gives what ends that. */
  subscribe(storage: string, listener: Listener): () => void {
    const { listeners } = this.#bucket(storage)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  /** Calls `observer` for each change of any kind. */
  observe(observer: (storage: string, change: Change) => void): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** Forgets the past, as etcd's compaction does: watches and pages from before answer 410. */
  compact(): void {
    for (const { history } of this.#buckets.values()) history.forget((history.after(history.horizon) ?? []).length)
  }

  #bucket(storage: string): Bucket {
    let bucket = this.#buckets.get(storage)
    if (!bucket) {
      bucket = { objects: new Map(), history: new History(this.#limits.history), listeners: new Set() }
      this.#buckets.set(storage, bucket)
    }
    return bucket
  }

  #admit(json: string, previous: Stored | undefined): void {
    const { objects, bytes, objectBytes } = this.#limits
    if (json.length * 3 > objectBytes && Buffer.byteLength(json) > objectBytes) {
      throw new StatusError(413, 'RequestEntityTooLarge', `an object must not be larger than ${objectBytes} bytes`)
    }
    const size = this.#bytes + json.length - (previous?.json.length ?? 0)
    const count = this.#objects + (previous ? 0 : 1)
    if (size > bytes || count > objects) {
      const message = `the sandbox is full: it keeps at most ${objects} objects and ${bytes} bytes`
      throw new StatusError(507, 'InsufficientStorage', message)
    }
    this.#bytes = size
    this.#objects = count
  }

  #publish(storage: string, bucket: Bucket, change: Change): void {
    bucket.history.push(change)
    for (const listener of bucket.listeners) listener(change)
    for (const observer of this.#observers) observer(storage, change)
  }
}
