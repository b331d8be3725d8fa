import type { Clock } from '../util/clock.ts'
import { DueHeap } from './heap.ts'
import { Turns } from './turns.ts'

/** What a queue tells about itself, for metrics. */
export interface QueueObserver {
  added(): void
  /** A key begins to be worked on, having waited this many milliseconds. */
  started(waited: number): void
  retried(): void
}

/** What a queue is made of. */
export interface QueueOptions {
  clock: Clock
  /** Between 0 and 1; spreads retries. */
  random?: () => number
  /** Keys of equal group share one turn of the round robin. */
  groupOf?: (key: string) => string
  /** Most keys that may wait for a worker before `offer` refuses; default 100,000. */
  capacity?: number
  /** First and longest wait between tries, in milliseconds; default 500 and 300,000 (5 minutes). */
  backoff?: { base: number; cap: number }
  observer?: QueueObserver
}

/** Of so many keys that are taken, one is a look that nothing has asked for, if any waits. */
const patience = 8

/** Thrown by `get` once the queue has been closed. */
export class QueueClosed extends Error {
  override readonly name = 'QueueClosed'
}

/**
 * Keys to work on. A key waits at most once; one that is added while it is worked on is worked on once more after that,
 * so that nothing that happened in between is missed, and never by two workers at a time. Groups take turns: a group
 * with many keys does not hold up another, and looks that nothing has asked for come after what has happened. (The
 * contract of client-go's workqueue, with fairness added.)
 */
export class WorkQueue {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #groupOf: (key: string) => string
  readonly #capacity: number
  readonly #backoff: { base: number; cap: number }
  readonly #observer: QueueObserver | undefined

  readonly #asked = new Turns()
  readonly #looks = new Turns()
  readonly #processing = new Set<string>()
  readonly #again = new Set<string>()
  readonly #failures = new Map<string, number>()
  readonly #delayed = new DueHeap<string>()
  readonly #dueAt = new Map<string, { at: number; look: boolean }>()
  readonly #takers: { resolve(key: string): void; reject(reason: unknown): void }[] = []
  #idleWaiters: (() => void)[] = []
  #timer: { at: number; stop: AbortController } | undefined
  #closed = false
  #taken = 0

  constructor(options: QueueOptions) {
    this.#clock = options.clock
    this.#random = options.random ?? Math.random
    this.#groupOf = options.groupOf ?? (() => '')
    this.#capacity = options.capacity ?? 100_000
    this.#backoff = options.backoff ?? { base: 500, cap: 300_000 }
    this.#observer = options.observer
  }

  /** Keys that wait for a worker now. */
  get length(): number {
    return this.#asked.size + this.#looks.size
  }

  /** Those of them that something has asked for. */
  get asked(): number {
    return this.#asked.size
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#dueAt.size
  }

  /** Keys that are worked on. */
  get active(): number {
    return this.#processing.size
  }

  /** Adds a key, to be worked on as soon as its group's turn comes. Does nothing once closed. */
  add(key: string): void {
    this.#add(key, this.#asked)
  }

