import { type Blocker, finalizer, type ReviewEnvironment } from '../api/index.ts'
import type { Teardown } from '../backend/backend.ts'
import { kluctlDeploymentKind } from '../backend/kluctl/resource.ts'
import { namespaceBlockers } from '../backend/namespace-blockers.ts'
import { kluctlDeploymentName } from '../environment/names.ts'
import type { KubeObject } from '../kube/types.ts'
import { accountKey, clusterIdBindingKey, removeOwn, tookOurRights } from './account.ts'
import { backendContext } from './backend-context.ts'
import type { ControllerContext } from './context.ts'
import { placeOf } from './keys.ts'
import { isOwnedBy } from './ownership.ts'
import type { StatusDraft } from './status-draft.ts'
import type { Outcome } from './workers.ts'

/** Most blockers that a status names. */
const maxBlockers = 20

/** The end of a namespace is heard of; these looks are for what holds it up, after twice the time each. */
const firstLook = 10_000
const lastLook = 30_000

/**
 * Takes an environment away, step by step, each call going as far as it can: the backend's objects, the namespace, the
 * account, a last word to people, the finalizer. Deletes only what carries this environment's own mark. `gone` once
 * the finalizer is off.
 */
export async function teardown(
  context: ControllerContext,
  draft: StatusDraft,
  signal: AbortSignal,
): Promise<Outcome | 'gone'> {
  if (!draft.environment.metadata.finalizers?.includes(finalizer)) return {}
  begin(context, draft)
  const backend = await tearBackendDown(context, draft, signal)
  if (backend.gone && draft.status.times?.backendGone === undefined) draft.stamp('backendGone')
  const namespace = backend.proceed
    ? await tearNamespaceDown(context, draft, backend.blockers, signal)
    : await look(context, draft, signal)
  if (namespace !== undefined || !backend.gone) return wait(context, draft, backend, namespace)
  draft.set({ blockers: undefined, blockerCount: undefined })
  const gone = await tearAccountDown(context, draft.environment, signal)
  if (!gone) return wait(context, draft, backend, undefined)
  if (draft.status.times?.namespaceGone === undefined) draft.stamp('namespaceGone')
  markDeleting(draft, 'everything of the environment is gone')
  const patience = farewell(context, draft)
  if (patience > 0) return { recheckAfter: patience }
  await draft.release(signal)
  return 'gone'
}

function begin({ clock }: ControllerContext, draft: StatusDraft): void {
  const started = draft.status.times?.teardownStarted
  // Begun by a replica whose clock is ahead: its patience would last until ours is there.
  if (started !== undefined && Date.parse(started) <= clock.now()) return
  draft.stamp('teardownStarted')
  markDeleting(draft, 'the environment is being removed')
}

function markDeleting(draft: StatusDraft, message: string): void {
  draft.set({ state: 'Deleting' })
  draft.condition({ type: 'Ready', status: 'False', reason: 'Deleting', message })
  draft.condition({ type: 'Reconciling', status: 'True', reason: 'Deleting', message })
  draft.dropCondition('Stalled')
}

/** Nothing to do where no backend ever made anything. */
async function tearBackendDown(context: ControllerContext, draft: StatusDraft, signal: AbortSignal): Promise<Teardown> {
  const { backend, namespace } = draft.status
  if (backend === undefined || namespace === undefined) return { gone: true, blockers: [], proceed: true }
  if (backend === 'kluctlDeployment' && !(await context.kluctl.known(signal))) {
    const message = 'waits until the KluctlDeployments of the cluster are known'
    const { name, namespace: at } = draft.environment.metadata
    const blocker = { ...kluctlDeploymentKind, namespace: at, name: kluctlDeploymentName(name) }
    return { gone: false, blockers: [{ ...blocker, message }], proceed: false, recheckAfter: 1_000 }
  }
  const overdue = age(context, draft) >= context.limits.teardownPatience
  try {
    const known = context.stores.namespaces.get(undefined, namespace)
    const state = known !== undefined && isOwnedBy(known, draft.environment) ? 'owned' : undefined
    const result = await context.backends[backend].teardown(backendContext(context, draft, namespace, signal, state))
    return overdue ? { ...result, proceed: true } : result
  } catch (error) {
    const { namespace: at, name } = draft.environment.metadata
    if (!(await tookOurRights(context, error, at, signal))) throw error
    // Whether kluctl has let go can still be seen from outside.
    const left = backend === 'kluctlDeployment' && context.kluctl.has(at, kluctlDeploymentName(name))
    context.log.warn(
      { environment: `${at}/${name}` },
      'torn down without rights in its project’s namespace, which is going',
    )
    return { gone: !left, blockers: [], proceed: true, ...(left ? { recheckAfter: 2_000 } : {}) }
  }
}

/**
 * Deletes the namespace if it is ours; gives it as long as it is there. What is known to be in the way is recorded
 * first: the account's right to look dies with the namespace.
 */
