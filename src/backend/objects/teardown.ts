import type { Blocker } from '../../api/index.ts'
import type { BackendContext, Teardown } from '../backend.ts'
import { isOverdue, recheckWhileWaiting } from '../waiting.ts'
import { identityOf } from './identity.ts'
import { blockerOf, holdMilliseconds, type Leftover, removeObjects } from './remove.ts'

/**
 * Removes everything in the inventory; what the account may no longer see inside the namespace is left to its end. Once
 * everything was seen gone, only what is outside that namespace is looked at again.
 */
export async function teardownObjects(context: BackendContext): Promise<Teardown> {
  const { inventory: recorded = [], times } = context.environment.status ?? {}
  const wasGone = times?.backendGone !== undefined
  const inventory = wasGone ? recorded.filter(({ namespace }) => namespace !== context.namespace) : recorded
  const left = await removeObjects(context, inventory)
  const hidden = left.filter(leftover => leftover.unreadable && leftover.entry.namespace === context.namespace)
  const there = left.filter(leftover => !hidden.includes(leftover))
  const gone = there.length === 0
  return {
    gone,
    blockers: [...there.map(blockerOf), ...rememberedBlockers(context, hidden)],
    proceed: gone || isOverdue(context, holdMilliseconds),
    ...(gone ? {} : { recheckAfter: recheckWhileWaiting(context) }),
  }
}

/** The account's rights end with the namespace: what was named before is named on, until the namespace is gone. */
function rememberedBlockers(context: BackendContext, hidden: readonly Leftover[]): Blocker[] {
  const ids = new Set(hidden.map(({ entry }) => identityOf(entry)))
  return (context.environment.status?.blockers ?? []).filter(blocker => ids.has(identityOf(blocker)))
}
