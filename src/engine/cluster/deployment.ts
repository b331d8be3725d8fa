import { parallel } from '../../util/parallel.ts'
import { planDeployment, type Stage } from '../plan/deploy-plan.ts'
import type { RemoteView } from '../plan/types.ts'
import type { ItemObjects } from '../render/items.ts'
import { ItemRun } from './item-run.ts'
import { DeployRun } from './run.ts'
import { runItem } from './run-item.ts'
import type { ClusterContext, DeployOptions, DeployResult } from './types.ts'

export { type DeleteOptions, deleteObjects } from './delete-objects.ts'
export { validateObject } from './readiness.ts'
export type { ClusterContext, DeployOptions, DeployResult } from './types.ts'
export { unreadyObjects } from './unready.ts'
export { waitUntilReady } from './wait-until-ready.ts'

/** Items worked on at a time, as kluctl. */
const defaultParallelism = 8

/**
 * Carries out a deployment, or its dry run: items in parallel up to each barrier; in an item deletions, hooks before,
 * objects, waiting, hooks after. Never throws for what happens to an object, nor when it is aborted: the context's
 * `problems` say what went wrong, the result what was done up to then.
 */
export async function deploy(
  context: ClusterContext,
  items: readonly ItemObjects[],
  remote: RemoteView,
  options: DeployOptions = {},
): Promise<DeployResult> {
  const plan = planDeployment(items, remote, context.problems)
  const run = new DeployRun(context, plan, remote, options)
  for (const stage of plan.stages) {
    if (run.stopped) break
    await runStage(run, stage)
  }
  return run.result
}

async function runStage(run: DeployRun, { items, barrier }: Stage): Promise<void> {
  const { progress } = run.context
  const work = parallel(items, run.options.parallelism ?? defaultParallelism, async plan => {
    if (!run.stopped) await runItem(new ItemRun(run, plan))
  })
  if (barrier === undefined) return void (await work)
  const end = progress.start(
    barrier.message === undefined ? 'Waiting on barrier...' : `Waiting on barrier: ${barrier.message}`,
  )
  await work
  end(run.stopped ? 'failed' : 'done')
}
