import type { Clock } from './clock.ts'
import { OffshootError } from './errors.ts'

/**
 * Runs work that ends with the outer signal, or with an error after so many milliseconds; it has to heed its own signal.
 * @throws what the work throws; the signal's reason is an OffshootError after the deadline
 */
export async function withDeadline<T>(
  clock: Clock,
  milliseconds: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const inner = new AbortController()
  const finished = new AbortController()
  const onAbort = () => inner.abort(outer.reason)
  if (outer.aborted) onAbort()
  outer.addEventListener('abort', onAbort, { once: true })
  clock.sleep(milliseconds, finished.signal).then(
    () => inner.abort(new OffshootError(`not finished within ${milliseconds / 1000} s`)),
    () => undefined,
  )
  try {
    return await work(inner.signal)
  } finally {
    outer.removeEventListener('abort', onAbort)
    // A reason of its own is much cheaper than the DOMException that stands for none.
    finished.abort(workFinished)
  }
}

const workFinished = new OffshootError('the work has ended')
