import type { Blocker } from '../../api/index.ts'
import { KubeError } from '../../kube/errors.ts'
import { type KubeObject, keyOf } from '../../kube/types.ts'
import type { BackendContext, Teardown } from '../backend.ts'
import { isOurs } from '../ownership.ts'
import { isOverdue, recheckWhileWaiting } from '../waiting.ts'
import type { Discriminators } from './discriminators.ts'
import { type Remain, removeRemains } from './remains.ts'
import { deploymentKey, type KluctlDeployment, readDeployment } from './resource.ts'

/** How long the kluctl controller may take to let go of its object before the rest is removed without it. */
const deploymentDeadline = 30_000
/** How long objects may take to go before their namespace is deleted over them. */
const remainsDeadline = 60_000

/**
 * Deletes the KluctlDeployment, then what is left of it: its end proves nothing, because the kluctl controller lets go
 * of it whatever stayed behind, and finds nothing at all as an account of one namespace.
 */
export async function teardownDeployment(context: BackendContext, discriminators: Discriminators): Promise<Teardown> {
  const deployment = await removeDeployment(context, discriminators)
  const blockers = deployment === undefined ? [] : [blockerOf({ live: deployment })]
  if (deployment !== undefined && !isOverdue(context, deploymentDeadline)) {
    return { gone: false, blockers, proceed: false, recheckAfter: recheckWhileWaiting(context) }
  }
  const { remains, blind } = await removeRemains(context)
  blockers.push(...remains.map(blockerOf))
  const gone = blockers.length === 0
  const proceed = remains.length === 0 || isOverdue(context, remainsDeadline)
  const remembered = blind ? rememberedBlockers(context) : []
  return {
    gone,
    blockers: [...blockers, ...remembered],
    proceed,
    ...(gone ? {} : { recheckAfter: recheckWhileWaiting(context) }),
  }
}

/** Gives what is left of the KluctlDeployment: the object while something holds it. */
async function removeDeployment(
  context: BackendContext,
  discriminators: Discriminators,
): Promise<KubeObject | undefined> {
  const found = await findDeployment(context)
  // What has our name but was not made for this environment is none of our business.
  if (found === undefined || !isOurs(found.object, context.environment)) return undefined
  const spec = await finalSpec(context, found, discriminators)
  const key = deploymentKey(context)
  const { uid } = found.object.metadata
  const precondition = uid === undefined ? {} : { uid }
  if (Object.keys(spec).length > 0) {
    await context.kube.patch(key, { metadata: precondition, spec }, { type: 'merge', signal: context.signal })
  }
  if (found.object.metadata.deletionTimestamp !== undefined) return found.object
  return context.kube.delete<KubeObject>(key, { ...precondition, signal: context.signal })
}

async function findDeployment(context: BackendContext): Promise<KluctlDeployment | undefined> {
  try {
    return await readDeployment(context)
  } catch (error) {
    // Without its CRD there is no KluctlDeployment.
    if (error instanceof KubeError && error.isKindMissing) return undefined
    throw error
  }
}

/**
 * What must change in the spec before the delete: a suspended one would be dropped without deleting anything, and one
 * whose discriminator is not surely ours must not delete.
 */
async function finalSpec(
  context: BackendContext,
  { object, spec, status }: KluctlDeployment,
  discriminators: Discriminators,
): Promise<{ suspend?: false; delete?: boolean }> {
  const { metadata, status: known } = context.environment
  const discriminator = status.targetKey?.discriminator ?? ''
  const recorded = known?.discriminators?.includes(discriminator) ?? false
  const others = recorded
    ? await discriminators.claim(discriminator, {
        namespace: metadata.namespace,
        environment: metadata.name,
        deployment: object.metadata.name ?? '',
        recorded,
      })
    : []
  const mayDelete = recorded && others.length === 0 && spec.dryRun !== true
  return {
    ...(spec.suspend === true ? { suspend: false } : {}),
    ...(spec.delete === mayDelete ? {} : { delete: mayDelete }),
  }
}

/** A remain as the status names it. */
export function blockerOf({ live, problem }: Remain): Blocker {
  const { finalizers = [] } = live.metadata
  return {
    ...keyOf(live),
    ...(finalizers.length === 0 ? {} : { finalizers: finalizers.slice(0, 20) }),
    ...(problem === undefined ? {} : { message: problem }),
  }
}

/** The account's rights end with the namespace: what was named in it before is named on, until the namespace is gone. */
function rememberedBlockers({ environment, namespace }: BackendContext): Blocker[] {
  return (environment.status?.blockers ?? []).filter(blocker => blocker.namespace === namespace)
}
