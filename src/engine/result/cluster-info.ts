import type { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/errors.ts'
import { EngineError } from '../errors.ts'

/**
 * The UID of the namespace `kube-system`, which kluctl takes for the cluster's identity. Who may list namespaces but
 * not read one gets it from the list.
 * @throws KubeError when neither is allowed, EngineError when there is no such namespace
 */
export async function clusterId(kube: KubeClient, signal: AbortSignal): Promise<string> {
  const uid = await readUid(kube, signal)
  if (uid === undefined || uid === '') throw new EngineError('kube-system namespace has no uid')
  return uid
}

async function readUid(kube: KubeClient, signal: AbortSignal): Promise<string | undefined> {
  const kind = { apiVersion: 'v1', kind: 'Namespace' }
  try {
    const found = await kube.getMetadata({ ...kind, name: 'kube-system' }, { signal })
    return found?.metadata.uid
  } catch (error) {
    if (!(error instanceof KubeError && error.isForbidden)) throw error
    const { items } = await kube.list(kind, { metadataOnly: true, signal })
    return items.find(({ metadata }) => metadata.name === 'kube-system')?.metadata.uid
  }
}
