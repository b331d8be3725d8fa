import type { Blocker, InventoryEntry } from '../../api/index.ts'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/types.ts'
import { messageOf } from '../../util/errors.ts'
import { parallel } from '../../util/parallel.ts'
import type { BackendContext } from '../backend.ts'
import { presentable } from '../mask.ts'
import { isOurs, ownerText } from '../ownership.ts'
import { isHolding } from '../waiting.ts'
import { clientOf, entryKey } from './identity.ts'

/** Reads at once, per environment. */
export const readLimit = 8

/** An object of an inventory that is still there, or that may be. */
export interface Leftover {
  entry: InventoryEntry
  /** Its metadata, when it could be read. */
  live?: KubeObject
  /** Why it is not deleted: not ours, or the account may not. */
  problem?: string
  /** The account may not even look (any more). */
  unreadable?: boolean
}

/**
 * Deletes the objects of an inventory that are this environment's, in reverse order of applying, as the accounts that
 * applied them. Gives what is still there; call again until that is nothing.
 */
export async function removeObjects(context: BackendContext, entries: readonly InventoryEntry[]): Promise<Leftover[]> {
  const looks = await parallel(entries, readLimit, entry => look(context, entry))
  return inReverse(context, looks.toReversed(), (found, held) =>
    held || found.problem !== undefined ? Promise.resolve(found) : removeOne(context, found),
  )
}

/**
 * As `removeObjects`, without a look before: for what is in a namespace that goes as a whole, whoever has made it.
 * Nothing is asked about what comes after an object that holds the others up.
 */
export function removeUnseen(context: BackendContext, entries: readonly InventoryEntry[]): Promise<Leftover[]> {
  return inReverse(context, entries.toReversed(), (entry, held) =>
    held ? Promise.resolve({ entry }) : removeOne(context, { entry }),
  )
}

/** Removes one after the other, beginning with the last; `held`: something that was begun before is not gone yet. */
async function inReverse<T>(
  context: BackendContext,
  reversed: readonly (T | undefined)[],
  remove: (item: T, held: boolean) => Promise<Leftover | undefined>,
): Promise<Leftover[]> {
  const left: Leftover[] = []
  let held = false
  for (const item of reversed) {
    const still: Leftover | undefined = item === undefined ? undefined : await remove(item, held)
    if (still === undefined) continue
    left.push(still)
    held ||= still.live !== undefined && isHolding(context, still.live)
  }
  return left.toReversed()
}

async function look(context: BackendContext, entry: InventoryEntry): Promise<Leftover | undefined> {
  const kube = clientOf(context, entry.serviceAccountName)
  try {
    const live = await kube.getMetadata(entryKey(entry), { signal: context.signal })
    if (live === undefined) return undefined
    if (!isOurs(live, context.environment)) return { entry, live, problem: `${ownerText(live)}: it is not deleted` }
    return { entry, live }
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    // A kind that is gone has taken its objects with it.
    if (error.isKindMissing) return undefined
    if (error.isForbidden) return { entry, problem: presentable(messageOf(error)), unreadable: true }
    throw error
  }
}

async function removeOne(context: BackendContext, found: Leftover): Promise<Leftover | undefined> {
  const { entry, live } = found
  if (live?.metadata.deletionTimestamp !== undefined) return found
  const uid = live?.metadata.uid
  try {
    const rest = await clientOf(context, entry.serviceAccountName).delete(entryKey(entry), {
      ...(uid === undefined ? {} : { uid }),
      signal: context.signal,
    })
    return rest && { entry, live: rest }
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    // A kind that is gone has taken its objects with it.
    if (error.isKindMissing) return undefined
    // Another object has taken the name: the next look tells whose it is.
    if (error.isConflict) return found
    if (error.isForbidden || error.isInvalid) {
      const unseen = found.live === undefined && error.isForbidden ? { unreadable: true } : {}
      return { ...found, problem: presentable(messageOf(error)), ...unseen }
    }
    throw error
  }
}

/** Leftovers as a teardown reports them. */
export function blockerOf({ entry, live, problem }: Leftover): Blocker {
  const finalizers = live?.metadata.finalizers?.slice(0, 20)
  return {
    ...entryKey(entry),
    ...(finalizers === undefined || finalizers.length === 0 ? {} : { finalizers }),
    ...(problem === undefined ? {} : { message: problem }),
  }
}
