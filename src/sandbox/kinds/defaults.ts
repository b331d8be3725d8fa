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

/** A claim inside a StatefulSet is a whole object. */
function claimTemplate(given: unknown): unknown {
  if (!isRecord(given)) return given
  const spec = withFields(given.spec, { volumeMode: 'Filesystem' })
  return { kind: 'PersistentVolumeClaim', apiVersion: 'v1', ...given, spec, status: { phase: 'Pending' } }
}

const statefulSet = onSpec(spec => {
  const claims = Array.isArray(spec.volumeClaimTemplates)
    ? { volumeClaimTemplates: spec.volumeClaimTemplates.map(claimTemplate) }
    : {}
  const strategy = withFields(spec.updateStrategy, { type: 'RollingUpdate' })
  const rolling =
    strategy.type === 'RollingUpdate' ? { rollingUpdate: withFields(strategy.rollingUpdate, { partition: 0 }) } : {}
  return template(
    withFields(
      { ...spec, ...claims, updateStrategy: { ...strategy, ...rolling } },
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

/** The generation once more, where older clients look for it. */
function withAnnotation(object: KubeObject, name: string): KubeObject {
  const generation = String(object.metadata.generation ?? 1)
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [name]: generation } },
  }
}

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
  const external = type === 'LoadBalancer' || type === 'NodePort' ? { externalTrafficPolicy: 'Cluster' } : {}
  const balanced = type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}
  const policy = type === 'ExternalName' ? {} : { internalTrafficPolicy: 'Cluster' }
  const result = withFields({ ...spec, type }, { sessionAffinity: 'None', ...policy, ...external, ...balanced })
  return ports.length === 0 ? result : { ...result, ports: filled }
})

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

const networkPolicy = onSpec(spec => {
  const rules = (list: unknown) =>
    Array.isArray(list) ? list.map(rule => (isRecord(rule) ? withProtocols(rule) : rule)) : undefined
  const filled = { ...spec }
  for (const name of ['ingress', 'egress']) if (spec[name] !== undefined) filled[name] = rules(spec[name])
  return withFields(filled, { policyTypes: spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'] })
})

function withProtocols(holder: Json, more: Json = {}): Json {
  if (!Array.isArray(holder.ports)) return holder
  const ports = holder.ports.map(port => (isRecord(port) ? withFields(port, { protocol: 'TCP', ...more }) : port))
  return { ...holder, ports }
}

/** Without metrics a HorizontalPodAutoscaler looks at the processor. */
const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }

const namespace: Defaulter = object => {
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name ?? '' }
  return { ...object, metadata: { ...object.metadata, labels } }
}

const definition = onSpec(spec => {
  const names = isRecord(spec.names) ? spec.names : {}
  const kind = typeof names.kind === 'string' ? names.kind : ''
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
  'daemonsets.apps': object => daemonSet(withAnnotation(object, 'deprecated.daemonset.template.generation')),
  'jobs.batch': onSpec(jobSpec),
  'cronjobs.batch': cronJob,
  pods: onSpec(spec => podSpecDefaults(spec, true)),
  replicationcontrollers: onSpec(spec =>
    spec.template === undefined ? spec : template(withFields(spec, { replicas: 1 })),
  ),
  services: service,
  namespaces: namespace,
  'endpointslices.discovery.k8s.io': object => withProtocols(object, { name: '' }) as unknown as KubeObject,
  secrets: object => ({ ...withoutStringData(object), type: object.type ?? 'Opaque' }),
  'rolebindings.rbac.authorization.k8s.io': binding,
  'clusterrolebindings.rbac.authorization.k8s.io': binding,
  'networkpolicies.networking.k8s.io': networkPolicy,
  persistentvolumeclaims: onSpec(spec => withFields(spec, { volumeMode: 'Filesystem' })),
  'horizontalpodautoscalers.autoscaling': onSpec(spec => withFields(spec, { minReplicas: 1, metrics: [cpu] })),
  'customresourcedefinitions.apiextensions.k8s.io': definition,
}