  /**
   * Adds a key that nothing has happened to: whatever has goes first. One that is worked on, or will be looked at in
   * any case, need not be asked for.
   */
  look(key: string): void {
    if (this.#processing.has(key) || this.#dueAt.get(key)?.look === true) return
    this.#add(key, this.#looks)
  }

  /** As `add`, but false, and nothing added, when the queue is full (a key that is already there is always taken). */
  offer(key: string): boolean {
    if (this.#closed) return false
    const known = this.#isWaiting(key) || this.#processing.has(key)
    if (!known && this.length >= this.#capacity) return false
    this.add(key)
    return true
  }

  /**
   * Adds a key after `milliseconds`; of several such requests the earliest counts. `look`: nothing will have happened by
   * then, so that what has goes first.
   */
  addAfter(key: string, milliseconds: number, { look = false }: { look?: boolean } = {}): void {
    if (this.#closed) return
    if (milliseconds <= 0) {
      this.#add(key, look ? this.#looks : this.#asked)
      return
    }
    if (this.#isWaiting(key)) return
    const at = this.#clock.now() + milliseconds
    const before = this.#dueAt.get(key)
    if (before !== undefined && before.at <= at) return
    this.#dueAt.set(key, { at, look })
    this.#delayed.push({ item: key, at })
    if (this.#delayed.size > 2 * this.#dueAt.size + 1000) this.#compact()
    this.#schedule()
  }

  /**
   * Adds a key after a wait that doubles with each failure in a row, less up to half at random; at least `minimum`.
   * Gives the wait in milliseconds.
   */
  retry(key: string, minimum = 0): number {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const full = Math.min(this.#backoff.cap, this.#backoff.base * 2 ** Math.min(failures, 30))
    const wait = Math.max(minimum, Math.round(full * (1 - this.#random() / 2)))
    this.#observer?.retried()
    this.addAfter(key, wait)
    return wait
  }

  /** Failures in a row of a key. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** Ends a key's row of failures. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key; the caller must call `done` with it. @throws QueueClosed once closed, or the signal's reason. */
  get(signal?: AbortSignal): Promise<string> {
    if (this.#closed) return Promise.reject(new QueueClosed('the queue is closed'))
    if (signal?.aborted) return Promise.reject(signal.reason)
    const key = this.#take()
    if (key !== undefined) return Promise.resolve(key)
    return new Promise((resolve, reject) => {
      const taker = {
        resolve: (taken: string) => {
          signal?.removeEventListener('abort', onAbort)
          resolve(taken)
        },
        reject,
      }
      const onAbort = () => {
        const at = this.#takers.indexOf(taker)
        if (at >= 0) this.#takers.splice(at, 1)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#takers.push(taker)
    })
  }

  /** Ends work on a key; it waits again if it was added in the meantime. */
  done(key: string): void {
    this.#processing.delete(key)
    if (this.#again.delete(key)) this.add(key)
    if (this.#processing.size === 0 || this.length === 0) this.#tellIdle()
  }

  /** Takes no more keys, gives no more keys, drops those that wait. Work that has begun goes on. */
  close(): void {
    this.#closed = true
    this.#asked.clear()
    this.#looks.clear()
    this.#again.clear()
    this.#dueAt.clear()
    this.#timer?.stop.abort()
    this.#timer = undefined
    for (const taker of this.#takers.splice(0)) taker.reject(new QueueClosed('the queue is closed'))
    this.#tellIdle()
  }

  /** Resolves when nothing is worked on and nothing waits for a worker (delayed keys do not count). */
  async idle(): Promise<void> {
    while (this.#processing.size > 0 || this.length > 0) {
      await new Promise<void>(resolve => this.#idleWaiters.push(resolve))
    }
  }

  #tellIdle(): void {
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const resolve of waiters) resolve()
  }

  #isWaiting(key: string): boolean {
    return this.#asked.has(key) || this.#looks.has(key)
  }

  #add(key: string, where: Turns): void {
    if (this.#closed) return
    this.#dueAt.delete(key)
    if (this.#processing.has(key)) {
      this.#again.add(key)
      return
    }
    if (this.#asked.has(key) || where.has(key)) return
    // What was only to be looked at has something to tell now.
    const wasWaiting = this.#looks.remove(key)
    where.add(key, this.#groupOf(key), this.#clock.now())
    if (!wasWaiting) this.#observer?.added()
    this.#serve()
  }

  #take(): string | undefined {
    const looksFirst = ++this.#taken % patience === 0
    const [first, second] = looksFirst ? [this.#looks, this.#asked] : [this.#asked, this.#looks]
    const next = first.take() ?? second.take()
    if (next === undefined) return undefined
    this.#processing.add(next.key)
    this.#observer?.started(this.#clock.now() - next.since)
    return next.key
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      const key = this.#take()
      if (key === undefined) return
      this.#takers.shift()?.resolve(key)
    }
  }

  /** One timer for all delayed keys: sleeps until the earliest of them. */
  #schedule(): void {
    const next = this.#delayed.peek()
    if (next === undefined || this.#closed) return
    if (this.#timer !== undefined) {
      if (this.#timer.at <= next.at) return
      this.#timer.stop.abort()
    }
    const timer = { at: next.at, stop: new AbortController() }
    this.#timer = timer
    this.#clock.sleep(Math.max(0, next.at - this.#clock.now()), timer.stop.signal).then(
      () => {
        if (this.#timer !== timer) return
        this.#timer = undefined
        this.#release()
      },
      () => undefined,
    )
  }

  /** Rebuilds the heap without leftovers, so that it stays as small as what it stands for. */
  #compact(): void {
    this.#delayed.clear()
    for (const [item, { at }] of this.#dueAt) this.#delayed.push({ item, at })
  }

  #release(): void {
    const now = this.#clock.now()
    for (let next = this.#delayed.peek(); next !== undefined && next.at <= now; next = this.#delayed.peek()) {
      this.#delayed.pop()
      // An entry whose time was moved forward, or that was added meanwhile, is a leftover.
      const due = this.#dueAt.get(next.item)
      if (due?.at === next.at) this.#add(next.item, due.look ? this.#looks : this.#asked)
    }
    this.#schedule()
  }
}
