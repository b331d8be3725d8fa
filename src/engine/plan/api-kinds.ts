import type { ApiResource } from '../../kube/discovery.ts'
import { splitApiVersion } from '../../kube/types.ts'
import { groupKindOf } from './refs.ts'
import type { ApiKind } from './types.ts'

/** Old names of kinds that are served elsewhere, or that are no objects at all. */
const outdated = new Set(['extensions/ingresses', '/componentstatuses'])

/**
 * Every kind of the cluster once, in the version that the API server prefers. Discovery lists the versions of a group
 * by preference.
 */
export function preferredKinds(resources: readonly ApiResource[]): ApiKind[] {
  const kinds = new Map<string, ApiKind>()
  for (const { apiVersion, kind, plural, namespaced, verbs } of resources) {
    const [group, version] = splitApiVersion(apiVersion)
    const id = `${group}/${plural}`
    if (!kinds.has(id) && !outdated.has(id)) kinds.set(id, { group, version, kind, plural, namespaced, verbs })
  }
  return [...kinds.values()]
}

/** Kinds by their `groupKindOf`. */
export function byGroupKind(kinds: readonly ApiKind[]): ReadonlyMap<string, ApiKind> {
  return new Map(kinds.map(kind => [groupKindOf(kind), kind]))
}
