import { createHash } from 'node:crypto'
import { type Controller, controllerOf, erase, find, itself, ownedBy, setStatus } from './controller.ts'
import { isReady, makePod, type PodTemplate } from './pods-of.ts'

const storage = 'daemonsets.apps'
const revisionLabel = 'controller-revision-hash'

/** Keeps one pod for each DaemonSet, since there is one node. */
export const daemonSets: Controller = {
  concerns: (_api, changed, change) => {
    if (changed === storage) return change.type === 'DELETED' ? [] : [itself(changed, change)]
    return changed === 'pods' ? controllerOf(change.current.object, 'DaemonSet', storage) : []
  },
  reconcile: (api, { namespace, name }) => {
    const set = find(api, storage, namespace, name)
    if (!set || set.metadata.deletionTimestamp !== undefined) return
    const { template = {} } = set.spec as { template?: PodTemplate }
    const revision = createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10)
    for (const pod of ownedBy(api, 'pods', namespace, set)) {
      if (pod.metadata.labels?.[revisionLabel] !== revision) erase(api, api.registry.builtIn('v1', 'Pod'), pod)
    }
    const labels = { ...template.metadata?.labels, [revisionLabel]: revision }
    if (ownedBy(api, 'pods', namespace, set).length === 0) {
      makePod(api, set, { ...template, metadata: { ...template.metadata, labels } })
    }
    const pods = ownedBy(api, 'pods', namespace, set)
    const ready = pods.filter(isReady).length
    setStatus(api, api.registry.builtIn('apps/v1', 'DaemonSet'), set, {
      observedGeneration: set.metadata.generation,
      desiredNumberScheduled: 1,
      currentNumberScheduled: pods.length,
      updatedNumberScheduled: pods.length,
      numberMisscheduled: 0,
      numberReady: ready,
      ...(ready > 0 ? { numberAvailable: ready } : { numberUnavailable: 1 }),
    })
  },
}
