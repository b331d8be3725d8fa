import {
  apiVersion,
  type ChangeFacts,
  changeKey,
  type EnvironmentTimes,
  identityOf,
  type ReviewEnvironment,
  type ReviewProject,
} from '../api/index.ts'
import type { Decision } from '../environment/decide.ts'
import { changeSummary } from '../environment/why-not.ts'
import { KubeError } from '../kube/errors.ts'
import { timestamp } from '../util/clock.ts'
import { TerminalError } from '../util/errors.ts'
import { hasFreePlace } from './admission.ts'
import { storedStatus, withClaim, withStatusAhead } from './ahead.ts'
import { claiming } from './claim.ts'
import type { ControllerContext } from './context.ts'
import { mergePatch } from './patch.ts'

/**
 * Does what was decided for one change, deletes excepted: they pass the guard first. With `mayReserve` a new environment
 * takes a free place at once; without, the oldest of many new ones are chosen when all are there.
 */
export async function carryOut(
  context: ControllerContext,
  project: ReviewProject,
  decision: Decision,
  options: { mayReserve: boolean },
  signal: AbortSignal,
): Promise<void> {
  if (decision.action === 'create') await create(context, project, decision, options.mayReserve, signal)
  if (decision.action === 'update') await update(context, project, decision, signal)
}

/** Deletes an environment that was seen as it is in `environment`: not one that took its name since. */
export async function deleteEnvironment(
  context: ControllerContext,
  environment: ReviewEnvironment,
  reason: string,
  signal: AbortSignal,
): Promise<void> {
  const { uid } = environment.metadata
  const options = { ...(uid === undefined ? {} : { uid }), signal }
  const left = await context.kube.delete<ReviewEnvironment>(keyOf(environment), options)
  if (left === undefined) context.stores.environments.assumeDeleted(environment)
  else context.stores.environments.assume(left)
  context.event(environment, { type: 'Normal', reason: 'Deleting', note: reason, action: 'Delete' })
}

async function create(
  context: ControllerContext,
  project: ReviewProject,
  decision: Extract<Decision, { action: 'create' }>,
  mayReserve: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { environment, facts } = decision
  // Who has to wait claims nothing: what the project asks for may be another thing by then.
  const isNext = mayReserve && hasFreePlace(context, project, environment)
  const wanted = isNext ? await claiming(context, project, environment, facts, signal) : environment
  const created = await context.creations.run(() => createOrFind(context, wanted, signal), signal)
  const requested = timestamp(context.clock.now())
  if (mayReserve && hasFreePlace(context, project, created)) {
    const times = { requested, admitted: requested }
    const status = { ...factsOf(decision.facts), admission: { admitted: true }, times }
    context.stores.environments.assume(withClaim(withStatusAhead(created, status)), { ahead: true })
    return
  }
  context.stores.environments.assume(created)
  try {
    await recordFacts(context, created, decision.facts, { requested }, signal)
  } finally {
    askForPlace(context, project)
  }
}

async function createOrFind(
  context: ControllerContext,
  wanted: ReviewEnvironment,
  signal: AbortSignal,
): Promise<ReviewEnvironment> {
  try {
    return await context.kube.create<ReviewEnvironment>(wanted, { signal })
  } catch (error) {
    if (!(error instanceof KubeError && error.isAlreadyExists)) throw error
    const found = await context.kube.get<ReviewEnvironment>(keyOf(wanted), { signal })
    if (found === undefined) throw error
    if (!sameChange(found, wanted)) {
      const { name } = wanted.metadata
      const message = `the name ${name} is taken by the ReviewEnvironment of another change (${found.spec.projectRef.name}, ${changeKey(found.spec.change)})`
      throw new TerminalError('NameTaken', message, { cause: error })
    }
    // Made by an earlier try of ours, or by hand just now: the next look decides with it in sight.
    context.stores.environments.assume(found)
    throw error
  }
}

function sameChange(a: ReviewEnvironment, b: ReviewEnvironment): boolean {
  return a.spec.projectRef.name === b.spec.projectRef.name && changeKey(a.spec.change) === changeKey(b.spec.change)
}

async function update(
  context: ControllerContext,
  project: ReviewProject,
  decision: Extract<Decision, { action: 'update' }>,
  signal: AbortSignal,
): Promise<void> {
  const { facts, specChanged, factsChanged } = decision
  let { environment } = decision
  // Facts come first: a commit of which nothing is known is never deployed by them.
  if (factsChanged) {
    const isNew = specChanged || environment.status?.times?.requested === undefined
    const times = isNew ? { requested: timestamp(context.clock.now()) } : {}
    environment = await recordFacts(context, environment, facts, times, signal)
  }
  if (specChanged) {
    const patch = { metadata: { uid: environment.metadata.uid }, spec: { revision: facts.sha } }
    const patched = await context.kube.patch<ReviewEnvironment>(keyOf(environment), patch, { type: 'merge', signal })
    context.stores.environments.assume(patched)
  }
  if (environment.status?.admission === undefined) askForPlace(context, project)
}

/** Writes what the forge says into the status; gives the environment as it is then. */
async function recordFacts(
  context: ControllerContext,
  environment: ReviewEnvironment,
  facts: ChangeFacts,
  times: EnvironmentTimes,
  signal: AbortSignal,
): Promise<ReviewEnvironment> {
  const newest = context.stores.environments.get(environment.metadata.namespace, environment.metadata.name)
  const wanted = { ...newest?.status, ...factsOf(facts), times: { ...newest?.status?.times, ...times } }
  const stored = newest && storedStatus(newest)
  const patch = { metadata: { uid: environment.metadata.uid }, status: mergePatch(stored, wanted) ?? {} }
  const options = { type: 'merge', subresource: 'status', signal } as const
  const patched = await context.kube.patch<ReviewEnvironment>(keyOf(environment), patch, options)
  context.stores.environments.assume(patched)
  return patched
}

function factsOf(facts: ChangeFacts) {
  return { change: facts, summary: changeSummary(identityOf(facts), facts.title).slice(0, 256) }
}

function askForPlace(context: ControllerContext, project: ReviewProject): void {
  const { namespace, name } = project.metadata
  context.enqueue.now({ kind: 'admission', namespace, name })
}

function keyOf({ metadata: { namespace, name } }: ReviewEnvironment) {
  return { apiVersion, kind: 'ReviewEnvironment', namespace, name }
}
