import {
  annotations,
  type BackendName,
  changeKey,
  findCondition,
  isBranchName,
  type ReviewEnvironment,
  type ReviewProject,
} from '../api/index.ts'
import type { BackendContext } from '../backend/backend.ts'
import { ApplyError } from '../backend/refusals.ts'
import { deployRefusal } from '../environment/deployable.ts'
import type { DesiredEnvironment } from '../environment/desired.ts'
import { quote } from '../environment/names.ts'
import { TerminalError } from '../util/errors.ts'
import { accountOf, ensureRights, ensureServiceAccount } from './account.ts'
import { backendContext } from './backend-context.ts'
import { claim } from './claim.ts'
import type { ControllerContext } from './context.ts'
import { desiredOf } from './desired.ts'
import { tellTransition } from './environment-events.ts'
import { markFailed, markObserved, markPending, markWaiting } from './environment-state.ts'
import type { Place } from './keys.ts'
import { ensureNamespace, NamespaceTerminating } from './namespace.ts'
import { shownArgs } from './shown-args.ts'
import { StatusDraft } from './status-draft.ts'
import { findProject, isSettled } from './stores.ts'
import { teardown } from './teardown.ts'
import type { Outcome } from './workers.ts'

/** Ready objects are looked at again within this time, in milliseconds; at the beginning of a term, spread over it. */
const settledRecheck = 15 * 60_000

/** A namespace is made a moment after the reconcile has begun whose time is noted; times are whole seconds. */
const namespaceSlack = 3_000

/** Nobody tells us when a foreign namespace or account that is in the way goes, so a stalled one is looked at again. */
const stalledRecheck = 10 * 60_000

/**
 * Brings one environment to what its project and change ask for, or takes it away. The status is written once, at the
 * end, whatever happened; nothing is written when nothing changed.
 */
export async function reconcileEnvironment(
  context: ControllerContext,
  { namespace, name }: Place,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const environment = context.stores.environments.get(namespace, name)
  if (environment === undefined) return undefined
  const draft = new StatusDraft(context, environment)
  let outcome: Outcome | undefined
  try {
    if (environment.metadata.deletionTimestamp === undefined) {
      outcome = await bringUp(context, draft, signal)
    } else {
      // Told with the first write of a removal: it needs no other.
      observe(draft)
      const progress = await teardown(context, draft, signal)
      if (progress === 'gone') return undefined
      outcome = progress
    }
    outcome = outcome && spread(context, outcome)
  } catch (error) {
    signal.throwIfAborted()
    markFailed(draft, error)
    observe(draft)
    await draft.save(signal)
    tellTransition(context, environment, draft.environment)
    if (!(error instanceof TerminalError)) throw error
    return { recheckAfter: stalledRecheck }
  }
  observe(draft)
  await draft.save(signal)
  tellTransition(context, environment, draft.environment)
  return outcome
}

/** Environments that were made together are not looked at together for ever after. */
function spread({ random }: ControllerContext, { recheckAfter }: Outcome): Outcome {
  if (recheckAfter === undefined || recheckAfter < 60_000) return recheckAfter === undefined ? {} : { recheckAfter }
  return { recheckAfter: recheckAfter * (0.8 + random() * 0.4) }
}

function observe(draft: StatusDraft): void {
  const { generation } = draft.environment.metadata
  if (generation !== undefined) draft.set({ observedGeneration: generation })
}

async function bringUp(
  context: ControllerContext,
  draft: StatusDraft,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { environment } = draft
  const project = findProject(context.stores, environment)
  const obstacle = obstacleTo(environment, project)
  if (obstacle !== undefined || project === undefined) {
    if (obstacle?.asks) askForge(context, environment)
    // A running environment stays as it is while its project is away or its facts are not there yet.
    if (environment.status?.state === undefined || environment.status.state === 'Pending') {
      markPending(draft, obstacle?.reason ?? 'ProjectMissing', obstacle?.message ?? '')
    }
    return undefined
  }
  await draft.hold(signal)
  if (environment.status?.admission?.admitted !== true) {
    markWaiting(draft)
    return undefined
  }
  const desired = await desiredOf(context, project, draft, signal)
  return deploy(context, draft, desired, signal)
}

/** Made by hand, or cut off before its facts were there: the forge has them. */
function askForge(context: ControllerContext, { metadata: { namespace }, spec }: ReviewEnvironment): void {
  context.enqueue.now({ kind: 'change', namespace, name: spec.projectRef.name, change: changeKey(spec.change) })
}

/** What keeps an environment from being deployed now; `asks`: the forge can help, and nobody is asking it yet. */
interface Obstacle {
  reason: string
  message: string
  asks?: boolean
}

function obstacleTo(environment: ReviewEnvironment, project: ReviewProject | undefined): Obstacle | undefined {
  const { projectRef, change, revision } = environment.spec
  if (change.branch !== undefined && !isBranchName(change.branch)) {
    const message = `spec.change.branch: expected the name of a branch, got ${quote(change.branch)}`
    throw new TerminalError('InvalidBranch', message)
  }
  if (project === undefined) {
    return { reason: 'ProjectMissing', message: `ReviewProject ${projectRef.name} does not exist in this namespace` }
  }
  const facts = environment.status?.change
  if (facts === undefined) {
    return { reason: 'ChangeUnknown', message: 'waits for the facts about the change', asks: true }
  }
  const refusal = deployRefusal(project.spec, facts)
  if (refusal !== undefined) throw new TerminalError('ForkDenied', refusal)
  // Whoever may write the spec could name any commit, such as one that only a fork has; the forge tells the head.
  if (revision !== facts.sha) {
    const asks = revision === undefined
    return { reason: 'RevisionUnknown', message: 'waits for spec.revision to be the head of the change', asks }
  }
  return undefined
}

