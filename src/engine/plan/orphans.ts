import type { Inclusion, InclusionFlags } from '../deployment/inclusion.ts'
import type { Manifest } from '../item.ts'
import { getPath, isObject, type Json } from '../values.ts'
import { byGroupKind } from './api-kinds.ts'
import { annotationOf, formatRef, groupKindOf, isAnnotated, refKey, refOf } from './refs.ts'
import { isSkipDelete } from './skip-delete.ts'
import type { ApiKind, ObjectRef } from './types.ts'

/** What is found orphaned, and shown and deleted, first: by name, group or kind. Everything else comes last. */
const order: readonly (readonly string[])[] = [
  ['Namespace'],
  [
    'monitoring.coreos.com',
    'kafka.strimzi.io',
    'zookeeper.pravega.io',
    'elasticsearch.k8s.elastic.co',
    'cert-manager.io',
    'bitnami.com',
    'acid.zalan.do',
  ],
  ['Deployment', 'StatefulSet', 'DaemonSet', 'Service', 'Ingress'],
]

/** Which objects may be deleted. */
export interface DeletionScope {
  /** The target's; an object with another one, or none, is never chosen. */
  readonly discriminator: string
  /** The cluster's kinds. */
  readonly kinds: readonly ApiKind[]
  /** The tags and folders of the command, as they are said of objects by label and annotation. */
  readonly inclusion: Inclusion
  /** Whether the command includes or excludes by tag: then objects with `kluctl.io/skip-delete-if-tags` stay. */
  readonly hasTags: boolean
  /** Objects that stay, in whatever version: those that are rendered, for `prune`. */
  readonly keep?: readonly ObjectRef[] | undefined
}

/** Whether the flags include or exclude by tag. */
export function usesTags({ includeTag = [], excludeTag = [] }: InclusionFlags): boolean {
  return includeTag.length + excludeTag.length > 0
}

/**
 * The objects that a command deletes, in kluctl's order: those with the discriminator that kluctl manages and nobody
 * else owns, without those that ask to be left alone.
 */
export function objectsToDelete(objects: readonly Manifest[], scope: DeletionScope): ObjectRef[] {
  const kinds = byGroupKind(scope.kinds)
  const taken = new Set((scope.keep ?? []).map(ref => identity(ref, kinds)))
  const chosen: { rank: number; ref: ObjectRef }[] = []
  for (const object of objects) {
    const ref = refOf(object)
    const kind = kinds.get(groupKindOf(ref))
    const id = identity(ref, kinds)
    if (kind === undefined || taken.has(id) || !mayDelete(object, scope)) continue
    taken.add(id)
    chosen.push({ rank: rankOf(kind), ref })
  }
  const text = ({ ref }: { ref: ObjectRef }) => `${formatRef(ref)} ${refKey(ref)}`
  return chosen.sort((a, b) => a.rank - b.rank || (text(a) < text(b) ? -1 : 1)).map(({ ref }) => ref)
}

/** Objects of the cluster that belong to the tags and folders of a command. */
export function isIncluded(object: Manifest, inclusion: Inclusion): boolean {
  const labels = getPath(object, ['metadata', 'labels'])
  const tags = Object.entries(isObject(labels) ? labels : {})
    .filter(([key]) => /^kluctl\.io\/tag-\d+$/.test(key))
    .flatMap(([, value]) => (typeof value === 'string' ? [value] : []))
  return inclusion(tags, annotationOf(object, 'kluctl.io/deployment-item-dir'))
}

function mayDelete(object: Manifest, scope: DeletionScope): boolean {
  return (
    scope.discriminator !== '' &&
    getPath(object, ['metadata', 'labels', 'kluctl.io/discriminator']) === scope.discriminator &&
    isIncluded(object, scope.inclusion) &&
    !isSkipDelete(object) &&
    isManaged(object) &&
    !(scope.hasTags && isAnnotated(object, 'kluctl.io/skip-delete-if-tags'))
  )
}

/** Labels are copied by controllers (a Service's to its EndpointSlices): what kluctl applied is known by its manager. */
function isManaged(object: Manifest): boolean {
  if (isAnnotated(object, 'kluctl.io/force-managed')) return true
  const owners = getPath(object, ['metadata', 'ownerReferences'])
  const managers = getPath(object, ['metadata', 'managedFields'])
  return list(owners).length === 0 && list(managers).some(entry => isObject(entry) && entry.manager === 'kluctl')
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

/** The same for all versions of an object; rendered ones may lack a namespace, or have one too many. */
function identity(ref: ObjectRef, kinds: ReadonlyMap<string, ApiKind>): string {
  const namespaced = kinds.get(groupKindOf(ref))?.namespaced
  const namespace = namespaced === undefined ? ref.namespace : namespaced ? (ref.namespace ?? 'default') : ''
  return `${groupKindOf(ref)}/${namespace ?? ''}/${ref.name}`
}

function rankOf({ group, kind, plural }: ApiKind): number {
  const rank = order.findIndex(names => names.includes(group) || names.includes(kind) || names.includes(plural))
  return rank < 0 ? order.length : rank
}
