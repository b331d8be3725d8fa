import type { DeploymentItem } from '../deployment/tree.ts'
import { type Manifest, text } from '../item.ts'
import type { ObjectReference } from '../project/schema/deployment.ts'
import type { ItemObjects } from '../render/items.ts'
import { getPath } from '../values.ts'
import { type Hook, type HookType, hooksOf, readHook } from './hooks.ts'
import type { Problems } from './problems.ts'
import { isAnnotated, makeRef, refKey, refOf } from './refs.ts'
import type { ApiKind, ObjectRef, RemoteView } from './types.ts'

/** What is done for one deployment item, in the order of the fields. */
export interface ItemPlan {
  readonly item: DeploymentItem
  /** What people call the item; undefined for those that do nothing, such as a barrier. */
  readonly name: string | undefined
  /** `deleteObjects`: which versions they are of is known only when it is their turn. */
  readonly deleteSelectors: readonly ObjectReference[]
  readonly deletions: readonly ObjectRef[]
  readonly hooksBefore: readonly Hook[]
  readonly objects: readonly Manifest[]
  /** `waitReadinessObjects`. */
  readonly waitSelectors: readonly ObjectReference[]
  readonly waitFor: readonly ObjectRef[]
  readonly hooksAfter: readonly Hook[]
}

/** Items that are worked on at the same time, and the barrier at their end. */
export interface Stage {
  readonly items: readonly ItemPlan[]
  /** Undefined for the last stage without one. The message is for people. */
  readonly barrier: { readonly message: string | undefined } | undefined
}

/** What a deployment does, in order. */
export interface DeployPlan {
  readonly stages: readonly Stage[]
  /** Kinds that the deployment's own CRDs define, as `apiVersion Kind`: a dry run cannot ask the server for them. */
  readonly definedKinds: ReadonlySet<string>
  /** Namespaces that the deployment makes: in a dry run they are not there. */
  readonly namespaces: ReadonlySet<string>
}

/**
 * Puts rendered items in order. Which hooks run depends on whether an object of their item was there before. What is
 * wrong with hooks is told to `problems`. Pure otherwise.
 */
export function planDeployment(
  items: readonly ItemObjects[],
  remote: Pick<RemoteView, 'get'>,
  problems: Problems,
): DeployPlan {
  const objects = items.flatMap(item => item.objects)
  return {
    stages: stagesOf(items, remote, problems),
    definedKinds: new Set(objects.flatMap(definedKinds)),
    namespaces: new Set(objects.filter(isNamespace).map(object => refOf(object).name)),
  }
}

function stagesOf(items: readonly ItemObjects[], remote: Pick<RemoteView, 'get'>, problems: Problems): Stage[] {
  const stages: Stage[] = []
  let pending: ItemPlan[] = []
  for (const item of items) {
    pending.push(planItem(item, remote, problems))
    if (!item.barrier && !item.item.config.barrier) continue
    stages.push({ items: pending, barrier: { message: item.item.config.message } })
    pending = []
  }
  if (pending.length > 0) stages.push({ items: pending, barrier: undefined })
  return stages
}

function planItem(
  { item, objects, waitReadiness }: ItemObjects,
  remote: Pick<RemoteView, 'get'>,
  problems: Problems,
): ItemPlan {
  const { deleteObjects = [], waitReadinessObjects = [] } = item.config
  const deleted = objects.filter(object => isAnnotated(object, 'kluctl.io/delete'))
  const hooks: Hook[] = []
  const plain: Manifest[] = []
  for (const object of objects) {
    const { hook, errors, warnings } = readHook(object)
    for (const error of errors) problems.addError(refOf(object), error)
    for (const warning of warnings) problems.addWarning(refOf(object), warning)
    if (hook !== undefined) hooks.push(hook)
    else if (!deleted.includes(object)) plain.push(object)
  }
  // The first deployment of an item is that before which none of its objects exist, hooks and deleted ones included.
  const phase = objects.some(object => remote.get(refOf(object)) !== undefined) ? 'upgrade' : 'initial'
  const around = (when: 'pre' | 'post') => hooksOf(hooks, [`${when}-deploy`, `${when}-deploy-${phase}`] as HookType[])
  const all = waitReadiness || item.config.waitReadiness
  return {
    item,
    name: nameOf(item),
    deleteSelectors: deleteObjects,
    deletions: unique(deleted.map(refOf)),
    hooksBefore: around('pre'),
    objects: plain,
    waitSelectors: waitReadinessObjects,
    waitFor: unique(plain.filter(object => all || isAnnotated(object, 'kluctl.io/wait-readiness')).map(refOf)),
    hooksAfter: around('post'),
  }
}

function nameOf({ path, config }: DeploymentItem): string | undefined {
  if (path !== undefined) return path
  if (config.deleteObjects !== undefined && config.deleteObjects.length > 0) return '<delete>'
  return config.waitReadinessObjects !== undefined && config.waitReadinessObjects.length > 0 ? '<wait>' : undefined
}

function unique(refs: readonly ObjectRef[]): ObjectRef[] {
  return [...new Map(refs.map(ref => [refKey(ref), ref])).values()]
}

/** The kinds that a CRD defines, one for each version; none for other objects. */
export function definedKinds(object: Manifest): string[] {
  const { group = '', kind } = refOf(object)
  if (group !== 'apiextensions.k8s.io' || kind !== 'CustomResourceDefinition') return []
  const theirs = text(getPath(object, ['spec', 'group']))
  const defined = text(getPath(object, ['spec', 'names', 'kind']))
  const versions = getPath(object, ['spec', 'versions'])
  if (!Array.isArray(versions)) return []
  return versions.map(version => `${theirs}/${text(getPath(version, ['name']))} ${defined}`)
}

function isNamespace(object: Manifest): boolean {
  const { group = '', kind } = refOf(object)
  return group === '' && kind === 'Namespace' && !isAnnotated(object, 'kluctl.io/delete')
}

/** The objects that an entry of `deleteObjects` or `waitReadinessObjects` names: one for each kind that fits. */
export function resolveReference(reference: ObjectReference, kinds: readonly ApiKind[]): ObjectRef[] {
  const { group, kind, name, namespace } = reference
  return kinds
    .filter(known => (group === undefined || known.group === group) && (kind === undefined || known.kind === kind))
    .map(known => makeRef(known.group, known.version, known.kind, name, namespace))
}