async function deploy(
  context: ControllerContext,
  draft: StatusDraft,
  desired: DesiredEnvironment,
  signal: AbortSignal,
): Promise<Outcome> {
  const namespace = desired.namespace.name
  const { kind } = desired.backend
  const kluctl = desired.backend.kind === 'objects' ? undefined : desired.backend
  draft.set({
    name: desired.name,
    url: desired.url === '' ? undefined : desired.url,
    target: kluctl?.target,
    args: kluctl && shownArgs(kluctl.args),
  })
  const foresee = async () =>
    context.backends[kind].foresee?.(backendContext(context, draft, namespace, signal), desired) ?? {}
  const facts = { namespace, serviceAccount: accountOf(draft.environment), backend: kind }
  await claim(context, draft, facts, foresee, signal)
  await ensureServiceAccount(context, draft.environment, namespace, signal)
  let isNew = false
  try {
    isNew = await ensureNamespace(context, draft, namespace, desired, signal)
  } catch (error) {
    if (!(error instanceof NamespaceTerminating)) throw error
    markPending(draft, 'NamespaceTerminating', error.message)
    return { recheckAfter: 5_000 }
  }
  if (!(await discriminatorsKnown(context, kind, signal))) return waitForKluctl(context, draft)
  const account = { namespace, clusterRole: desired.clusterRole, clusterId: kind === 'kluctlDeployment' }
  await ensureRights(context, draft.environment, account, signal)
  const backend = backendContext(context, draft, namespace, signal, isNew ? 'new' : 'owned')
  return applyAndObserve(context, draft, desired, backend)
}

/** Until every KluctlDeployment is known nobody can tell whose a discriminator is. The engine needs no such kind. */
async function discriminatorsKnown(
  context: ControllerContext,
  kind: BackendName,
  signal: AbortSignal,
): Promise<boolean> {
  if (kind === 'objects') return true
  return kind === 'engine' ? context.kluctl.known(signal) : context.kluctl.ready
}

function waitForKluctl(context: ControllerContext, draft: StatusDraft): Outcome {
  context.kluctl.start()
  const message = 'waits until the KluctlDeployments of the cluster are known (is the kluctl controller installed?)'
  // One that runs goes on as it is; only one that has not begun says what it waits for.
  if (draft.status.deployedRevision === undefined) markPending(draft, 'KluctlUnknown', message)
  return { recheckAfter: 1_000 }
}

async function applyAndObserve(
  context: ControllerContext,
  draft: StatusDraft,
  desired: DesiredEnvironment,
  backend: BackendContext,
): Promise<Outcome> {
  const { [desired.backend.kind]: deployer } = context.backends
  const isFirst = isFirstLook(context, draft, desired)
  if (isFirst && backend.namespaceState !== 'new' && (await deployer.isApplied?.(backend, desired))) {
    // Whoever leads next looks at what is ready no more often than the one before would have.
    return { recheckAfter: (0.1 + 0.9 * context.random()) * settledRecheck }
  }
  await applySoon(context, backend, () => deployer.apply(backend, desired))
  if (draft.status.observedRevision !== desired.revision || draft.status.times?.applied === undefined) {
    draft.set({ observedRevision: desired.revision })
    draft.stamp('applied')
  }
  const observation = await deployer.observe(backend, desired)
  markObserved(draft, observation, desired.revision)
  return observation.recheckAfter === undefined ? {} : { recheckAfter: observation.recheckAfter }
}

/**
 * Whether a ready environment that nobody has touched is met for the first time in this term, in the namespace that it
 * was deployed into. Who was ever asked for by hand may have been asked for again while nobody led.
 */
function isFirstLook(
  { looked, stores }: ControllerContext,
  { environment, status }: StatusDraft,
  desired: DesiredEnvironment,
): boolean {
  const { uid = '', annotations: marks } = environment.metadata
  const isFirst = !looked.has(uid)
  looked.add(uid)
  if (!isFirst || !isSettled(environment) || marks?.[annotations.requestedAt] !== undefined) return false
  const isRetried = findCondition(status.conditions, 'Reconciling') !== undefined
  const made = stores.namespaces.get(undefined, desired.namespace.name)?.metadata.creationTimestamp ?? ''
  const isSame = Date.parse(made) <= Date.parse(status.times?.applied ?? '') + namespaceSlack
  return isSame && !isRetried && status.deployedRevision === desired.revision
}

/**
 * The API server goes by a new RoleBinding only after some milliseconds; what it forbids just after one was made is
 * asked again before it counts.
 */
async function applySoon(
  context: ControllerContext,
  { namespace, signal }: BackendContext,
  apply: () => Promise<void>,
): Promise<void> {
  for (let wait = 10; ; wait *= 2) {
    try {
      await apply()
      return
    } catch (error) {
      const bound = context.stores.bindings.get(namespace, 'offshoot-environment')?.metadata.creationTimestamp
      const isNew = bound !== undefined && context.clock.now() - Date.parse(bound) < 10_000
      const isForbidden = error instanceof ApplyError && error.refusals.some(({ reason }) => reason === 'Forbidden')
      if (!isForbidden || !isNew || wait > 1_000) throw error
      await context.clock.sleep(wait, signal)
    }
  }
}
