import { Buffer } from 'node:buffer'
import type { KubeObject } from '../../kube/types.ts'
import type { Resource } from './resource.ts'

/**
 * A new object with what the API server sets after it has noted who owns which fields: the first status instead of the
 * creator's, addresses, selectors, finalizers.
 */
export function allocate(object: KubeObject, resource: Resource): KubeObject {
  const { status: _status, ...rest } = object
  const bare = (resource.subresources.includes('status') ? rest : object) as KubeObject
  if (resource.custom) return bare
  const status = statuses[resource.storage]
  const result = status === undefined ? bare : { ...bare, status }
  return (setters[resource.storage] ?? same)(result)
}

const same = (object: KubeObject) => object

const statuses: Readonly<Record<string, object>> = {
  namespaces: { phase: 'Active' },
  pods: { phase: 'Pending', qosClass: 'BestEffort' },
  persistentvolumeclaims: { phase: 'Pending' },
  persistentvolumes: { phase: 'Pending' },
  services: { loadBalancer: {} },
  resourcequotas: {},
  'deployments.apps': {},
  'replicasets.apps': { replicas: 0 },
  'statefulsets.apps': { replicas: 0, availableReplicas: 0 },
  'daemonsets.apps': { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  'jobs.batch': {},
  'cronjobs.batch': {},
  'ingresses.networking.k8s.io': { loadBalancer: {} },
  'poddisruptionbudgets.policy': { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  'horizontalpodautoscalers.autoscaling': { currentMetrics: null, desiredReplicas: 0 },
}

type Setter = (object: KubeObject) => KubeObject

const namespace: Setter = object => ({ ...object, spec: { ...(object.spec as object), finalizers: ['kubernetes'] } })

/** The finalizer that keeps a claim while a pod uses it. */
export const claimProtection = 'kubernetes.io/pvc-protection'

const claim: Setter = object => {
  const finalizers = [...(object.metadata.finalizers ?? []), claimProtection]
  return { ...object, metadata: { ...object.metadata, finalizers } }
}

/** A new Job selects its pods by its own uid. */
const job: Setter = object => {
  const spec = object.spec as JobSpec
  const { uid = '', name = '' } = object.metadata
  if (spec.selector !== undefined || spec.manualSelector === true) return object
  const own = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name }
  const labels = { ...spec.template.metadata?.labels, ...own, 'controller-uid': uid, 'job-name': name }
  const selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels } }
  const metadata = object.metadata.labels ? object.metadata : { ...object.metadata, labels }
  return { ...object, metadata, spec: { ...spec, selector, template } }
}

interface JobSpec {
  selector?: object
  manualSelector?: boolean
  template: { metadata?: { labels?: Record<string, string> } }
}

interface ServiceSpec {
  type?: string
  selector?: object
  clusterIP?: string
  clusterIPs?: string[]
  ipFamilies?: string[]
  ipFamilyPolicy?: string
}

const service: Setter = object => {
  const spec = object.spec as ServiceSpec
  if (spec.type === 'ExternalName') return object
  const { clusterIP = nextClusterIp() } = spec
  const free = clusterIP === 'None' && spec.selector === undefined
  const families = free
    ? { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }
    : { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
  return { ...object, spec: { ...families, clusterIPs: [clusterIP], ...spec, clusterIP } }
}

let lastIp = 0

/** An address that no service of this process has had before; 65,000 of them, then again from the start. */
function nextClusterIp(): string {
  lastIp = (lastIp % 65_000) + 1
  return `10.96.${lastIp >> 8}.${lastIp & 255}`
}

const setters: Readonly<Record<string, Setter>> = {
  namespaces: namespace,
  persistentvolumeclaims: claim,
  'jobs.batch': job,
  services: service,
}

/** A replaced object with what was allocated to it before, where the request leaves that out. */
export function keepAllocated(after: KubeObject, before: KubeObject, resource: Resource): KubeObject {
  if (resource.storage !== 'services' && resource.storage !== 'jobs.batch') return after
  const old = (before.spec ?? {}) as Record<string, unknown>
  const spec = { ...(after.spec as Record<string, unknown> | undefined) }
  const names =
    resource.storage === 'services' ? ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] : ['selector']
  if (spec.type === 'ExternalName') return after
  for (const name of names) if (spec[name] === undefined && old[name] !== undefined) spec[name] = old[name]
  return { ...after, spec }
}

/** `stringData` of a Secret moves into `data`. */
export function withoutStringData(object: KubeObject): KubeObject {
  const { stringData, ...rest } = object as KubeObject & { stringData?: Record<string, string>; data?: object }
  if (!stringData) return object
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  return { ...rest, data: { ...rest.data, ...Object.fromEntries(encoded) } } as KubeObject
}
