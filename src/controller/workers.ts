import type { Clock } from '../util/clock.ts'
import { withDeadline } from '../util/deadline.ts'
import { messageOf, TerminalError } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'
import { QueueClosed, type WorkQueue } from './queue.ts'

/** What a reconciler asks for after a success; absent: nothing until something is heard. */
export interface Outcome {
  /** When to look again although nothing was heard, in milliseconds. */
  recheckAfter?: number
}

/** Works on one key; throws to be called again after a growing wait. TerminalError: not before something changes. */
export type Handler = (key: string, signal: AbortSignal) => Promise<Outcome | undefined>

/** What is known of one finished piece of work, for metrics. */
export interface WorkResult {
  key: string
  milliseconds: number
  result: 'success' | 'error' | 'terminal'
}

/** What a pool of workers is made of. */
export interface WorkerOptions {
  queue: WorkQueue
  handler: Handler
  /** How many keys are worked on at a time. */
  workers: number
  clock: Clock
  log: Logger
  /** Longest time one piece of work may take before it is aborted, in milliseconds; default 120,000. */
  deadline?: number
  observe?: (result: WorkResult) => void
}

/** Milliseconds that a failure asks to wait, such as a forge's retry-after; 0 if it asks for none. */
export function waitAskedBy(error: unknown): number {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    if ('retryAfter' in at && typeof at.retryAfter === 'number' && at.retryAfter > 0) return at.retryAfter
  }
  return 0
}

/**
 * Runs `workers` workers until the signal aborts or the queue closes, and resolves when the last of them has ended.
 * Work that has begun is aborted with the signal.
 */
export async function runWorkers(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  await Promise.all(Array.from({ length: options.workers }, () => runWorker(options, signal)))
}

async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  for (;;) {
    let key: string
    try {
      key = await options.queue.get(signal)
    } catch (error) {
      if (signal.aborted || error instanceof QueueClosed) return
      throw error
    }
    try {
      await workOn(key, options, signal)
    } finally {
      options.queue.done(key)
    }
  }
}

async function workOn(key: string, options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { queue, clock, log } = options
  const started = clock.now()
  let result: WorkResult['result'] = 'success'
  try {
    const { deadline = 120_000 } = options
    const outcome = await withDeadline(clock, deadline, signal, inner => options.handler(key, inner))
    queue.forget(key)
    if (outcome?.recheckAfter !== undefined) queue.addAfter(key, outcome.recheckAfter, { look: true })
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof TerminalError) {
      result = 'terminal'
      queue.forget(key)
      log.warn({ key, reason: error.reason, error: messageOf(error) }, 'stalled')
    } else {
      result = 'error'
      const wait = queue.retry(key, waitAskedBy(error))
      log.warn({ key, wait, error: messageOf(error) }, 'failed; trying again')
    }
  } finally {
    options.observe?.({ key, milliseconds: clock.now() - started, result })
  }
}
