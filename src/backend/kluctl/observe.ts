import type { DesiredKluctlDeployment } from '../../environment/desired.ts'
import type { BackendContext, Observation } from '../backend.ts'
import { presentable } from '../mask.ts'
import { recheckStarting } from '../waiting.ts'
import type { Verdict } from './discriminators.ts'
import { lookAtObjects } from './objects-ready.ts'
import { request } from './requests.ts'
import {
  commitOf,
  isStrange,
  type KluctlDeployment,
  type KluctlProblem,
  type Progress,
  progressOf,
} from './resource.ts'

/** When to look again at what waits for a person or another environment, in milliseconds. */
const recheckStalled = 60_000
/** When to look again at what the KluctlDeployment itself will tell, in milliseconds: only in case that is missed. */
const recheckUnheard = 15_000
/** When to look again at a project that is being loaded, in milliseconds. */
const recheckLoading = 2_000
/** How often a project in another repository is looked at for new commits, in milliseconds. */
const recheckFollowed = 5 * 60_000
/** How often a ready environment is looked at again, in milliseconds; its KluctlDeployment tells changes by itself. */
const recheckReady = 15 * 60_000
/** How long validation may fail although the objects are ready, before that is called a failure, in milliseconds. */
const validationPatience = 5 * 60_000
/** Longest text taken over from kluctl, in characters. */
const maxText = 700

type Done = Extract<Progress, { at: 'done' }>

/**
 * Tells how the deployment stands. kluctl validates once, right after applying, when pods are never ready: so the
 * objects that it missed are looked at here, and it is asked again when they are ready. `wanted`: the change's commit.
 */
export async function observeDeployment(
  context: BackendContext,
  backend: DesiredKluctlDeployment,
  wanted: string,
  deployment: KluctlDeployment | undefined,
): Promise<Observation> {
  if (deployment === undefined) return deploying('Creating', 'the KluctlDeployment is being created')
  // What is at another commit than the change is not ready, whatever it says; other repositories go their own way.
  const revision = backend.ownRepository ? wanted : commitOf(deployment)
  const observation = await judge(context, backend, revision, deployment, ageOf(context, deployment))
  return revision === undefined ? observation : { ...observation, revision }
}

/** The project takes its time to load: a look at it soon. */
export function loadingProject(): Observation {
  return deploying('LoadingProject', 'the Kluctl project is being loaded', recheckLoading)
}

/** Nothing is written with such a discriminator. */
export function refused({ reason, message }: Extract<Verdict, { ok: false }>): Observation {
  return { phase: 'stalled', reason, message, recheckAfter: recheckStalled }
}

async function judge(
  context: BackendContext,
  backend: DesiredKluctlDeployment,
  revision: string | undefined,
  deployment: KluctlDeployment,
  age: number,
): Promise<Observation> {
  if (deployment.object.metadata.deletionTimestamp !== undefined) {
    return deploying('Recreating', 'the KluctlDeployment is being deleted and will be made anew')
  }
  if (deployment.spec.suspend === true) {
    const message = 'somebody set spec.suspend on the KluctlDeployment: kluctl does nothing until it is unset'
    return { phase: 'stalled', reason: 'Suspended', message, recheckAfter: recheckStalled }
  }
  const progress = progressOf(deployment, revision)
  if (progress.at === 'working') return deploying('Reconciling', workingMessage(deployment, progress.message))
  if (progress.at === 'prepareFailed') return prepareFailed(context, deployment, progress.message, age)
  if (deployment.spec.dryRun === true) return held(context, deployment)
  const observation = await deployed(context, deployment, progress, age)
  // Nobody tells when the branch of another repository moves.
  const follow = observation.phase === 'ready' && !backend.ownRepository
  return follow ? { ...observation, recheckAfter: recheckFollowed } : observation
}

function workingMessage({ object, spec }: KluctlDeployment, message: string): string {
  const taken = object.metadata.finalizers?.some(finalizer => finalizer.includes('kluctl')) ?? false
  if (!taken) return 'no kluctl controller has taken up the KluctlDeployment yet'
  return presentable(spec.dryRun === true ? `held, in a dry run: ${message}` : message, maxText)
}

