import {
  apiVersion,
  type EnvironmentState,
  finalizer,
  findCondition,
  type ReviewEnvironment,
  type ReviewProject,
  type ReviewProjectStatus,
  withCondition,
  withoutCondition,
} from '../api/index.ts'
import { projectProblems } from '../environment/validate.ts'
import { timestamp } from '../util/clock.ts'
import { formatProblem, type Problem } from '../util/errors.ts'
import { parallel } from '../util/parallel.ts'
import { deleteEnvironment } from './carry-out.ts'
import type { ControllerContext } from './context.ts'
import { type Place, placeOf } from './keys.ts'
import { trustedProjectProblems } from './kluctl-check.ts'
import { changeProjectStatus } from './project-status.ts'
import { environmentsOf, stateIndex } from './stores.ts'
import type { Outcome } from './workers.ts'

/** When to look again at a Kluctl project elsewhere that is being loaded, or is wrong, in milliseconds. */
const recheckLoading = 10_000
const recheckTrusted = 5 * 60_000
/** Deletes accepted at a time when a project goes. */
const deletesAtATime = 16

/** Keeps a project's finalizer, says what is wrong with it, and counts its environments; or sees it out. */
export async function reconcileProject(
  context: ControllerContext,
  place: Place,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const project = context.stores.projects.get(place.namespace, place.name)
  if (project === undefined) return undefined
  if (project.metadata.deletionTimestamp !== undefined) return removeProject(context, project, signal)
  await setFinalizer(context, project, true, signal)
  const own = projectProblems(project)
  const trusted = own.length > 0 ? [] : await trustedProjectProblems(context, project, signal)
  const judged = (status: ReviewProjectStatus, newest: ReviewProject) =>
    trusted === undefined ? status : validated(context, status, newest, [...own, ...trusted])
  await changeProjectStatus(
    context,
    place,
    (status, newest) => ({ ...judged(status, newest), ...counts(context, newest) }),
    signal,
  )
  if (trusted === undefined) return { recheckAfter: recheckLoading }
  // Mended elsewhere, of which nobody tells.
  return trusted.length > 0 ? { recheckAfter: recheckTrusted } : undefined
}

/** Deletes the project's environments and lets it go when the last of them is gone. */
async function removeProject(
  context: ControllerContext,
  project: ReviewProject,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  if (!project.metadata.finalizers?.includes(finalizer)) return undefined
  const environments = environmentsOf(context.stores, project)
  const alive = environments.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  await parallel(alive, deletesAtATime, environment =>
    deleteEnvironment(context, environment, 'the project is deleted', signal),
  )
  if (environments.length > 0) {
    await changeProjectStatus(context, project.metadata, status => leaving(context, status, environments), signal)
    // Each environment that goes asks for this anew; the recheck is for what was missed.
    return { recheckAfter: 30_000 }
  }
  await setFinalizer(context, project, false, signal)
  return undefined
}

function leaving(
  context: ControllerContext,
  status: ReviewProjectStatus,
  environments: readonly ReviewEnvironment[],
): ReviewProjectStatus {
  const blocked = environments.filter(each => each.status?.state === 'Blocked').map(({ metadata }) => metadata.name)
  const named = blocked.length === 0 ? '' : `; blocked: ${blocked.slice(0, 10).join(', ')}`
  const message = `waits for the removal of ${environments.length} environments${named}`
  const condition = { type: 'Ready', status: 'False', reason: 'Deleting', message } as const
  const conditions = withCondition(status.conditions ?? [], condition, timestamp(context.clock.now()))
  return { ...status, conditions, environments: environments.length }
}

async function setFinalizer(
  context: ControllerContext,
  project: ReviewProject,
  present: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, resourceVersion, finalizers = [] } = project.metadata
  if (finalizers.includes(finalizer) === present) return
  const others = finalizers.filter(each => each !== finalizer)
  const patch = { metadata: { resourceVersion, finalizers: present ? [...others, finalizer] : others } }
  const key = { apiVersion, kind: 'ReviewProject', namespace, name }
  const patched = await context.kube.patch<ReviewProject>(key, patch, { type: 'merge', signal })
  // Without its last finalizer a deleted object is gone, and the answer shows it as it was.
  const gone = patched.metadata.deletionTimestamp !== undefined && (patched.metadata.finalizers ?? []).length === 0
  if (gone) context.stores.projects.assumeDeleted(patched)
  else context.stores.projects.assume(patched)
}

/** Says every mistake at once. A project that is right again loses what was said of it. */
function validated(
  context: ControllerContext,
  status: ReviewProjectStatus,
  project: ReviewProject,
  problems: readonly Problem[],
): ReviewProjectStatus {
  const { generation } = project.metadata
  const observed = generation === undefined ? {} : { observedGeneration: generation }
  const conditions = status.conditions ?? []
  const now = timestamp(context.clock.now())
  if (problems.length === 0) {
    if (findCondition(conditions, 'Stalled')?.reason !== 'Invalid') return status
    const pending = {
      type: 'Ready',
      status: 'Unknown',
      reason: 'Listing',
      message: 'waits for the next listing',
    } as const
    const kept = withCondition(withoutCondition(conditions, 'Stalled'), { ...pending, ...observed }, now)
    return { ...status, ...observed, conditions: kept }
  }
  const message = problems.map(formatProblem).join('\n')
  const invalid = { reason: 'Invalid', message, ...observed }
  const ready = withCondition(conditions, { type: 'Ready', status: 'False', ...invalid }, now)
  return {
    ...status,
    ...observed,
    conditions: withCondition(ready, { type: 'Stalled', status: 'True', ...invalid }, now),
  }
}

function counts(context: ControllerContext, project: ReviewProject) {
  const { environments } = context.stores
  const place = placeOf(project)
  const inState = (state: EnvironmentState) => environments.count('state', stateIndex(place, state))
  return { environments: environments.count('project', place), ready: inState('Ready'), waiting: inState('Waiting') }
}
