import { refKey } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import type { ItemRun } from './item-run.ts'
import { ObjectWait, type Waiter } from './object-wait.ts'

/** How objects are waited for. */
export interface WaitPurpose {
  readonly hook: boolean
  /** Milliseconds; undefined for that of the command. */
  readonly timeout: number | undefined
}

/** Milliseconds for an object to get ready; as kluctl. */
export const defaultTimeout = 300_000
/** Milliseconds; timers end at once that are set for more than 2^31. */
const longestSleep = 86_400_000

/** Waits for objects of an item, in a real run. Gives the `refKey`s of those that are ready; see {@link waitAllReady}. */
export async function waitReady(item: ItemRun, refs: readonly ObjectRef[], purpose: WaitPurpose): Promise<Set<string>> {
  const { dryRun, options } = item.run
  if (dryRun) return new Set(refs.map(refKey))
  const timeout = purpose.timeout ?? options.readinessTimeout ?? defaultTimeout
  return waitAllReady(item, refs, { hook: purpose.hook, timeout })
}

/**
 * Waits until all objects are ready, and gives the `refKey`s of those that are. The deadline is for each object, and
 * counts anew when another one gets ready: what gets ready one after the other has the time that it would have if each
 * was waited for in turn. Problems are noted, never thrown.
 */
export async function waitAllReady(
  waiter: Waiter,
  refs: readonly ObjectRef[],
  { hook, timeout, onReady }: { hook: boolean; timeout: number; onReady?: () => void },
): Promise<Set<string>> {
  if (refs.length === 0) return new Set()
  const { clock } = waiter.run.context
  const timeUp = new AbortController()
  const over = new AbortController()
  let deadline = clock.now() + timeout
  const keepTime = async () => {
    for (let left = timeout; !over.signal.aborted; left = deadline - clock.now()) {
      if (left <= 0) return timeUp.abort()
      await clock.sleep(Math.min(left, longestSleep), over.signal).catch(() => undefined)
    }
  }
  const timekeeper = keepTime()
  const ready = new Set<string>()
  await Promise.all(
    refs.map(async ref => {
      if (!(await new ObjectWait(waiter, ref, hook).run(timeUp.signal))) return
      ready.add(refKey(ref))
      onReady?.()
      deadline = clock.now() + timeout
    }),
  )
  over.abort()
  await timekeeper
  return ready
}
