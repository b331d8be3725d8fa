import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/types.ts'
import { EngineError } from '../errors.ts'
import type { Manifest } from '../item.ts'
import { heldBy } from '../plan/blockers.ts'
import { formatRef } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import { follow, keyOfRef } from './follow.ts'
import { reminding } from './reminding.ts'
import type { Retrier } from './retrying.ts'
import type { ClusterContext } from './types.ts'

/** How one object is deleted. */
export interface DeletePurpose {
  readonly retrier: Retrier
  readonly dryRun: boolean
  /** Whether to come back only when it is gone. */
  readonly wait: boolean
  /** Called now and then with what is waited for. */
  readonly remind: (what: string) => void
  /** Called with warnings of the API server. */
  readonly onWarning: (warning: string) => void
}

/** Milliseconds between lines that say what is still waited for. */
const reminderInterval = 10_000

/**
 * Deletes one object; what belongs to it is collected in the background. `absent` if there was none.
 * @throws KubeError, KubeConnectionError, EngineError when aborted while it is waited for
 */
export async function deleteObject(
  context: ClusterContext,
  ref: ObjectRef,
  purpose: DeletePurpose,
): Promise<'deleted' | 'absent'> {
  const left = await sendDelete(context, ref, purpose)
  if (left === 'absent' || left === undefined || purpose.dryRun || !purpose.wait) {
    return left === 'absent' ? left : 'deleted'
  }
  await waitUntilGone(context, ref, left, purpose)
  return 'deleted'
}

async function sendDelete(
  { kube, signal }: ClusterContext,
  ref: ObjectRef,
  { retrier, dryRun, onWarning }: DeletePurpose,
): Promise<KubeObject | undefined | 'absent'> {
  let tries = 0
  try {
    return await retrier.run(() => {
      tries++
      return kube.delete(keyOfRef(ref), { propagation: 'Background', dryRun, mustExist: true, signal, onWarning })
    }, signal)
  } catch (error) {
    if (!(error instanceof KubeError && error.isNotFound)) throw error
    // The answer to the try before may have been lost, not the deletion.
    return tries > 1 ? undefined : 'absent'
  }
}

async function waitUntilGone(
  context: ClusterContext,
  ref: ObjectRef,
  left: KubeObject,
  { remind }: DeletePurpose,
): Promise<void> {
  let last: KubeObject = left
  const look = (object: KubeObject | undefined) => {
    // Another object of the same name is none of ours.
    if (object === undefined || object.metadata.uid !== left.metadata.uid) return true
    last = object
    return false
  }
  const held = () => heldBy(last as unknown as Manifest)
  try {
    await reminding(
      context.clock,
      reminderInterval,
      () => remind(`Still waiting for the deletion of ${formatRef(ref)}${held()}`),
      () => follow(context, ref, look, context.signal),
    )
  } catch (cause) {
    throw new EngineError(`failed waiting for deletion of ${formatRef(ref)}${held()}`, { cause })
  }
}
