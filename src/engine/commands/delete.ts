import type { EngineHost } from '../host.ts'
import type { CommandResult } from '../result/types.ts'
import { type ConfirmDeletion, deleteAgreed } from './deletion.ts'
import { type ClusterFlags, onCluster, type Shown } from './on-cluster.ts'

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
    if (!one.requireDiscriminator('deletion')) return {}
    const { remote, deleted } = await deleteAgreed(one, { wait: flags.noWait !== true, confirm })
    return { rendered: one.objects, remote: remote.all(), deleted }
  })
}
