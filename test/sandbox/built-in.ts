import type { KubeClient } from '../../src/kube/client.ts'
import { splitApiVersion } from '../../src/kube/types.ts'
import { promisedGroups, promisedSubresources } from '../../src/sandbox/contract.ts'

type Json = Record<string, unknown>

interface Discovered {
  resource: string
  responseKind: { kind: string }
  scope: string
  singularResource: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  subresources?: { subresource: string; responseKind?: Json; verbs: string[] }[]
}

interface Group {
  metadata: { name?: string }
  versions: { version: string; resources: Discovered[] }[]
}

/** What a real API server says about the promised kinds: how it serves them, and their schemas without descriptions. */
export async function readBuiltIn(client: KubeClient): Promise<{ resources: Json[]; types: Record<string, unknown> }> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const lists = await Promise.all(['/api', '/apis'].map(path => client.raw(path, { accept })))
  const groups = lists.flatMap(list => (JSON.parse(list) as { items: Group[] }).items)
  const resources: Json[] = []
  const found: Record<string, unknown> = {}
  for (const { apiVersion, kinds } of promisedGroups) {
    const [group, version] = splitApiVersion(apiVersion)
    const served = groups
      .find(({ metadata }) => (metadata.name ?? '') === group)
      ?.versions.find(one => one.version === version)
    for (const kind of kinds) {
      const one = served?.resources.find(({ responseKind }) => responseKind.kind === kind)
      if (!one) throw new Error(`the API server has no ${apiVersion} ${kind}`)
      resources.push({ apiVersion, ...describe(one) })
    }
    const path = `/openapi/v3/${group === '' ? 'api' : `apis/${group}`}/${version}`
    const { components } = JSON.parse(await client.raw(path)) as { components: { schemas: Record<string, Json> } }
    for (const [name, schema] of Object.entries(components.schemas)) found[name] = withoutDescriptions(schema)
  }
  return { resources, types: reachable(found, resources) }
}

function describe(one: Discovered): Json {
  const subresources = (one.subresources ?? []).filter(({ subresource }) => promisedSubresources.has(subresource))
  return {
    kind: one.responseKind.kind,
    plural: one.resource,
    singular: one.singularResource,
    namespaced: one.scope === 'Namespaced',
    verbs: one.verbs,
    ...(one.shortNames ? { shortNames: one.shortNames } : {}),
    ...(one.categories ? { categories: one.categories } : {}),
    ...(subresources.length > 0 ? { subresources: subresources.map(({ subresource }) => subresource) } : {}),
  }
}

function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions)
  if (typeof value !== 'object' || value === null) return value
  const result: Json = {}
  for (const [name, inner] of Object.entries(value as Json)) {
    if (name === 'description' && typeof inner === 'string') continue
    if (name === 'properties') {
      const properties = Object.entries(inner as Json).map(([key, one]) => [key, withoutDescriptions(one)])
      result[name] = Object.fromEntries(properties)
    } else result[name] = withoutDescriptions(inner)
  }
  const { allOf, ...rest } = result
  const [only] = Array.isArray(allOf) && allOf.length === 1 ? (allOf as Json[]) : []
  return only?.$ref === undefined ? result : { ...rest, $ref: only.$ref }
}

interface Named extends Json {
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
}

/** Types that the promised kinds need, by name; only they keep the name of their kind. */
function reachable(found: Record<string, unknown>, resources: Json[]): Record<string, unknown> {
  const wanted = new Set(resources.map(({ apiVersion, kind }) => `${String(apiVersion)} ${String(kind)}`))
  const kept = new Map<string, unknown>()
  const visit = (name: string) => {
    if (kept.has(name)) return
    const schema = found[name] as Named
    const { 'x-kubernetes-group-version-kind': gvks, ...rest } = schema
    const own = gvks?.filter(gvk => wanted.has(idOf(gvk)))
    kept.set(name, own && own.length > 0 ? { ...rest, 'x-kubernetes-group-version-kind': own } : rest)
    for (const [, ref] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) visit(ref ?? '')
  }
  for (const [name, schema] of Object.entries(found)) {
    const gvks = (schema as Named)['x-kubernetes-group-version-kind']
    if (gvks?.length === 1 && gvks.some(gvk => wanted.has(idOf(gvk)))) visit(name)
  }
  const prefix = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
  for (const name of ['ObjectMeta', 'DeleteOptions', 'Status']) visit(`${prefix}${name}`)
  return Object.fromEntries([...kept].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function idOf({ group, version, kind }: { group: string; version: string; kind: string }): string {
  return `${group === '' ? '' : `${group}/`}${version} ${kind}`
}