async function tearNamespaceDown(
  context: ControllerContext,
  draft: StatusDraft,
  known: readonly Blocker[],
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const found = await look(context, draft, signal)
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return found
  if (known.length > 0) {
    await draft.record({ blockers: known.slice(0, maxBlockers), blockerCount: known.length }, signal)
  }
  const { uid, name = '' } = found.metadata
  const key = { apiVersion: 'v1', kind: 'Namespace', name }
  const left = await context.kube.delete<KubeObject>(key, { ...(uid === undefined ? {} : { uid }), signal })
  if (left === undefined) return look(context, draft, signal)
  context.stores.namespaces.assume(left)
  return left
}

/**
 * The environment's own namespace; undefined when it is gone, or not ours. As it is in memory, without its status, while
 * nobody is to be told what holds it up; that it is gone is seen at the API server only.
 */
async function look(
  context: ControllerContext,
  draft: StatusDraft,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const { namespace: name } = draft.status
  if (name === undefined) return undefined
  const known = context.stores.namespaces.get(undefined, name)
  const isEarly = age(context, draft) < context.limits.blockedAfter
  if (known !== undefined && isEarly && isOwnedBy(known, draft.environment)) return known
  const found = await context.kube.get<KubeObject>({ apiVersion: 'v1', kind: 'Namespace', name }, { signal })
  return found !== undefined && isOwnedBy(found, draft.environment) ? found : undefined
}

/** Deletes the account and what binds it outside the environment's namespace; gives what does not go. */
async function tearAccountDown(
  context: ControllerContext,
  environment: ReviewEnvironment,
  signal: AbortSignal,
): Promise<Blocker[]> {
  const keys = [accountKey(environment)]
  if (environment.status?.backend === 'kluctlDeployment') keys.push(clusterIdBindingKey(environment))
  const left = await Promise.all(keys.map(key => removeOwn(context, environment, key, signal)))
  return left.flatMap((object, index) => {
    const key = keys[index]
    return object === undefined || key === undefined ? [] : [{ ...key, finalizers: object.metadata.finalizers ?? [] }]
  })
}

/** Says what is waited for, and when to look again. */
function wait(
  context: ControllerContext,
  draft: StatusDraft,
  backend: Teardown,
  namespace: KubeObject | undefined,
): Outcome {
  const known = [...backend.blockers, ...(draft.status.blockers ?? [])]
  const inside = namespace === undefined ? [] : namespaceBlockers(namespace, known)
  const blockers = distinct([...backend.blockers, ...inside])
  const waited = age(context, draft)
  const blocked = blockers.length > 0 && waited >= context.limits.blockedAfter
  const next = Math.min(lastLook, Math.max(firstLook, waited), backend.recheckAfter ?? lastLook)
  // What goes by itself within moments is no blocker, and worth no write.
  if (!blocked && draft.status.state !== 'Blocked') {
    markDeleting(draft, 'the environment is being removed')
    const untilBlocked = context.limits.blockedAfter - waited
    return { recheckAfter: untilBlocked > 0 ? Math.min(next, Math.max(500, untilBlocked)) : next }
  }
  draft.set({ blockers: blockers.slice(0, maxBlockers), blockerCount: blockers.length })
  markBlocked(draft, blockers)
  return { recheckAfter: next }
}

function markBlocked(draft: StatusDraft, blockers: readonly Blocker[]): void {
  const first = blockers[0]
  if (first === undefined) {
    markDeleting(draft, 'the environment is being removed')
    return
  }
  const held = first.finalizers?.length ? ` (finalizer ${first.finalizers.join(', ')})` : ''
  const more = blockers.length > 1 ? ` and ${blockers.length - 1} more` : ''
  const place = first.namespace === undefined ? '' : `${first.namespace}/`
  const message = `removal waits for ${first.kind} ${place}${first.name}${held}${more}`
  draft.set({ state: 'Blocked' })
  draft.condition({ type: 'Ready', status: 'False', reason: 'TeardownBlocked', message })
  draft.condition({ type: 'Reconciling', status: 'True', reason: 'TeardownBlocked', message })
  draft.dropCondition('Stalled')
}

function distinct(blockers: readonly Blocker[]): Blocker[] {
  const byName = new Map<string, Blocker>()
  for (const blocker of blockers) {
    const id = `${blocker.apiVersion} ${blocker.kind} ${blocker.namespace ?? ''}/${blocker.name}`
    if (!byName.has(id)) byName.set(id, blocker)
  }
  return [...byName.values()]
}

function age(context: ControllerContext, draft: StatusDraft): number {
  const started = draft.status.times?.teardownStarted
  return started === undefined ? 0 : Math.max(0, context.clock.now() - Date.parse(started))
}

/** Has people told that it is gone; gives how long to wait for that, 0 when they know or it took too long. */
function farewell(context: ControllerContext, draft: StatusDraft): number {
  const { environment } = draft
  const { commentId, statusDigest } = environment.status?.feedback ?? {}
  if (commentId === undefined && statusDigest === undefined) return 0
  const { told, milliseconds } = context.farewells.begin(placeOf(environment), environment)
  if (told) return 0
  const { namespace, name } = environment.metadata
  context.enqueue.now({ kind: 'feedback', namespace, name })
  return Math.max(0, context.limits.farewellPatience - milliseconds)
}
