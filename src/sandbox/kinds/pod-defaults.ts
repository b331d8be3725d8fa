import { isRecord } from '../schema/schema.ts'

type Json = Record<string, unknown>

/** The value with fields that it lacks; a value that is no object counts as empty. */
export function withFields(value: unknown, fields: Json): Json {
  const result: Json = isRecord(value) ? { ...value } : {}
  for (const [name, field] of Object.entries(fields)) if (result[name] === undefined) result[name] = field
  return result
}

/** A pod's spec with the API server's defaults; `alone` for a Pod, otherwise a template. */
export function podSpecDefaults(spec: Json, alone = false): Json {
  const result = withFields(spec, {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    ...(alone ? { enableServiceLinks: true, preemptionPolicy: 'PreemptLowerPriority', priority: 0 } : {}),
  })
  const account = result.serviceAccountName ?? result.serviceAccount ?? (alone ? 'default' : undefined)
  if (account !== undefined) {
    result.serviceAccountName = account
    result.serviceAccount = account
  }
  for (const field of ['containers', 'initContainers']) {
    const list = result[field]
    if (Array.isArray(list)) result[field] = list.map(one => (isRecord(one) ? container(one, alone) : one))
  }
  if (Array.isArray(result.volumes)) result.volumes = result.volumes.map(one => (isRecord(one) ? volume(one) : one))
  if (alone && result.tolerations === undefined) result.tolerations = tolerations
  return result
}

const tolerations = ['not-ready', 'unreachable'].map(name => ({
  effect: 'NoExecute',
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  tolerationSeconds: 300,
}))

function container(one: Json, alone: boolean): Json {
  const result = withFields(one, {
    imagePullPolicy: pullPolicy(typeof one.image === 'string' ? one.image : ''),
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  })
  if (Array.isArray(result.ports)) {
    result.ports = result.ports.map(port => (isRecord(port) ? withFields(port, { protocol: 'TCP' }) : port))
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (isRecord(result[name])) result[name] = probe(result[name])
  }
  if (Array.isArray(result.env)) result.env = result.env.map(fieldReference)
  if (alone && isRecord(result.resources)) result.resources = requests(result.resources)
  if (isRecord(result.lifecycle)) result.lifecycle = lifecycle(result.lifecycle)
  return result
}

/** A limit without a request is the request as well. */
function requests(resources: Json): Json {
  if (!isRecord(resources.limits)) return resources
  return { ...resources, requests: withFields(resources.requests, resources.limits) }
}

function pullPolicy(image: string): string {
  const tag = /:([^:/@]+)(@|$)/.exec(image)?.[1]
  return image.includes('@') || (tag !== undefined && tag !== 'latest') ? 'IfNotPresent' : 'Always'
}

function probe(one: Json): Json {
  const result = withFields(one, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
  return withHttp(result)
}

function withHttp(one: Json): Json {
  return isRecord(one.httpGet) ? { ...one, httpGet: withFields(one.httpGet, { path: '/', scheme: 'HTTP' }) } : one
}

function lifecycle(hooks: Json): Json {
  return Object.fromEntries(Object.entries(hooks).map(([name, hook]) => [name, isRecord(hook) ? withHttp(hook) : hook]))
}

function fieldReference(one: unknown): unknown {
  if (!isRecord(one) || !isRecord(one.valueFrom) || !isRecord(one.valueFrom.fieldRef)) return one
  return { ...one, valueFrom: { ...one.valueFrom, fieldRef: withFields(one.valueFrom.fieldRef, { apiVersion: 'v1' }) } }
}

function volume(one: Json): Json {
  const result = { ...one }
  for (const name of ['configMap', 'secret', 'downwardAPI', 'projected']) {
    if (isRecord(result[name])) result[name] = withFields(result[name], { defaultMode: 420 })
  }
  if (isRecord(result.hostPath)) result.hostPath = withFields(result.hostPath, { type: '' })
  if (isRecord(result.projected) && Array.isArray(result.projected.sources)) {
    const sources = result.projected.sources.map(source =>
      isRecord(source) && isRecord(source.serviceAccountToken)
        ? { ...source, serviceAccountToken: withFields(source.serviceAccountToken, { expirationSeconds: 3600 }) }
        : source,
    )
    result.projected = { ...result.projected, sources }
  }
  if (Object.keys(result).length === 1) result.emptyDir = {}
  return result
}
