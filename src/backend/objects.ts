import { fieldManager, type ReviewEnvironment } from '../api/index.ts'
import type { DesiredEnvironment, DesiredObjects } from '../environment/desired.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/types.ts'
import { OffshootError } from '../util/errors.ts'
import { parallel } from '../util/parallel.ts'
import type { Backend, BackendContext, ForeseeContext, Observation, Teardown } from './backend.ts'
import { digestOf } from './digest.ts'
import { clientOf, identityOf } from './objects/identity.ts'
import { observeObjects } from './objects/observe.ts'
import { foreseenInventory, type Look, type ObjectsPlan, planObjects } from './objects/plan.ts'
import { type PreparedObject, prepareObjects, setDigest } from './objects/prepare.ts'
import { readLimit, removeObjects } from './objects/remove.ts'
import { teardownObjects } from './objects/teardown.ts'
import { type Refusal, refusalOf, throwRefusals } from './refusals.ts'

/**
 * Backend `objects`: applies the rendered manifests itself, with server-side apply as the environment's account. One
 * read per object when nothing changed, one write more per object that did.
 */
export function objectsBackend(): Backend {
  // What one reconcile has prepared and seen: it saves doing so twice.
  const attempts = new WeakMap<BackendContext, Attempt>()
  const attemptOf = (context: BackendContext, desired: DesiredEnvironment): Attempt => {
    const before = attempts.get(context)
    if (before?.desired === desired) return before
    const attempt: Attempt = { desired, preparation: prepare(context, desired), looks: new Map(), isRefused: false }
    attempts.set(context, attempt)
    return attempt
  }
  return {
    name: 'objects',
    async foresee(context, desired) {
      const { prepared, account } = await prepare(context, desired)
      return { inventory: foreseenInventory(prepared, context.namespace, account) }
    },
    async isApplied(context, desired) {
      const { prepared } = await attemptOf(context, desired).preparation
      return context.environment.status?.appliedDigest === setDigest(prepared)
    },
    async apply(context, desired) {
      const attempt = attemptOf(context, desired)
      const { prepared, kube, account } = await attempt.preparation
      // Tried once more in the same reconcile: what has been applied by then is known.
      const known = attempt.isRefused ? [...attempt.looks].filter(([, look]) => 'live' in look) : []
      const unknown = prepared.filter(({ id }) => !known.some(([seen]) => seen === id)).filter(mayExist(context))
      const looks = new Map([...known, ...(await lookAt(unknown, kube, context.signal))])
      attempt.looks = looks
      const plan = planObjects(context.environment, prepared, looks, account)
      await recordInventory(context, plan.inventory)
      const refusals = [...plan.refusals, ...(await applyAll(plan, kube, looks, context.signal))]
      attempt.isRefused = refusals.length > 0
      throwRefusals(refusals)
      await prune(context, plan)
    },
    async observe(context, desired): Promise<Observation> {
      const attempt = attemptOf(context, desired)
      const { prepared, kube } = await attempt.preparation
      const looks = attempt.looks.size > 0 ? attempt.looks : await lookAt(prepared, kube, context.signal)
      attempts.delete(context)
      const observation = observeObjects(context, desired.revision, prepared, looks)
      const isAll = (context.environment.status?.inventory?.length ?? 0) <= prepared.length
      // What left the template and is not gone yet has to be looked at.
      return observation.phase === 'ready' && isAll
        ? { ...observation, appliedDigest: setDigest(prepared) }
        : observation
    },
    teardown: (context): Promise<Teardown> => teardownObjects(context),
  }
}

interface Attempt {
  readonly desired: DesiredEnvironment
  readonly preparation: Promise<Preparation>
  looks: Map<string, Look>
  /** Whether the last try was refused in part. */
  isRefused: boolean
}

interface Preparation {
  prepared: PreparedObject[]
  kube: KubeClient
  account: string | undefined
}

async function prepare(context: ForeseeContext, { backend }: DesiredEnvironment): Promise<Preparation> {
  const { environment, namespace, signal } = context
  const { manifests, serviceAccountName: account } = objectsOf(backend)
  const kube = clientOf(context, account)
  return { prepared: await prepareObjects(manifests, environment, namespace, kube, signal), kube, account }
}

function objectsOf(backend: DesiredEnvironment['backend']): DesiredObjects {
  if (backend.kind !== 'objects') throw new OffshootError(`backend objects was asked for ${backend.kind}`)
  return backend
}

/** What belongs into a namespace that was just made need not be looked for. */
function mayExist({ namespace, namespaceState }: BackendContext): (prepared: PreparedObject) => boolean {
  return ({ key }) => namespaceState !== 'new' || key.namespace !== namespace
}

async function lookAt(
  prepared: readonly PreparedObject[],
  kube: KubeClient,
  signal: AbortSignal,
): Promise<Map<string, Look>> {
  const known = prepared.filter(({ unknownKind }) => unknownKind === undefined)
  const looks = await parallel(known, readLimit, async ({ id, key }): Promise<[string, Look]> => {
    try {
      const live = await kube.get(key, { signal })
      return [id, live === undefined ? {} : { live }]
    } catch (error) {
      return [id, { refusal: refusalOf(key, error) }]
    }
  })
  return new Map(looks)
}

async function recordInventory(context: BackendContext, inventory: ObjectsPlan['inventory']): Promise<void> {
  if (digestOf(inventory) === digestOf(recordedOf(context.environment))) return
  await context.record({ inventory })
}

function recordedOf(environment: ReviewEnvironment): ObjectsPlan['inventory'] {
  return environment.status?.inventory ?? []
}

/** Applies in order; one refused object does not keep the others from their turn. Updates `looks` with the answers. */
async function applyAll(
  plan: ObjectsPlan,
  kube: KubeClient,
  looks: Map<string, Look>,
  signal: AbortSignal,
): Promise<Refusal[]> {
  const refusals: Refusal[] = []
  for (const { prepared, uid } of plan.apply) {
    try {
      looks.set(prepared.id, { live: await applyOne(prepared, uid, kube, signal) })
    } catch (error) {
      refusals.push(refusalOf(prepared.key, error))
    }
  }
  if (plan.apply.some(({ prepared }) => prepared.key.kind === 'CustomResourceDefinition')) kube.invalidate()
  return refusals
}

/** With the uid of the object that was looked at, the server refuses to write to one that took its name since. */
function applyOne(
  { object }: PreparedObject,
  uid: string | undefined,
  kube: KubeClient,
  signal: AbortSignal,
): Promise<KubeObject> {
  const exact = uid === undefined ? object : { ...object, metadata: { ...object.metadata, uid } }
  return kube.apply<KubeObject>(exact, { fieldManager, fieldValidation: 'Strict', signal })
}

/** Deletes what left the template; it stays in the inventory until it is seen gone. */
async function prune(context: BackendContext, plan: ObjectsPlan): Promise<void> {
  if (plan.prune.length === 0) return
  const left = new Set((await removeObjects(context, plan.prune)).map(({ entry }) => identityOf(entry)))
  const pruned = new Set(plan.prune.map(identityOf))
  const inventory = plan.inventory.filter(entry => !pruned.has(identityOf(entry)) || left.has(identityOf(entry)))
  await recordInventory(context, inventory)
}
