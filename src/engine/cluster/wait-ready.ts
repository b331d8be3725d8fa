import { refKey } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import type { ItemRun } from './item-run.ts'
import { ObjectWait } from './object-wait.ts'

/** How objects are waited for. */
export interface WaitPurpose {
  readonly hook: boolean
  /** Milliseconds; undefined for that of the command. */
  readonly timeout: number | undefined
}

/** Milliseconds; as kluctl. */
const defaultTimeout = 300_000

/**
 * Waits until all objects are ready, and gives the `refKey`s of those that are. The deadline is for each object, and
 * counts anew when another one gets ready: what gets ready one after the other has the time that it would have if each
 * was waited for in turn. Problems are noted, never thrown.
 */
export async function waitReady(item: ItemRun, refs: readonly ObjectRef[], purpose: WaitPurpose): Promise<Set<string>> {
  const { run } = item
  if (run.dryRun || refs.length === 0) return new Set(refs.map(refKey))
  const { clock } = run.context
  const timeout = purpose.timeout ?? run.options.readinessTimeout ?? defaultTimeout
  const timeUp = new AbortController()
  const over = new AbortController()
  let deadline = clock.now() + timeout
  const keepTime = async () => {
    for (let left = timeout; !over.signal.aborted; left = deadline - clock.now()) {
      if (left <= 0) return timeUp.abort()
      await clock.sleep(left, over.signal).catch(() => undefined)
    }
  }
  const timekeeper = keepTime()
  const ready = new Set<string>()
  await Promise.all(
    refs.map(async ref => {
      if (!(await new ObjectWait(item, ref, purpose.hook).run(timeUp.signal))) return
      ready.add(refKey(ref))
      deadline = clock.now() + timeout
    }),
  )
  over.abort()
  await timekeeper
  return ready
}
