import { noSuchPath } from '../errors.ts'
import type { Registry } from '../kinds/registry.ts'
import type { Resource } from '../kinds/resource.ts'

type Json = Record<string, unknown>

/** Kinds that a subresource answers with, where it is not the kind itself. */
const answers: Readonly<Record<string, { group: string; version: string; kind: string }>> = {
  scale: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  token: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
}

const subresourceVerbs: Readonly<Record<string, readonly string[]>> = {
  token: ['create'],
  log: ['get'],
  finalize: ['update'],
}

function verbsOf(subresource: string): readonly string[] {
  return subresourceVerbs[subresource] ?? ['get', 'patch', 'update']
}

/** Versions of each group, in the order in which they are served. */
function groupsOf(registry: Registry): Map<string, Map<string, Resource[]>> {
  const groups = new Map<string, Map<string, Resource[]>>()
  for (const resource of registry.all()) {
    const versions = groups.get(resource.group) ?? new Map<string, Resource[]>()
    groups.set(resource.group, versions)
    versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource])
  }
  for (const [group, versions] of groups) {
    groups.set(group, new Map([...versions].sort(([a], [b]) => rank(b) - rank(a))))
  }
  return groups
}

/** Kubernetes' order of versions: stable before beta before alpha, newer before older. */
function rank(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!match) return -1
  const [, major, stage, minor] = match
  const stability = stage === undefined ? 2 : stage === 'beta' ? 1 : 0
  return stability * 1e6 + Number(major) * 1e3 + Number(minor ?? 0)
}

/** Answers `/api` and `/apis` with everything at once. */
export function aggregatedDiscovery(registry: Registry, root: 'api' | 'apis', version: 'v2' | 'v2beta1'): Json {
  const items = [...groupsOf(registry)]
    .filter(([group]) => (group === '') === (root === 'api'))
    .map(([group, versions]) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: [...versions].map(([name, resources]) => ({
        version: name,
        resources: resources.map(aggregatedResource),
        freshness: 'Current',
      })),
    }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items }
}

function aggregatedResource(resource: Resource): Json {
  const { group, version, kind } = resource
  const subresources = resource.subresources.map(subresource => ({
    subresource,
    responseKind: answers[subresource] ?? { group, version, kind },
    verbs: verbsOf(subresource),
  }))
  return {
    resource: resource.plural,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  }
}

/** Answers `/api`, in the older form. */
export function apiVersions(address: string): Json {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  }
}

/** Answers `/apis`, in the older form. */
export function apiGroups(registry: Registry): Json {
  const groups = [...groupsOf(registry).keys()].filter(group => group !== '').map(group => apiGroup(registry, group))
  return { kind: 'APIGroupList', apiVersion: 'v1', groups }
}

/** Answers `/apis/<group>`. @throws StatusError (404) */
export function apiGroup(registry: Registry, name: string): Json {
  const versions = [...(groupsOf(registry).get(name)?.keys() ?? [])].map(version => ({
    groupVersion: `${name}/${version}`,
    version,
  }))
  if (versions.length === 0) throw noSuchPath()
  return { kind: 'APIGroup', apiVersion: 'v1', name, versions, preferredVersion: versions[0] }
}

/** Answers `/api/v1` and `/apis/<group>/<version>`. @throws StatusError (404) */
export function apiResources(registry: Registry, group: string, version: string): Json {
  const found = groupsOf(registry).get(group)?.get(version)
  if (!found) throw noSuchPath()
  const resources = found.flatMap(resource => [
    listedResource(resource),
    ...resource.subresources.map(subresource => listedSubresource(resource, subresource)),
  ])
  const groupVersion = group === '' ? version : `${group}/${version}`
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources }
}

function listedResource(resource: Resource): Json {
  return {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
  }
}

function listedSubresource(resource: Resource, subresource: string): Json {
  return {
    name: `${resource.plural}/${subresource}`,
    singularName: '',
    namespaced: resource.namespaced,
    kind: resource.kind,
    ...answers[subresource],
    verbs: verbsOf(subresource),
  }
}
