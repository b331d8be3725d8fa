import type { ApiResource } from '../../kube/discovery.ts'
import { splitApiVersion } from '../../kube/types.ts'

/**
 * What the API server answers to Helm's questions for its kinds, made from what we know already: Helm asks for each
 * group by itself, which are some fifty requests. By path.
 */
export function discoveryAnswers(resources: readonly ApiResource[]): Map<string, string> {
  const groups = new Map<string, Map<string, ApiResource[]>>()
  for (const resource of resources) {
    const [group, version] = splitApiVersion(resource.apiVersion)
    const versions = groups.get(group) ?? new Map<string, ApiResource[]>()
    groups.set(group, versions)
    versions.set(version, [...(versions.get(version) ?? []), resource])
  }
  const answers = new Map<string, string>()
  for (const [group, versions] of groups) {
    for (const [version, found] of versions) {
      const groupVersion = group === '' ? version : `${group}/${version}`
      const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: found.map(resourceOf) }
      answers.set(group === '' ? `/api/${version}` : `/apis/${groupVersion}`, JSON.stringify(list))
    }
  }
  const legacy = [...(groups.get('')?.keys() ?? [])]
  answers.set('/api', JSON.stringify({ kind: 'APIVersions', versions: legacy, serverAddressByClientCIDRs: [] }))
  const named = [...groups].filter(([group]) => group !== '').map(([group, versions]) => groupOf(group, versions))
  answers.set('/apis', JSON.stringify({ kind: 'APIGroupList', apiVersion: 'v1', groups: named }))
  return answers
}

function resourceOf({ plural, singular, namespaced, kind, verbs, shortNames }: ApiResource): object {
  return { name: plural, singularName: singular, namespaced, kind, verbs, shortNames }
}

function groupOf(name: string, versions: ReadonlyMap<string, unknown>): object {
  // Discovery lists the versions of a group by preference.
  const all = [...versions.keys()].map(version => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: all, preferredVersion: all[0] }
}
