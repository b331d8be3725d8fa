import type { KubeObject } from '../../kube/types.ts'
import type { Api } from '../api.ts'
import { type Controller, controllerOf, erase, find, itself, ownedBy, setStatus } from './controller.ts'
import { isReady, makePod, maxPods, type PodTemplate } from './pods-of.ts'

const storage = 'replicasets.apps'

/** Keeps as many pods as each ReplicaSet wants. */
export const replicaSets: Controller = {
  concerns: (_api, changed, change) => {
    if (changed === storage) return change.type === 'DELETED' ? [] : [itself(changed, change)]
    return changed === 'pods' ? controllerOf(change.current.object, 'ReplicaSet', storage) : []
  },
  reconcile: (api, { namespace, name }) => {
    const set = find(api, storage, namespace, name)
    if (!set || set.metadata.deletionTimestamp !== undefined) return
    const { replicas = 1, template = {} } = set.spec as { replicas?: number; template?: PodTemplate }
    const wanted = Math.min(replicas, maxPods)
    const found = ownedBy(api, 'pods', namespace, set)
    const pod = api.registry.builtIn('v1', 'Pod')
    for (const extra of found.slice(wanted)) erase(api, pod, extra)
    for (let count = found.length; count < wanted; count++) makePod(api, set, template)
    setStatus(api, api.registry.builtIn('apps/v1', 'ReplicaSet'), set, statusOf(api, set))
  },
}

function statusOf(api: Api, set: KubeObject): object {
  const pods = ownedBy(api, 'pods', set.metadata.namespace ?? '', set)
  const ready = pods.filter(isReady).length
  return {
    replicas: pods.length,
    fullyLabeledReplicas: pods.length,
    readyReplicas: ready,
    availableReplicas: ready,
    observedGeneration: set.metadata.generation,
  }
}
