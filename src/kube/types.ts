/** One entry of `metadata.ownerReferences`. */
export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** One entry of `metadata.managedFields`: which manager owns which fields. */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: string
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

/** `metav1.ObjectMeta`, as the API server writes it. */
export interface ObjectMeta {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFieldsEntry[]
}

/** Any Kubernetes object. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

/** A kind as manifests name it: `apps/v1` and `Deployment`. */
export interface GroupVersionKind {
  apiVersion: string
  kind: string
}

/** What names one object of a cluster; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey extends GroupVersionKind {
  namespace?: string
  name: string
}

/** `metav1.Condition` and the older kinds of conditions. */
export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  observedGeneration?: number
  lastTransitionTime?: string
}

/** `propagationPolicy` of a delete. */
export type DeletionPropagation = 'Foreground' | 'Background' | 'Orphan'

/** The key of an object that has a name. */
export function keyOf(object: KubeObject): ObjectKey {
  const { name = '', namespace } = object.metadata
  const key: ObjectKey = { apiVersion: object.apiVersion, kind: object.kind, name }
  return namespace === undefined ? key : { ...key, namespace }
}

/** A key as people read it: `apps/v1 Deployment shop/web`. */
export function formatKey(key: ObjectKey): string {
  return `${key.apiVersion} ${key.kind} ${key.namespace === undefined ? '' : `${key.namespace}/`}${key.name}`
}

/** `['apps', 'v1']` of `apps/v1`; the group of core kinds is empty. */
export function splitApiVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
}

/**
 * Compares two resource versions: negative when `a` is older. Kubernetes 1.35 and later promise that they are
 * decimal numbers that grow (KEP-5504); they may exceed 2^53, so length decides before digits do.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** A kind as people read it: `apps/v1 Deployment`. */
export function formatGvk(gvk: GroupVersionKind): string {
  return `${gvk.apiVersion} ${gvk.kind}`
}
