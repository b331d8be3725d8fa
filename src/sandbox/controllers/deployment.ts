import { createHash } from 'node:crypto'
import type { KubeObject } from '../../kube/types.ts'
import { type Api, timeOf } from '../api.ts'
import {
  type Controller,
  change,
  controllerOf,
  controllerReference,
  find,
  itself,
  make,
  ownedBy,
  setStatus,
} from './controller.ts'
import type { PodTemplate } from './pods-of.ts'

const storage = 'deployments.apps'

const revisionAnnotation = 'deployment.kubernetes.io/revision'

interface Spec {
  replicas?: number
  paused?: boolean
  selector: { matchLabels?: Record<string, string>; matchExpressions?: object[] }
  template: PodTemplate
}

/** Keeps one ReplicaSet for the current template of each Deployment, and those of older templates at zero. */
export const deployments: Controller = {
  concerns: (_api, changed, change) => {
    if (changed === storage) return change.type === 'DELETED' ? [] : [itself(changed, change)]
    return changed === 'replicasets.apps' ? controllerOf(change.current.object, 'Deployment', storage) : []
  },
  reconcile: (api, { namespace, name }) => {
    const deployment = find(api, storage, namespace, name)
    if (!deployment || deployment.metadata.deletionTimestamp !== undefined) return
    const { replicas = 1, paused } = deployment.spec as Spec
    if (paused === true) return
    const current = currentSet(api, deployment)
    for (const set of ownedBy(api, 'replicasets.apps', namespace, deployment)) {
      const wanted = set.metadata.uid === current.metadata.uid ? replicas : 0
      const spec = set.spec as { replicas?: number }
      const resource = api.registry.builtIn('apps/v1', 'ReplicaSet')
      if (spec.replicas !== wanted) change(api, resource, set, { ...set, spec: { ...spec, replicas: wanted } })
    }
    const noted = find(api, storage, namespace, name) ?? deployment
    setStatus(api, api.registry.builtIn('apps/v1', 'Deployment'), noted, statusOf(api, noted, current))
  },
}

function currentSet(api: Api, deployment: KubeObject): KubeObject {
  const { namespace = '', name = '', annotations } = deployment.metadata
  const { selector, template, replicas = 1 } = deployment.spec as Spec
  const hash = createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10)
  const found = find(api, 'replicasets.apps', namespace, `${name}-${hash}`)
  if (found) return found
  const revision = String(ownedBy(api, 'replicasets.apps', namespace, deployment).length + 1)
  const resource = api.registry.builtIn('apps/v1', 'Deployment')
  const noted = { ...deployment.metadata, annotations: { ...annotations, [revisionAnnotation]: revision } }
  change(api, resource, deployment, { ...deployment, metadata: noted })
  const own = { 'pod-template-hash': hash }
  const labels = { ...template.metadata?.labels, ...own }
  return make(api, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: noted.annotations,
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, ...own } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  })
}

interface SetStatus {
  replicas?: number
  readyReplicas?: number
  availableReplicas?: number
}

function statusOf(api: Api, deployment: KubeObject, current: KubeObject): object {
  const { replicas: wanted = 1 } = deployment.spec as Spec
  const { namespace = '', generation } = deployment.metadata
  const sets = ownedBy(api, 'replicasets.apps', namespace, deployment).map(({ status }) => (status ?? {}) as SetStatus)
  const sum = (field: keyof SetStatus) => sets.reduce((total, set) => total + (set[field] ?? 0), 0)
  const now = find(api, 'replicasets.apps', namespace, current.metadata.name ?? '')
  const updated = ((now?.status ?? {}) as SetStatus).replicas ?? 0
  const [replicas, ready, available] = [sum('replicas'), sum('readyReplicas'), sum('availableReplicas')]
  const done = updated === wanted && replicas === wanted && available === wanted
  const before = ((deployment.status ?? {}) as { conditions?: Condition[] }).conditions ?? []
  const name = current.metadata.name ?? ''
  return {
    observedGeneration: generation,
    ...(replicas > 0 ? { replicas, updatedReplicas: updated } : {}),
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(available > 0 ? { availableReplicas: available } : {}),
    ...(available < wanted ? { unavailableReplicas: wanted - available } : {}),
    conditions: [
      available >= wanted
        ? condition(api, before, 'Available', true, 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
        : condition(
            api,
            before,
            'Available',
            false,
            'MinimumReplicasUnavailable',
            'Deployment does not have minimum availability.',
          ),
      done
        ? condition(
            api,
            before,
            'Progressing',
            true,
            'NewReplicaSetAvailable',
            `ReplicaSet "${name}" has successfully progressed.`,
          )
        : condition(api, before, 'Progressing', true, 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`),
    ],
  }
}

interface Condition {
  type: string
  status: string
  reason: string
  lastTransitionTime: string
  lastUpdateTime: string
}

function condition(
  api: Api,
  before: readonly Condition[],
  type: string,
  holds: boolean,
  reason: string,
  message: string,
) {
  const status = holds ? 'True' : 'False'
  const old = before.find(one => one.type === type)
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timeOf(api)
  const lastUpdateTime = old?.status === status && old.reason === reason ? old.lastUpdateTime : timeOf(api)
  return { type, status, reason, message, lastTransitionTime, lastUpdateTime }
}
