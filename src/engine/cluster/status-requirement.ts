import { asRecord } from '../../kube/conditions.ts'
import type { ApiResource } from '../../kube/discovery.ts'
import { KubeError } from '../../kube/errors.ts'
import { resourcePath } from '../../kube/paths.ts'
import type { StatusRequirement } from '../plan/readiness.ts'
import { apiVersionOf } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import type { ClusterContext } from './types.ts'

const crdKind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }

/** Groups of Kubernetes itself: their kinds have a status exactly when they have the sub-resource. */
const builtInGroups = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'extensions',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
])

/** What {@link statusRequirement} says, by kind; each kind is found out about once. */
export class StatusRequirements {
  readonly #kube: ClusterContext['kube']
  readonly #signal: AbortSignal
  readonly #known = new Map<string, Promise<StatusRequirement>>()

  constructor({ kube, signal }: Pick<ClusterContext, 'kube' | 'signal'>) {
    this.#kube = kube
    this.#signal = signal
  }

  /** @throws KubeError, KubeConnectionError */
  of(ref: ObjectRef): Promise<StatusRequirement> {
    const kind = `${apiVersionOf(ref)} ${ref.kind}`
    const known = this.#known.get(kind)
    if (known !== undefined) return known
    const asked = statusRequirement({ kube: this.#kube }, ref, this.#signal)
    this.#known.set(kind, asked)
    asked.catch(() => this.#known.delete(kind))
    return asked
  }
}

/**
 * Whether an object of this kind gets a status: of built-in kinds discovery knows it, of others the schema of their CRD.
 * Without the right to read CRDs the object's own sub-resource is asked for; without that too it is unknown.
 * @throws KubeError, KubeConnectionError
 */
export async function statusRequirement(
  { kube }: Pick<ClusterContext, 'kube'>,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<StatusRequirement> {
  const resource = await kube.resourceFor({ apiVersion: apiVersionOf(ref), kind: ref.kind }, { signal })
  const { group = '' } = ref
  if (builtInGroups.has(group)) return resource.subresources.includes('status') ? 'yes' : 'no'
  const name = `${resource.plural}.${group}`
  try {
    const crd = await kube.get({ ...crdKind, name }, { signal })
    if (crd !== undefined) return schemaHasStatus(asRecord(crd.spec), ref.version ?? '') ? 'yes' : 'no'
  } catch (error) {
    if (!(error instanceof KubeError && error.isForbidden)) throw error
  }
  return bySubresource(kube, resource, ref, signal)
}

function schemaHasStatus(spec: Record<string, unknown>, version: string): boolean {
  const versions = Array.isArray(spec.versions) ? spec.versions.map(asRecord) : []
  const schema = asRecord(versions.find(({ name }) => name === version)?.schema)
  return asRecord(asRecord(schema.openAPIV3Schema).properties).status !== undefined
}

async function bySubresource(
  kube: ClusterContext['kube'],
  resource: ApiResource,
  { name, namespace }: ObjectRef,
  signal: AbortSignal,
): Promise<StatusRequirement> {
  try {
    await kube.raw(resourcePath(resource, { name, namespace, subresource: 'status' }), { signal })
    return 'yes'
  } catch (error) {
    if (error instanceof KubeError && error.isNotFound) return 'no'
    if (error instanceof KubeError && error.isForbidden) return 'unknown'
    throw error
  }
}
