import type { ObjectRef } from '../plan/types.ts'
import { deleteObject } from './delete-object.ts'
import type { ItemRun } from './item-run.ts'

/** Deletes an object as part of an item and waits until it is gone. A failure is noted, never thrown. */
export async function deleteInItem(
  item: ItemRun,
  ref: ObjectRef,
  hook: boolean,
): Promise<'deleted' | 'absent' | 'failed'> {
  const { run } = item
  try {
    const outcome = await deleteObject(run.context, ref, {
      retrier: run.retrier,
      dryRun: run.dryRun,
      wait: true,
      remind: what => item.tracker.line(what),
      onWarning: warning => item.warn(ref, warning),
    })
    // What a dry run only pretended to apply is not there to be deleted.
    if (outcome === 'absent' && !(run.dryRun && run.hasTaken(ref))) return 'absent'
    item.deleted(ref, hook)
    return 'deleted'
  } catch (error) {
    item.fail(ref, error)
    return 'failed'
  }
}