/** kluctl tries again by itself only after its interval; most causes (a Git server) pass sooner. */
async function prepareFailed(
  context: BackendContext,
  deployment: KluctlDeployment,
  message: string,
  age: number,
): Promise<Observation> {
  const next = await request(context, deployment, 'reconcile', age)
  return { phase: 'failed', reason: 'PrepareFailed', message: presentable(message, maxText), recheckAfter: next }
}

/** A hand's edit is undone by now; what kluctl makes of the very spec that was proven is the project's doing. */
function held({ environment }: BackendContext, deployment: KluctlDeployment): Observation {
  if (!isStrange(deployment, environment)) return deploying('Deploying', 'kluctl tells the proven discriminator again')
  const told = JSON.stringify(deployment.status.targetKey?.discriminator?.slice(0, 80))
  const message = `kluctl comes to the discriminator ${told}, which is not the one that was found to be this environment's own: nothing is deployed. Use only target and args in it, nothing that changes by itself`
  return { phase: 'stalled', reason: 'DiscriminatorDiffers', message, recheckAfter: recheckStalled }
}

async function deployed(
  context: BackendContext,
  deployment: KluctlDeployment,
  progress: Done,
  age: number,
): Promise<Observation> {
  const { lastDeployResult } = deployment.status
  // After a live attempt that failed early kluctl thinks that a dry run before it has deployed everything.
  if (lastDeployResult?.commandInfo?.dryRun === true) {
    return deploying('Deploying', 'asked kluctl to deploy', await request(context, deployment, 'deploy', age))
  }
  const errors = lastDeployResult?.errors ?? []
  if (errors.length > 0 || progress.reason === 'DeployFailed' || progress.reason === 'PruneFailed') {
    const message = errors.length > 0 ? problemsText(errors) : presentable(progress.message, maxText)
    const next = await request(context, deployment, 'deploy', Math.max(age, 60_000))
    return { phase: 'failed', reason: 'DeployFailed', message, recheckAfter: next }
  }
  if (progress.ready) {
    const message = presentable(progress.message, maxText)
    return { phase: 'ready', reason: 'ObjectsReady', message, recheckAfter: recheckReady }
  }
  return validating(context, deployment, progress, age)
}

async function validating(
  context: BackendContext,
  deployment: KluctlDeployment,
  progress: Done,
  age: number,
): Promise<Observation> {
  const problems = deployment.status.lastValidateResult?.errors ?? []
  const objects = await lookAtObjects(context, problems)
  if (objects.verdict === 'failed') {
    return { phase: 'failed', reason: 'ObjectsFailed', message: objects.message, recheckAfter: recheckStarting(age) }
  }
  if (objects.verdict === 'waiting') return deploying('ObjectsNotReady', objects.message, recheckStarting(age))
  const next = await request(context, deployment, 'validate', age)
  if (age < validationPatience) return deploying('Validating', 'the objects are ready, kluctl validates', next)
  const message = problems.length > 0 ? problemsText(problems) : presentable(progress.message, maxText)
  return { phase: 'failed', reason: progress.reason || 'ValidateFailed', message, recheckAfter: next }
}

/** At most five of kluctl's problems, each with its object. */
function problemsText(problems: readonly KluctlProblem[]): string {
  const named = problems.slice(0, 5).map(({ ref, message }) => (ref ? `${ref.kind} ${ref.name}: ${message}` : message))
  const more = problems.length > 5 ? [`and ${problems.length - 5} more`] : []
  return presentable([...named, ...more].join('; '), maxText)
}

function deploying(reason: string, message: string, next = recheckUnheard): Observation {
  return { phase: 'deploying', reason, message, recheckAfter: next }
}

/** How long the last deploy is ago, or what is nearest to it and not from a clock that is ahead, in milliseconds. */
function ageOf({ environment, clock }: BackendContext, deployment: KluctlDeployment): number {
  const { applied } = environment.status?.times ?? {}
  const deployed = deployment.status.lastDeployResult?.commandInfo?.endTime
  const since = [applied, deployed]
    .filter(time => time !== undefined)
    .filter(time => Date.parse(time) <= clock.now())
    .sort()
    .at(-1)
  const start = since ?? deployment.object.metadata.creationTimestamp
  return start === undefined ? 0 : Math.max(0, clock.now() - Date.parse(start))
}
