import type { Blocker } from '../../api/index.ts'
import type { BackendContext, Teardown } from '../backend.ts'
import { holdMilliseconds, isOverdue, recheckWhileWaiting } from '../waiting.ts'
import { identityOf } from './identity.ts'
import { blockerOf, type Leftover, removeObjects, removeUnseen } from './remove.ts'

/**
 * Removes everything in the inventory; what the account may no longer see inside the namespace is left to its end. The
 * first time nothing is looked at before, where all of it is in the environment's own namespace. Once everything was
 * seen gone, only what is outside that namespace is looked at again.
 */
export async function teardownObjects(context: BackendContext): Promise<Teardown> {
  const { inventory = [], times } = context.environment.status ?? {}
  const outside = inventory.filter(({ namespace }) => namespace !== context.namespace)
  const wasGone = times?.backendGone !== undefined
  const isFirst = times?.teardownStarted === undefined
  const left =
    isFirst && outside.length === 0 && context.namespaceState === 'owned'
      ? await removeUnseen(context, inventory)
      : await removeObjects(context, wasGone ? outside : inventory)
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
