import { type ByHand, deployingByHand, sinceOf } from '../../api/index.ts'
import type { BackendContext, Observation } from '../backend.ts'
import type { EngineServices } from '../engine.ts'
import { presentable } from '../mask.ts'
import { claimDiscriminator } from './claim.ts'
import { ownerOf, removeJobs } from './jobs.ts'

/** When to look again at a Job that is about to end, and at what others stand in the way of, in milliseconds. */
const recheckEnding = 1_000
const recheckRefused = 60_000

/**
 * Ends what the controller deploys into an environment that somebody deploys into by hand, and records what that
 * deployment's objects will carry. Gives what that looks like, or what keeps the deployment from beginning.
 */
export async function stepAside(
  context: BackendContext,
  { runs, discriminators }: Pick<EngineServices, 'runs' | 'discriminators'>,
  byHand: ByHand,
): Promise<Observation> {
  const { environment, kube, signal } = context
  await runs.stop(environment.metadata.uid ?? '')
  const jobs = await removeJobs(kube, ownerOf(environment), signal)
  if (byHand.state !== 'deploying') return observeByHand(context, byHand)
  const [job] = jobs
  if (job !== undefined) {
    const message = `waits until Job ${job.metadata.name} has ended, to leave the environment to ${presentable(byHand.by, 128)}`
    return { phase: 'deploying', reason: 'Deploying', message, recheckAfter: recheckEnding }
  }
  // One of an older version asks for none.
  if (byHand.discriminator === undefined) return observeByHand(context, byHand)
  const refusal = await claimDiscriminator(context, discriminators, byHand.discriminator)
  if (refusal === undefined) return observeByHand(context, byHand)
  // First what tells whom it answers: a long message is cut at its end.
  const message = `${presentable(byHand.by, 128)} ${sinceOf(byHand)}, which may not be: ${refusal.message}`
  return { phase: 'stalled', ...refusal, message, recheckAfter: recheckRefused }
}

/** Somebody's own working tree is what runs; what was deployed before has to be deployed again after it. */
function observeByHand({ environment }: BackendContext, { by, at, state }: ByHand): Observation {
  const before = environment.status?.engine
  const engine = before === undefined ? {} : { engine: { ...before, byHand: true } }
  const resume = `\`offshoot env resume ${environment.metadata.name}\``
  const then = `; the next push, or ${resume}, deploys the change again`
  const who = presentable(by, 128)
  if (state === 'deploying') {
    return {
      ...engine,
      phase: 'deploying',
      reason: deployingByHand,
      message: `${who} ${sinceOf({ at })}; ${resume} ends that`,
    }
  }
  if (state === 'failed') {
    const message = `a deployment by hand (${who}, ${at}) did not succeed${then}`
    return { ...engine, phase: 'failed', reason: 'DeployedByHand', message }
  }
  return { ...engine, phase: 'ready', reason: 'DeployedByHand', message: `deployed by hand (${who}, ${at})${then}` }
}
