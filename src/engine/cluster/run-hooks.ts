import type { Hook } from '../plan/hooks.ts'
import { formatRef, refKey, refOf } from '../plan/refs.ts'
import { applyObject } from './apply.ts'
import { deleteInItem } from './delete-in-item.ts'
import type { ItemRun } from './item-run.ts'
import { waitReady } from './wait-ready.ts'

/**
 * Runs hooks in their order: first deletes those that were left by the time before, then applies each and waits until
 * it is ready, and in the end deletes, last first, those whose policies say so.
 */
export async function runHooks(item: ItemRun, hooks: readonly Hook[]): Promise<void> {
  const { run, tracker } = item
  if (hooks.length === 0 || run.stopped) return
  const old = hooks.filter(hook => hook.deletePolicies.has('before-hook-creation'))
  if (old.length > 0) tracker.line(`Deleting ${old.length} hooks before hook execution`)
  for (const [index, hook] of old.entries()) await deleteHook(item, hook, index, old.length)
  tracker.line(`Applying ${hooks.length} hooks`)
  const outcomes = new Map<Hook, boolean>()
  for (const [index, hook] of hooks.entries()) {
    if (run.stopped) break
    const isReady = await runHook(item, hook, `${index + 1} of ${hooks.length}`)
    if (isReady !== undefined) outcomes.set(hook, isReady)
    tracker.advance()
  }
  if (run.context.signal.aborted) return
  const over = hooks.filter(hook => isToDelete(hook, outcomes.get(hook))).toReversed()
  if (over.length > 0) tracker.line(`Deleting ${over.length} hooks after hook execution`)
  for (const [index, hook] of over.entries()) await deleteHook(item, hook, index, over.length)
}

/** Whether the hook got ready; undefined when it could not be applied or is not waited for. */
async function runHook(item: ItemRun, hook: Hook, position: string): Promise<boolean | undefined> {
  const ref = refOf(hook.object)
  item.tracker.update(`Applying hook ${formatRef(ref)} (${position})`)
  const replaced = hook.deletePolicies.has('before-hook-creation')
  await applyObject(item, hook.object, { hook: true, replaced })
  if (item.hadError(ref) || !hook.wait || item.run.options.noWait === true) return undefined
  const ready = await waitReady(item, [ref], { hook: true, timeout: hook.timeout })
  return ready.has(refKey(ref))
}

function isToDelete({ deletePolicies }: Hook, isReady: boolean | undefined): boolean {
  return isReady !== undefined && deletePolicies.has(isReady ? 'hook-succeeded' : 'hook-failed')
}

async function deleteHook(item: ItemRun, hook: Hook, index: number, count: number): Promise<void> {
  const ref = refOf(hook.object)
  const policies = [...hook.deletePolicies].join(',')
  const what = `Deleting hook ${formatRef(ref)} due to hook-delete-policy ${policies}`
  item.tracker.update(`${what} (${index + 1} of ${count})`)
  await deleteInItem(item, ref, true)
}
