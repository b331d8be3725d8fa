import { deleteObjects } from '../cluster/delete-objects.ts'
import { deploy as deployObjects, waitUntilReady } from '../cluster/deployment.ts'
import type { RemoteObjects } from '../cluster/remote-objects.ts'
import type { ClusterContext, DeployOptions, DeployResult } from '../cluster/types.ts'
import { defaultTimeout } from '../cluster/wait-ready.ts'
import type { EngineHost } from '../host.ts'
import { changedObjects } from '../plan/changes.ts'
import type { ObjectRef } from '../plan/types.ts'
import { collectObjects, type Findings, findingsOf } from '../result/collect.ts'
import { masked, maskOf } from '../result/mask.ts'
import type { Printed } from '../result/text.ts'
import type { CommandResult } from '../result/types.ts'
import { dryRun, type ForceFlags, forced } from './diff.ts'
import { type ClusterFlags, type ClusterRun, DeclinedError, onCluster, type Shown } from './on-cluster.ts'

/** Flags of `deploy`. */
export interface DeployFlags extends ClusterFlags, ForceFlags {
  readonly abortOnError?: boolean | undefined
  /** Waits neither for readiness nor until what is pruned is gone. */
  readonly noWait?: boolean | undefined
  /** Milliseconds for an object to get ready. */
  readonly readinessTimeout?: number | undefined
  /** Deletes orphans at the end. */
  readonly prune?: boolean | undefined
  /** As the controller deploys: nothing is pruned after an error, and all objects are waited for. */
  readonly asController?: boolean | undefined
}

/** Who has a say in a deployment before anything is changed. */
export interface Consent {
  /** Shows what a deployment would change, and gives whether to go on. */
  readonly confirm?: ConfirmDiff | undefined
  /** Makes sure that the target is nobody else's; what it holds is looked at again afterwards. Throws when it may not. */
  readonly claim?: ((discriminator: string) => Promise<void>) | undefined
}

/** Shows what a deployment would change, and gives whether to go on. */
export type ConfirmDiff = (diff: Shown<Printed>) => Promise<boolean>

/**
 * Deploys a target. With `confirm` it is first done as a dry run, and only if that is agreed to for real.
 * @throws EngineError when the target cannot be rendered, DeclinedError when it was not agreed to
 */
export async function deploy(
  host: EngineHost,
  flags: DeployFlags,
  signal: AbortSignal,
  { confirm, claim }: Consent = {},
): Promise<Shown<CommandResult>> {
  const call = {
    command: 'deploy',
    initiator: 'CommandLine',
    ...forced(flags),
    ...(flags.dryRun === true ? { dryRun: true } : {}),
    ...(flags.noWait === true ? { noWait: true } : {}),
    ...(flags.abortOnError === true ? { abortOnError: true } : {}),
  } as const
  return onCluster(host, flags, signal, call, async one => {
    one.warnWithoutDiscriminator()
    let remote = await one.findRemote()
    if (confirm !== undefined) await agree(one, remote, flags, confirm)
    signal.throwIfAborted()
    if (claim !== undefined) {
      await claim(one.discriminator)
      remote = await one.findRemote()
    }
    return carryOut(one, remote, flags)
  })
}

async function agree(one: ClusterRun, remote: RemoteObjects, flags: DeployFlags, confirm: ConfirmDiff): Promise<void> {
  const apart = one.apart()
  const findings = await dryRun(apart, remote, optionsOf(flags))
  const { errors, warnings } = apart.problems
  const plain = { objects: collectObjects(findings), errors, warnings }
  one.context.signal.throwIfAborted()
  if (!(await confirm({ plain, masked: masked(plain, maskOf(one.run)) }))) throw new DeclinedError('aborted')
}

async function carryOut(one: ClusterRun, remote: RemoteObjects, flags: DeployFlags): Promise<Findings> {
  const { context, problems, run } = one
  const options = { ...optionsOf(flags), dryRun: flags.dryRun, abortOnError: flags.abortOnError }
  const result = await deployObjects(context, run.items, remote, options)
  const changed = changedObjects({ items: run.items, applied: result.applied, remote }, problems)
  const orphans = one.deletable(remote, one.refs)
  const { asController = false } = flags
  const mayPrune = flags.prune === true && !(asController && problems.errors.length > 0)
  const pruned = mayPrune ? await prune(one, orphans, flags) : []
  if (asController && problems.errors.length === 0) await allReady(context, result, flags)
  return findingsOf({ rendered: one.objects, remote, result, changed, orphans, pruned })
}

async function allReady(context: ClusterContext, result: DeployResult, flags: DeployFlags): Promise<void> {
  const end = context.progress.start('Waiting until all objects are ready')
  const { readinessTimeout: timeout = defaultTimeout } = flags
  await waitUntilReady(context, result, { timeout, onProgress: () => undefined })
  end(context.problems.errors.length === 0 ? 'done' : 'failed')
}

async function prune(one: ClusterRun, orphans: readonly ObjectRef[], flags: DeployFlags): Promise<ObjectRef[]> {
  if (!one.requireDiscriminator('pruning')) return []
  // What was cut off may not have got to what replaces the orphans.
  if (one.context.signal.aborted) return []
  return deleteObjects(one.context, orphans, { wait: flags.noWait !== true, dryRun: flags.dryRun })
}

function optionsOf({ forceApply, replaceOnError, forceReplaceOnError, noWait, readinessTimeout }: DeployFlags) {
  return { forceApply, replaceOnError, forceReplaceOnError, noWait, readinessTimeout } satisfies DeployOptions
}
