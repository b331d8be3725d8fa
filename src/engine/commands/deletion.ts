import { deleteObjects } from '../cluster/delete-objects.ts'
import type { RemoteObjects } from '../cluster/remote-objects.ts'
import type { ObjectRef } from '../plan/types.ts'
import { type ClusterRun, DeclinedError } from './on-cluster.ts'

/** Shows what would be deleted, and gives whether to go on. */
export type ConfirmDeletion = (refs: readonly ObjectRef[]) => Promise<boolean>

/** What was found, what of it was to be deleted, and what was. */
interface Deletion {
  readonly remote: RemoteObjects
  readonly refs: readonly ObjectRef[]
  readonly deleted: readonly ObjectRef[]
}

/**
 * Deletes what has the target's discriminator, in all namespaces that the target knows, but for `keep`.
 * @throws DeclinedError when it was not agreed to; KubeError, KubeConnectionError, the signal's reason
 */
export async function deleteAgreed(
  one: ClusterRun,
  { keep = [], wait, confirm }: { keep?: readonly ObjectRef[]; wait: boolean; confirm: ConfirmDeletion | undefined },
): Promise<Deletion> {
  const { context, flags } = one
  const remote = await one.findRemote({ refs: [], namespaces: one.namespaces })
  const refs = one.deletable(remote, keep)
  if (confirm !== undefined && !(await confirm(refs))) throw new DeclinedError('aborted')
  context.signal.throwIfAborted()
  return { remote, refs, deleted: await deleteObjects(context, refs, { wait, dryRun: flags.dryRun }) }
}
