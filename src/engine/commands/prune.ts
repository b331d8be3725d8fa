import type { EngineHost } from '../host.ts'
import { withoutDeleted } from '../result/collect.ts'
import type { CommandResult } from '../result/types.ts'
import { type ConfirmDeletion, deleteAgreed } from './deletion.ts'
import { type ClusterFlags, onCluster, type Shown } from './on-cluster.ts'

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
    if (!one.requireDiscriminator('pruning')) return {}
    const { remote, refs, deleted } = await deleteAgreed(one, { keep: one.refs, wait: true, confirm })
    return { rendered: one.objects, remote: remote.all(), orphans: withoutDeleted(refs, deleted), deleted }
  })
}
