import { annotations, type InventoryEntry, type ReviewEnvironment } from '../../api/index.ts'
import type { KubeObject } from '../../kube/types.ts'
import { TerminalError } from '../../util/errors.ts'
import { isOurs, ownerText } from '../ownership.ts'
import type { Refusal } from '../refusals.ts'
import { identityOf } from './identity.ts'
import type { PreparedObject } from './prepare.ts'

/** What a look at the cluster told about one wanted object: it, its absence, or why it could not be read. */
export type Look = { live?: KubeObject } | { refusal: Refusal }

/** What is to be done so that the cluster holds what is wanted. */
export interface ObjectsPlan {
  /** In this order; `uid` is that of the live object, which must not be replaced by another one meanwhile. */
  apply: { prepared: PreparedObject; uid?: string }[]
  /** The inventory that must be recorded before the first write. */
  inventory: InventoryEntry[]
  /** Entries that left the template. */
  prune: InventoryEntry[]
  refusals: Refusal[]
}

/** Most entries an inventory holds (its limit in the ReviewEnvironment's schema). */
const maxInventory = 500

/**
 * Compares what is wanted with what was seen. Pure. What somebody else made is refused, never adopted; what was
 * recorded stays recorded until it is seen gone; nothing is pruned while anything is refused.
 * @throws TerminalError when the inventory would outgrow its limit
 */
export function planObjects(
  environment: ReviewEnvironment,
  wanted: readonly PreparedObject[],
  looks: ReadonlyMap<string, Look>,
  account: string | undefined,
): ObjectsPlan {
  const recorded = environment.status?.inventory ?? []
  const inventory = new Map(recorded.map(entry => [identityOf(entry), entry]))
  const plan: ObjectsPlan = { apply: [], inventory: [], prune: [], refusals: [] }
  for (const prepared of wanted) {
    const look = looks.get(prepared.id) ?? {}
    const refusal = refusalFor(prepared, look, environment)
    const before = inventory.get(prepared.id)
    // Moves to the end where it was there before, so that the inventory keeps the order of applying.
    inventory.delete(prepared.id)
    if (refusal !== undefined) {
      plan.refusals.push(refusal)
      if (before !== undefined) inventory.set(prepared.id, before)
      continue
    }
    const live = 'live' in look ? look.live : undefined
    inventory.set(prepared.id, entryOf(prepared, account))
    if (isCurrent(live, prepared)) continue
    plan.apply.push({ prepared, ...(live?.metadata.uid === undefined ? {} : { uid: live.metadata.uid }) })
  }
  plan.inventory = [...inventory.values()]
  if (plan.inventory.length > maxInventory) {
    throw new TerminalError('TooManyObjects', `expected at most ${maxInventory} objects, got ${plan.inventory.length}`)
  }
  const wantedIds = new Set(wanted.map(prepared => prepared.id))
  if (plan.refusals.length === 0) plan.prune = plan.inventory.filter(entry => !wantedIds.has(identityOf(entry)))
  return plan
}

/**
 * The inventory that a plan will ask for in the environment's own namespace while that does not exist: nothing in it
 * can be somebody else's yet. What is outside is recorded only after a look at it.
 */
export function foreseenInventory(
  wanted: readonly PreparedObject[],
  namespace: string,
  account: string | undefined,
): InventoryEntry[] {
  const inside = wanted.filter(({ key, unknownKind }) => unknownKind === undefined && key.namespace === namespace)
  return inside.slice(0, maxInventory).map(prepared => entryOf(prepared, account))
}

function entryOf({ key }: PreparedObject, account: string | undefined): InventoryEntry {
  return { ...key, ...(account === undefined ? {} : { serviceAccountName: account }) }
}

/** What is being deleted is left alone until it is gone: applying it would only be lost. */
function isCurrent(live: KubeObject | undefined, { digest }: PreparedObject): boolean {
  if (live === undefined) return false
  return live.metadata.deletionTimestamp !== undefined || live.metadata.annotations?.[annotations.digest] === digest
}

function refusalFor(
  { key, unknownKind }: PreparedObject,
  look: Look,
  environment: ReviewEnvironment,
): Refusal | undefined {
  if (unknownKind !== undefined) return { object: key, reason: 'KindNotFound', message: unknownKind }
  if ('refusal' in look) return look.refusal
  if (look.live === undefined || isOurs(look.live, environment)) return undefined
  return { object: key, reason: 'NotOurs', message: `${ownerText(look.live)}: it is neither adopted nor changed` }
}
