import { deleteObjects } from '../cluster/delete-objects.ts'
import type { EngineHost } from '../host.ts'
import { noObject } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import { withoutDeleted } from '../result/collect.ts'
import type { CommandResult } from '../result/types.ts'
import { type ClusterFlags, DeclinedError, onCluster, type Shown } from './on-cluster.ts'

/** Shows what would be deleted, and gives whether to go on. */
export type ConfirmDeletion = (refs: readonly ObjectRef[]) => Promise<boolean>

/**
 * Deletes what a target has deployed and does not render any more, and waits until it is gone.
 * @throws EngineError when the target cannot be rendered, DeclinedError when it was not agreed to
 */
export async function prune(
  host: EngineHost,
  flags: ClusterFlags,
  signal: AbortSignal,
  confirm?: ConfirmDeletion,
): Promise<Shown<CommandResult>> {
  const call = {
    command: 'prune',
    initiator: 'CommandLine',
    ...(flags.dryRun === true ? { dryRun: true } : {}),
  } as const
  return onCluster(host, flags, signal, call, async one => {
    if (one.discriminator === '') {
      one.problems.addError(noObject, 'pruning without a discriminator is not supported')
      return {}
    }
    const remote = await one.findRemote({ refs: [], namespaces: one.namespaces })
    const orphans = one.deletable(remote, one.refs)
    if (confirm !== undefined && !(await confirm(orphans))) throw new DeclinedError('aborted')
    signal.throwIfAborted()
    const deleted = await deleteObjects(one.context, orphans, { wait: true, dryRun: flags.dryRun })
    const left = withoutDeleted(orphans, deleted)
    return { rendered: one.objects, remote: remote.all(), orphans: left, deleted }
  })
}
