import { Buffer } from 'node:buffer'
import type { KubeObject } from '../../kube/types.ts'
import type { Api } from '../api.ts'
import type { Resource } from './resource.ts'

/** A new object without the status that its creator gave it, and with what the API server sets besides defaults. */
export function initialStatus(object: KubeObject, resource: Resource, _api: Api): KubeObject {
  const { status, ...rest } = object
  const bare = (resource.subresources.includes('status') ? rest : object) as KubeObject
  if (resource.custom) return bare
  const status0 = statuses[resource.storage]
  const result = status0 === undefined ? bare : ({ ...bare, status: status0(object) } as KubeObject)
  return (setters[resource.storage] ?? same)(result)
}

const same = (object: KubeObject) => object

const statuses: Readonly<Record<string, (object: KubeObject) => object>> = {
  namespaces: () => ({ phase: 'Active' }),
  pods: () => ({ phase: 'Pending', qosClass: 'BestEffort' }),
  persistentvolumeclaims: () => ({ phase: 'Pending' }),
  persistentvolumes: () => ({ phase: 'Pending' }),
  services: () => ({ loadBalancer: {} }),
  'deployments.apps': () => ({}),
  'replicasets.apps': () => ({ replicas: 0 }),
  'statefulsets.apps': () => ({ replicas: 0, availableReplicas: 0 }),
  'daemonsets.apps': () => ({
    currentNumberScheduled: 0,
    desiredNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
  }),
  'jobs.batch': () => ({}),
  'cronjobs.batch': () => ({}),
  'ingresses.networking.k8s.io': () => ({ loadBalancer: {} }),
  'poddisruptionbudgets.policy': () => ({
    currentHealthy: 0,
    desiredHealthy: 0,
    disruptionsAllowed: 0,
    expectedPods: 0,
  }),
  'horizontalpodautoscalers.autoscaling': () => ({ currentMetrics: null, desiredReplicas: 0 }),
}

const setters: Readonly<Record<string, (object: KubeObject) => KubeObject>> = {
  namespaces: object => {
    const labels = { 'kubernetes.io/metadata.name': object.metadata.name ?? '' }
    const metadata = { ...object.metadata, labels: { ...object.metadata.labels, ...labels } }
    return { ...object, metadata, spec: { ...(object.spec as object), finalizers: ['kubernetes'] } }
  },
}

/** `stringData` of a Secret moves into `data`. */
export function withoutStringData(object: KubeObject): KubeObject {
  const { stringData, ...rest } = object as KubeObject & { stringData?: Record<string, string>; data?: object }
  if (!stringData) return object
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  return { ...rest, data: { ...rest.data, ...Object.fromEntries(encoded) } } as KubeObject
}
