import {
  type Blocker,
  changeKey,
  type EnvironmentState,
  findCondition,
  longDeploying,
  type ReviewEnvironment,
  type ReviewProject,
} from '../api/index.ts'
import type { Mask } from './mask.ts'

/** What people are told about an environment; everything they see comes from here. */
export interface FeedbackView {
  /** Hidden text by which the comment is found again. */
  marker: string
  /** `offshoot/<namespace>/<project>`: tells commit statuses apart. */
  context: string
  environment: string
  /** `Gone` once its removal is proven. */
  state: EnvironmentState | 'Gone'
  /** Empty when there is none. */
  url: string
  /** Commit that is wanted, and the one that runs; empty if unknown. */
  revision: string
  deployed: string
  /** Why it is as it is; empty when all is well. */
  reason: string
  message: string
  /** What a deployment that takes long does now; empty otherwise. */
  progress: string
  /** What the engine deployed; undefined when something else deploys, or nothing runs. */
  deployment: FeedbackDeployment | undefined
  /** Place in the waiting line, from 1. */
  position: number | undefined
  /** Environments that hold the limit's places. */
  ahead: number | undefined
  blockers: Blocker[]
  blockerCount: number
  readySince: string
  /** Whole seconds from the commit being seen to it being ready. */
  readyAfter: number | undefined
}

/** What is told of a deployment by the engine that is ready. */
export interface FeedbackDeployment {
  objects: number
  changed: number
  deleted: number
  /** Objects that differ from the project by now. */
  drifted: number
  warnings: string[]
  /** Who deployed something else by hand, and when; empty when nobody did. */
  byHand: string
}

/**
 * The view of an environment.
 * @param installation tells apart clusters whose Offshoot uses one account at the forge; may be empty
 */
export function viewOf(
  environment: ReviewEnvironment,
  options: { gone: boolean; installation: string; mask: Mask },
): FeedbackView {
  const { status = {}, metadata } = environment
  const state = options.gone ? 'Gone' : shownState(environment)
  const stalled = findCondition(status.conditions, 'Stalled')
  const told = stalled?.status === 'True' ? stalled : findCondition(status.conditions, 'Ready')
  const explained = state === 'Failed' || state === 'Blocked'
  return {
    marker: markerOf(environment, options.installation),
    context: contextOf(environment),
    environment: status.name ?? metadata.name,
    state,
    url: status.url ?? '',
    // Only the forge tells it: whoever may write the spec could otherwise have any commit given a status.
    revision: status.change?.sha ?? '',
    deployed: status.deployedRevision ?? '',
    reason: explained ? (told?.reason ?? '') : '',
    message: explained ? options.mask(told?.message ?? '') : '',
    progress: state === 'Deploying' && isShown(environment, told?.reason) ? options.mask(told?.message ?? '') : '',
    deployment: state === 'Ready' ? deploymentOf(environment, options.mask) : undefined,
    position: state === 'Waiting' ? status.admission?.position : undefined,
    ahead: state === 'Waiting' ? status.admission?.ahead : undefined,
    blockers: (status.blockers ?? []).slice(0, 20).map(blocker => maskBlocker(blocker, options.mask)),
    blockerCount: status.blockerCount ?? status.blockers?.length ?? 0,
    ...readiness(environment, state),
  }
}

/** The state as it is for the change's own commit: while an older one is ready, the newer is being deployed. */
export function shownState({ status = {} }: ReviewEnvironment): EnvironmentState {
  const { state = 'Pending', change, deployedRevision } = status
  return state === 'Ready' && deployedRevision !== change?.sha ? 'Deploying' : state
}

/** Whether people are told why it is not ready: not each step of a deployment, which costs a request to the forge. */
function isShown({ status = {} }: ReviewEnvironment, reason: string | undefined): boolean {
  return reason === longDeploying || (status.backend === 'engine' && status.engine?.unready !== undefined)
}

function deploymentOf({ status = {} }: ReviewEnvironment, mask: Mask): FeedbackDeployment | undefined {
  if (status.engine === undefined || status.backend !== 'engine') return undefined
  const { objects, changed, deleted, drifted = 0, warnings = [], byHand = false } = status.engine
  const { message = '' } = findCondition(status.conditions, 'Ready') ?? {}
  return {
    objects,
    changed,
    deleted,
    drifted,
    warnings: warnings.map(warning => mask(warning)),
    byHand: byHand ? mask(message) : '',
  }
}

function maskBlocker(blocker: Blocker, mask: Mask): Blocker {
  return blocker.message === undefined ? blocker : { ...blocker, message: mask(blocker.message) }
}

function readiness(environment: ReviewEnvironment, state: string): Pick<FeedbackView, 'readySince' | 'readyAfter'> {
  const { ready, requested } = environment.status?.times ?? {}
  if (state !== 'Ready' || ready === undefined) return { readySince: '', readyAfter: undefined }
  const seconds = requested === undefined ? Number.NaN : (Date.parse(ready) - Date.parse(requested)) / 1000
  return { readySince: ready, readyAfter: seconds >= 0 ? Math.round(seconds) : undefined }
}

/** Hidden text that the comment of an environment holds, the same for every environment of that name to come. */
export function markerOf(environment: ReviewEnvironment, installation: string): string {
  const { namespace, name } = environment.metadata
  const at = installation === '' ? '' : ` at ${installation.replace(/[^A-Za-z0-9._-]/g, '_')}`
  return `<!-- offshoot environment ${namespace}/${environment.spec.projectRef.name}/${name}${at} -->`
}

/** Name of the commit status. A branch and a pull request can share a commit, so a branch's has a name of its own. */
export function contextOf(environment: ReviewEnvironment): string {
  const base = `offshoot/${environment.metadata.namespace}/${environment.spec.projectRef.name}`
  return environment.spec.change.branch === undefined ? base : `${base} (branch)`
}

/** Whether a project wants anything said about this environment. */
export function wantsFeedback(environment: ReviewEnvironment, project: ReviewProject): boolean {
  const { comment, status } = project.spec.feedback
  return status || (comment && changeKey(environment.spec.change).startsWith('pr:'))
}
