import { deleteObjects } from '../cluster/delete-objects.ts'
import type { EngineHost } from '../host.ts'
import { noObject } from '../plan/refs.ts'
import type { CommandResult } from '../result/types.ts'
import { type ClusterFlags, DeclinedError, onCluster, type Shown } from './on-cluster.ts'
import type { ConfirmDeletion } from './prune.ts'

/** Flags of `delete`. */
export interface DeleteFlags extends ClusterFlags {
  /** Does not wait until everything is gone. */
  readonly noWait?: boolean | undefined
}

/**
 * Deletes everything on the cluster that has a target's discriminator, rendered or not.
 * @throws EngineError when the target cannot be rendered, DeclinedError when it was not agreed to
 */
export async function deleteTarget(
  host: EngineHost,
  flags: DeleteFlags,
  signal: AbortSignal,
  confirm?: ConfirmDeletion,
): Promise<Shown<CommandResult>> {
  const call = {
    command: 'delete',
    initiator: 'CommandLine',
    ...(flags.dryRun === true ? { dryRun: true } : {}),
    ...(flags.noWait === true ? { noWait: true } : {}),
  } as const
  return onCluster(host, flags, signal, call, async one => {
    if (one.discriminator === '') {
      one.problems.addError(noObject, 'deletion without a discriminator is not supported')
      return {}
    }
    const remote = await one.findRemote({ refs: [], namespaces: one.namespaces })
    const refs = one.deletable(remote)
    if (confirm !== undefined && !(await confirm(refs))) throw new DeclinedError('aborted')
    signal.throwIfAborted()
    const deleted = await deleteObjects(one.context, refs, { wait: flags.noWait !== true, dryRun: flags.dryRun })
    return { rendered: one.objects, remote: remote.all(), deleted }
  })
}
