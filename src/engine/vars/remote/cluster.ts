import type { KubeClient } from '../../../kube/client.ts'
import type { GroupVersionKind, KubeObject } from '../../../kube/types.ts'
import { EngineError } from '../../errors.ts'
import { compareBytes, type JsonObject } from '../../values.ts'
import { type ObjectQuery, plain } from '../remote.ts'

/** The objects that match, sorted by namespace and name. @throws EngineError, KubeError */
export async function findObjects(
  cluster: KubeClient | undefined,
  query: ObjectQuery,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  if (cluster === undefined) throw new EngineError('loading vars from cluster is disabled')
  const kind = await kindOf(cluster, query)
  const { namespace, name, labels = {} } = query
  if (name !== undefined && name !== '') {
    const found = await cluster.get({ ...kind, name, ...(namespace === '' ? {} : { namespace }) }, { signal })
    return found === undefined ? [] : [plain(found) as JsonObject]
  }
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const { items } = await cluster.list(kind, { namespace: namespace || undefined, labelSelector, signal })
  // Items of a list come without the two fields that name their kind.
  return items.sort(byName).map(item => plain({ ...item, ...kind }) as JsonObject)
}

function byName(a: KubeObject, b: KubeObject): number {
  const namespaces = compareBytes(a.metadata.namespace ?? '', b.metadata.namespace ?? '')
  return namespaces === 0 ? compareBytes(a.metadata.name ?? '', b.metadata.name ?? '') : namespaces
}

async function kindOf(cluster: KubeClient, { kind, apiVersion }: ObjectQuery): Promise<GroupVersionKind> {
  if (apiVersion !== undefined && apiVersion !== '') return { apiVersion, kind }
  // Discovery lists a group's versions by preference; the first one with the kind speaks for the group.
  const byGroup = new Map<string, string>()
  for (const resource of await cluster.allResources()) {
    const group = resource.apiVersion.includes('/') ? (resource.apiVersion.split('/')[0] ?? '') : ''
    if (resource.kind === kind && !byGroup.has(group)) byGroup.set(group, resource.apiVersion)
  }
  const [first, ...others] = byGroup.values()
  if (first === undefined) throw new EngineError(`no matching resource found for kind ${kind}`)
  if (others.length > 0) {
    const names = [first, ...others].join(', ')
    throw new EngineError(
      `more than one matching resource found for kind ${kind} (${names}), consider also specifying apiVersion`,
    )
  }
  return { apiVersion: first, kind }
}
