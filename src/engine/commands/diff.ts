import { deploy } from '../cluster/deployment.ts'
import type { RemoteObjects } from '../cluster/remote-objects.ts'
import type { DeployOptions } from '../cluster/types.ts'
import type { EngineHost } from '../host.ts'
import { changedObjects } from '../plan/changes.ts'
import type { DiffFlags } from '../plan/ignore-diff.ts'
import { type Findings, findingsOf } from '../result/collect.ts'
import type { CommandResult } from '../result/types.ts'
import { type ClusterFlags, type ClusterRun, onCluster, type Shown } from './on-cluster.ts'

/** How objects that cannot simply be applied are dealt with; kluctl's flags. */
export type ForceFlags = Pick<DeployOptions, 'forceApply' | 'replaceOnError' | 'forceReplaceOnError'>

/** Flags of `diff`. */
export interface DiffCommandFlags extends ClusterFlags, ForceFlags, DiffFlags {}

/** What deploying a target would change, found out by a dry run. @throws EngineError when it cannot be rendered */
export async function diff(
  host: EngineHost,
  flags: DiffCommandFlags,
  signal: AbortSignal,
): Promise<Shown<CommandResult>> {
  const { forceApply, replaceOnError, forceReplaceOnError } = flags
  const call = { command: 'diff', initiator: 'CommandLine', dryRun: true, ...forced(flags) } as const
  return onCluster(host, { ...flags, dryRun: true }, signal, call, async one => {
    one.warnWithoutDiscriminator()
    const remote = await one.findRemote()
    return dryRun(one, remote, { forceApply, replaceOnError, forceReplaceOnError }, flags)
  })
}

/** The force flags that are set. */
export function forced({ forceApply, replaceOnError, forceReplaceOnError }: ForceFlags) {
  return {
    ...(forceApply === true ? { forceApply } : {}),
    ...(replaceOnError === true ? { replaceOnError } : {}),
    ...(forceReplaceOnError === true ? { forceReplaceOnError } : {}),
  }
}

/** Carries out a deployment as a dry run, and tells what it would change and what would be left over. */
export async function dryRun(
  one: ClusterRun,
  remote: RemoteObjects,
  options: DeployOptions,
  flags?: DiffFlags,
): Promise<Findings> {
  const { items } = one.run
  const result = await deploy(one.context, items, remote, { ...options, dryRun: true })
  const changed = changedObjects({ items, applied: result.applied, remote, flags }, one.problems)
  return findingsOf({ rendered: one.objects, remote, result, changed, orphans: one.deletable(remote, one.refs) })
}
