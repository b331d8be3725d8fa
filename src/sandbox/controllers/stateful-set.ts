import { createHash } from 'node:crypto'
import type { KubeObject } from '../../kube/types.ts'
import { type Controller, controllerOf, erase, find, itself, ownedBy, setStatus } from './controller.ts'
import { isReady, makePod, maxPods, type PodTemplate } from './pods-of.ts'

const storage = 'statefulsets.apps'
const revisionLabel = 'controller-revision-hash'

/** Keeps the numbered pods of each StatefulSet, replacing those of an older template. */
export const statefulSets: Controller = {
  concerns: (_api, changed, change) => {
    if (changed === storage) return change.type === 'DELETED' ? [] : [itself(changed, change)]
    return changed === 'pods' ? controllerOf(change.current.object, 'StatefulSet', storage) : []
  },
  reconcile: (api, { namespace, name }) => {
    const set = find(api, storage, namespace, name)
    if (!set || set.metadata.deletionTimestamp !== undefined) return
    const { replicas = 1, template = {} } = set.spec as { replicas?: number; template?: PodTemplate }
    const revision = `${name}-${createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10)}`
    const wanted = Array.from({ length: Math.min(replicas, maxPods) }, (_, index) => `${name}-${index}`)
    const pod = api.registry.builtIn('v1', 'Pod')
    for (const found of ownedBy(api, 'pods', namespace, set)) {
      const current = found.metadata.labels?.[revisionLabel] === revision
      if (!current || !wanted.includes(found.metadata.name ?? '')) erase(api, pod, found)
    }
    for (const podName of wanted) {
      if (find(api, 'pods', namespace, podName)) continue
      const labels = {
        ...template.metadata?.labels,
        [revisionLabel]: revision,
        'apps.kubernetes.io/pod-index': podName.slice(name.length + 1),
        'statefulset.kubernetes.io/pod-name': podName,
      }
      makePod(api, set, { ...template, metadata: { ...template.metadata, labels } }, podName)
    }
    const pods = ownedBy(api, 'pods', namespace, set)
    setStatus(api, api.registry.builtIn('apps/v1', 'StatefulSet'), set, statusOf(set, pods, revision))
  },
}

function statusOf(set: KubeObject, pods: readonly KubeObject[], revision: string): object {
  const ready = pods.filter(isReady).length
  return {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: ready,
    availableReplicas: ready,
    currentReplicas: pods.length,
    updatedReplicas: pods.length,
    currentRevision: revision,
    updateRevision: revision,
    collisionCount: 0,
  }
}
