import type { Blocker, InventoryEntry } from '../../api/index.ts'
import { KubeError } from '../../kube/errors.ts'
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
  const left = (await goesWithNamespace(context, inventory))
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

/**
 * Whether this is the first try, and all of it is in the environment's own namespace, removed as its own account. A kind
 * counts by what the server says of it: for one without namespaces a name of one means nothing.
 */
async function goesWithNamespace(
  { environment, namespace, namespaceState, kube, signal }: BackendContext,
  inventory: readonly InventoryEntry[],
): Promise<boolean> {
  if (namespaceState !== 'owned' || environment.status?.times?.teardownStarted !== undefined) return false
  for (const entry of inventory) {
    if (entry.namespace !== namespace || entry.serviceAccountName !== undefined) return false
    try {
      if (!(await kube.resourceFor(entry, { signal })).namespaced) return false
    } catch (error) {
      if (error instanceof KubeError) return false
      throw error
    }
  }
  return true
}
