import type { KubeObject } from '../../kube/types.ts'
import { isRecord } from '../schema/schema.ts'
import { withoutStringData } from './initial.ts'
import { podSpecDefaults, withFields } from './pod-defaults.ts'
import type { Resource } from './resource.ts'

type Json = Record<string, unknown>
type Defaulter = (object: KubeObject) => KubeObject

/** A built-in object with the defaults that the API server sets in code, which its OpenAPI does not name. */
export function withBuiltInDefaults(object: KubeObject, resource: Resource): KubeObject {
  const defaulter = defaulters[resource.storage]
  return defaulter ? defaulter(object) : object
}

function onSpec(change: (spec: Json, object: KubeObject) => Json): Defaulter {
  return object => ({ ...object, spec: change(isRecord(object.spec) ? object.spec : {}, object) })
}

function template(spec: Json): Json {
  const given = isRecord(spec.template) ? spec.template : {}
  const podSpec = podSpecDefaults(isRecord(given.spec) ? given.spec : {})
  return { ...spec, template: { ...given, metadata: given.metadata ?? {}, spec: podSpec } }
}

const rollingUpdate = { maxSurge: '25%', maxUnavailable: '25%' }

const deployment = onSpec(spec => {
  const strategy = isRecord(spec.strategy) ? spec.strategy : {}
  const type = strategy.type ?? 'RollingUpdate'
  const rolling = type === 'RollingUpdate' ? { rollingUpdate: withFields(strategy.rollingUpdate, rollingUpdate) } : {}
  return template(
    withFields(
      { ...spec, strategy: { ...strategy, type, ...rolling } },
      {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
      },
    ),
  )
})

const statefulSet = onSpec(spec => {
  const strategy = withFields(spec.updateStrategy, { type: 'RollingUpdate' })
  const rolling =
    strategy.type === 'RollingUpdate' ? { rollingUpdate: withFields(strategy.rollingUpdate, { partition: 0 }) } : {}
  return template(
    withFields(
      { ...spec, updateStrategy: { ...strategy, ...rolling } },
      {
        replicas: 1,
        revisionHistoryLimit: 10,
        podManagementPolicy: 'OrderedReady',
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      },
    ),
  )
})

const daemonSet = onSpec(spec => {
  const strategy = withFields(spec.updateStrategy, { type: 'RollingUpdate' })
  const rolling =
    strategy.type === 'RollingUpdate'
      ? { rollingUpdate: withFields(strategy.rollingUpdate, { maxSurge: 0, maxUnavailable: 1 }) }
      : {}
  return template(withFields({ ...spec, updateStrategy: { ...strategy, ...rolling } }, { revisionHistoryLimit: 10 }))
})

const jobDefaults = {
  backoffLimit: 6,
  completionMode: 'NonIndexed',
  suspend: false,
  podReplacementPolicy: 'TerminatingOrFailed',
  manualSelector: false,
}

function jobSpec(spec: Json): Json {
  const counts = spec.completions === undefined && spec.parallelism === undefined ? { completions: 1 } : {}
  return template(withFields(withFields(spec, { ...jobDefaults, parallelism: 1 }), counts))
}

/** A new Job selects its pods by its own uid. */
const job: Defaulter = object => {
  const done = onSpec(jobSpec)(object)
  const spec = done.spec as Json
  const { uid } = object.metadata
  if (spec.selector !== undefined || spec.manualSelector === true || uid === undefined) return done
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': object.metadata.name ?? '',
    'controller-uid': uid,
    'job-name': object.metadata.name ?? '',
  }
  const given = spec.template as Json & { metadata: { labels?: object } }
  const metadata = { ...given.metadata, labels: { ...given.metadata.labels, ...labels } }
  const selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }
  return { ...done, spec: { ...spec, selector, template: { ...given, metadata } } }
}

const cronJob = onSpec(spec => {
  const given = isRecord(spec.jobTemplate) ? spec.jobTemplate : {}
  const inner = isRecord(given.spec) ? given.spec : {}
  const jobTemplate = { ...given, metadata: given.metadata ?? {}, spec: template(inner) }
  return withFields(
    { ...spec, jobTemplate },
    {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    },
  )
})

const service = onSpec(spec => {
  const type = spec.type ?? 'ClusterIP'
  const ports = Array.isArray(spec.ports) ? spec.ports : []
  const filled = ports.map(port =>
    isRecord(port) ? withFields(port, { protocol: 'TCP', targetPort: port.port }) : port,
  )
  const own =
    type === 'ExternalName'
      ? {}
      : {
          internalTrafficPolicy: 'Cluster',
          ipFamilies: ['IPv4'],
          ipFamilyPolicy: 'SingleStack',
          clusterIP: nextClusterIp(),
        }
  const external = type === 'LoadBalancer' || type === 'NodePort' ? { externalTrafficPolicy: 'Cluster' } : {}
  const balanced = type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}
  const result = withFields({ ...spec, type }, { sessionAffinity: 'None', ...own, ...external, ...balanced })
  if (result.clusterIP !== undefined && result.clusterIPs === undefined) result.clusterIPs = [result.clusterIP]
  return ports.length === 0 ? result : { ...result, ports: filled }
})

let lastIp = 0

/** An address that no service of this process has had before; 65,000 of them, then again from the start. */
function nextClusterIp(): string {
  lastIp = (lastIp % 65_000) + 1
  return `10.96.${lastIp >> 8}.${lastIp & 255}`
}

function byDefault(group: string): (given: unknown) => unknown {
  return given => (isRecord(given) ? withFields(given, { apiGroup: group }) : given)
}

const binding: Defaulter = object => {
  const roleRef = byDefault('rbac.authorization.k8s.io')(object.roleRef)
  const subjects = Array.isArray(object.subjects)
    ? object.subjects.map(one =>
        isRecord(one) && one.kind !== 'ServiceAccount' ? byDefault('rbac.authorization.k8s.io')(one) : one,
      )
    : undefined
  return { ...object, roleRef, ...(subjects ? { subjects } : {}) }
}

const networkPolicy = onSpec(spec =>
  withFields(spec, { policyTypes: spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'] }),
)

const definition = onSpec(spec => {
  const names = isRecord(spec.names) ? spec.names : {}
  const kind = String(names.kind ?? '')
  return withFields(
    { ...spec, names: withFields(names, { singular: kind.toLowerCase(), listKind: `${kind}List` }) },
    {
      conversion: { strategy: 'None' },
    },
  )
})

const defaulters: Readonly<Record<string, Defaulter>> = {
  'deployments.apps': deployment,
  'replicasets.apps': onSpec(spec => template(withFields(spec, { replicas: 1 }))),
  'statefulsets.apps': statefulSet,
  'daemonsets.apps': daemonSet,
  'jobs.batch': job,
  'cronjobs.batch': cronJob,
  pods: onSpec(spec => podSpecDefaults(spec, true)),
  replicationcontrollers: onSpec(spec =>
    spec.template === undefined ? spec : template(withFields(spec, { replicas: 1 })),
  ),
  services: service,
  secrets: object => ({ ...withoutStringData(object), type: object.type ?? 'Opaque' }),
  'rolebindings.rbac.authorization.k8s.io': binding,
  'clusterrolebindings.rbac.authorization.k8s.io': binding,
  'networkpolicies.networking.k8s.io': networkPolicy,
  persistentvolumeclaims: onSpec(spec => withFields(spec, { volumeMode: 'Filesystem' })),
  'horizontalpodautoscalers.autoscaling': onSpec(spec => withFields(spec, { minReplicas: 1 })),
  'customresourcedefinitions.apiextensions.k8s.io': definition,
}
