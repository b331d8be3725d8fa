import type { Clock } from '../util/clock.ts'
import { messageOf } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'

/** The memory of JavaScript. */
export interface Heap {
  /** Bytes that it occupies, garbage and room for more included. */
  size(): number
  /** Milliseconds of processor time that its process has used. */
  used(): number
  /** Collects all garbage and gives the room back. */
  collect(): Promise<void>
}

/** What a tidy heap needs. */
export interface TidyOptions {
  /** Whether there is nothing to do: collecting holds everything up for some 100 ms. */
  idle: () => boolean
  clock: Clock
  log: Logger
  heap?: Heap
}

/** How often it is looked, in milliseconds. */
const interval = 10_000
/** Whoever uses less than this share of a processor is at rest, with thousands to look after. */
const restful = 0.05
/** It is worth it when the heap has grown by a quarter and so many bytes. */
const slack = 16 << 20

/**
 * Gives back what a start or a burst needed, once it is over, until the signal aborts. V8 does not of itself: it sizes
 * its heap by how fast garbage comes, keeps up to 64 MB for young objects alone, and collects only when that is full,
 * which at rest it never is.
 */
export async function keepTidy({ idle, clock, log, heap = ownHeap }: TidyOptions, signal: AbortSignal): Promise<void> {
  let smallest = 0
  let before = false
  let used = heap.used()
  for (;;) {
    try {
      await clock.sleep(interval, signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    const now = idle()
    const share = (heap.used() - used) / interval
    // Not in a moment's pause between two changes: the second would have to wait.
    const isDue = before && now && share < restful && heap.size() > smallest * 1.25 + slack
    before = now
    used = heap.used()
    if (!isDue) continue
    try {
      await heap.collect()
      smallest = heap.size()
    } catch (error) {
      // It all works without, only larger.
      log.warn({ error: messageOf(error) }, 'the heap cannot be collected')
      return
    }
  }
}

/** This process's. The inspector's is the only supported way to a collection that also gives memory back. */
const ownHeap: Heap = {
  size: () => process.memoryUsage().heapTotal,
  used: () => (process.cpuUsage().user + process.cpuUsage().system) / 1000,
  async collect() {
    // A Node may be built without it.
    const { Session } = await import('node:inspector/promises')
    const session = new Session()
    session.connect()
    try {
      await session.post('HeapProfiler.collectGarbage')
    } finally {
      session.disconnect()
    }
  },
}
