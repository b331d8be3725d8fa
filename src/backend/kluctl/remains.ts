import { isLabelValue } from '../../environment/names.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { ApiResource } from '../../kube/discovery.ts'
import { KubeError } from '../../kube/errors.ts'
import { type KubeObject, keyOf, splitApiVersion } from '../../kube/types.ts'
import { messageOf } from '../../util/errors.ts'
import { parallel } from '../../util/parallel.ts'
import type { BackendContext } from '../backend.ts'
import { presentable } from '../mask.ts'
import { isHolding } from '../waiting.ts'

/** Label by which kluctl finds what it deployed. */
const discriminatorLabel = 'kluctl.io/discriminator'
/** Lists and deletes at once, per environment. */
const listLimit = 4
const deleteLimit = 8

const waitsForLater = 'it goes after what was deployed later'

/** An object with one of our discriminators that is still in the namespace. */
export interface Remain {
  live: KubeObject
  problem?: string
}

/**
 * Deletes what carries one of the environment's discriminators in its namespace, as its account, in every kind that
 * the account may list there: of the last stage first, and others when that is gone or has had its time. Gives what is
 * still there; `blind` when the account may list nothing (any more).
 */
export async function removeRemains(
  context: BackendContext,
  stageOf: (live: KubeObject) => number = () => 0,
): Promise<{ remains: Remain[]; blind: boolean }> {
  const discriminators = (context.environment.status?.discriminators ?? []).filter(isLabelValue)
  if (discriminators.length === 0) return { remains: [], blind: false }
  const { namespace } = context.environment.metadata
  const kube = context.kube.as({ serviceAccount: { namespace, name: context.serviceAccount } })
  const labelSelector = `${discriminatorLabel} in (${discriminators.join(',')})`
  const kinds = await listableKinds(context, kube)
  const found = await parallel(kinds, listLimit, kind => listKind(context, kube, kind, labelSelector))
  const remains: Remain[] = []
  let held = false
  for (const stage of lastFirst(found.flat(), stageOf)) {
    const remove = (live: KubeObject) => (held ? { live, problem: waitsForLater } : removeOne(context, kube, live))
    const left = (await parallel(stage, deleteLimit, async live => remove(live))).filter(remain => remain !== undefined)
    remains.push(...left)
    held ||= left.some(({ live }) => isHolding(context, live))
  }
  return { remains, blind: kinds.length === 0 }
}

function lastFirst(objects: readonly KubeObject[], stageOf: (live: KubeObject) => number): KubeObject[][] {
  const stages = Map.groupBy(objects, stageOf)
  return [...stages.entries()].toSorted(([a], [b]) => b - a).map(([, stage]) => stage)
}

/** Namespaced kinds that can be listed, each in one version, and only what the account is allowed (if that is known). */
async function listableKinds(context: BackendContext, kube: KubeClient): Promise<ApiResource[]> {
  const allowed = await listRules(context, kube)
  const kinds = new Map<string, ApiResource>()
  for (const resource of await kube.allResources()) {
    const [group] = splitApiVersion(resource.apiVersion)
    const listable = resource.namespaced && resource.verbs.includes('list') && resource.verbs.includes('delete')
    const id = `${group}/${resource.plural}`
    if (listable && !kinds.has(id) && allowed(group, resource.plural)) kinds.set(id, resource)
  }
  return [...kinds.values()]
}

type Rule = { verbs?: string[]; apiGroups?: string[]; resources?: string[]; resourceNames?: string[] }

/** One request instead of a refusal for each kind of the cluster; an incomplete answer allows everything. */
async function listRules(
  { namespace, signal }: BackendContext,
  kube: KubeClient,
): Promise<(group: string, resource: string) => boolean> {
  const request = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    metadata: {},
    spec: { namespace },
  }
  let review: KubeObject
  try {
    review = await kube.create<KubeObject>(request, { signal })
  } catch (error) {
    // Acting as the account ends with its project's namespace: nothing can be listed, and the namespace's end must do.
    if (error instanceof KubeError && error.isForbidden) return () => false
    throw error
  }
  const status = (review.status ?? {}) as { incomplete?: boolean; resourceRules?: Rule[] }
  if (status.incomplete === true) return () => true
  const covers = (list: string[] | undefined, value: string) => list?.some(item => item === '*' || item === value)
  const rules = (status.resourceRules ?? []).filter(rule => covers(rule.verbs, 'list') && !rule.resourceNames?.length)
  return (group, resource) => rules.some(rule => covers(rule.apiGroups, group) && covers(rule.resources, resource))
}

async function listKind(
  { namespace, signal }: BackendContext,
  kube: KubeClient,
  kind: ApiResource,
  labelSelector: string,
): Promise<KubeObject[]> {
  try {
    const { items } = await kube.list(kind, { namespace, labelSelector, metadataOnly: true, signal })
    // What another object of the namespace controls goes with that one.
    return items.filter(({ metadata }) => !metadata.ownerReferences?.some(owner => owner.controller))
  } catch (error) {
    if (error instanceof KubeError && (error.isForbidden || error.isNotFound || error.status === 405)) return []
    throw error
  }
}

async function removeOne(context: BackendContext, kube: KubeClient, live: KubeObject): Promise<Remain | undefined> {
  if (live.metadata.deletionTimestamp !== undefined) return { live }
  const { uid } = live.metadata
  try {
    const rest = await kube.delete(keyOf(live), {
      ...(uid === undefined ? {} : { uid }),
      propagation: 'Background',
      signal: context.signal,
    })
    return rest && { live: { ...live, metadata: rest.metadata } }
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    return { live, problem: presentable(messageOf(error)) }
  }
}
