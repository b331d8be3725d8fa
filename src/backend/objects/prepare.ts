import { annotations, type ReviewEnvironment } from '../../api/index.ts'
import type { RenderedObject } from '../../environment/desired.ts'
import type { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/errors.ts'
import { type KubeObject, type ObjectKey, splitApiVersion } from '../../kube/types.ts'
import { InvalidInputError, messageOf, type Problem } from '../../util/errors.ts'
import { digestOf } from '../digest.ts'
import { ownershipOf } from '../ownership.ts'
import { identityOf } from './identity.ts'

/** A rendered object as it goes to the server. */
export interface PreparedObject {
  id: string
  key: ObjectKey
  object: KubeObject
  /** Digest of everything that was asked for; the live object carries it as an annotation. */
  digest: string
  /** Why the object cannot even be looked for: the server has no such kind. */
  unknownKind?: string
  /** Whether some controller is expected to report in the object's status (a custom resource with one). */
  reports: boolean
}

/**
 * Rendered manifests as they go to the server: namespaced kinds in the environment's namespace unless they name
 * another, marked as the environment's, CustomResourceDefinitions and Namespaces first, else in the order as written.
 * @throws InvalidInputError for the same object twice, or for the environment's namespace itself
 */
export async function prepareObjects(
  manifests: readonly RenderedObject[],
  environment: ReviewEnvironment,
  namespace: string,
  kube: KubeClient,
  signal: AbortSignal,
): Promise<PreparedObject[]> {
  const prepared: PreparedObject[] = []
  for (const manifest of manifests) {
    const scope = await scopeOf(manifest, manifests, kube, signal)
    prepared.push(prepareObject(manifest, environment, namespace, scope))
  }
  const problems = problemsOf(prepared, namespace)
  if (problems.length > 0) throw new InvalidInputError(problems)
  return prepared.toSorted((a, b) => rank(a.key) - rank(b.key))
}

/** Digest of a whole set of objects: equal when every object was asked for just so, in this order. */
export function setDigest(prepared: readonly PreparedObject[]): string {
  return digestOf(prepared.map(({ id, digest }) => `${id} ${digest}`))
}

type Scope = { namespaced: boolean; reports: boolean; unknownKind?: string }

/** Discovery tells the scope; for a kind that comes with the same manifests, its CustomResourceDefinition does. */
async function scopeOf(
  { apiVersion, kind }: RenderedObject,
  manifests: readonly RenderedObject[],
  kube: KubeClient,
  signal: AbortSignal,
): Promise<Scope> {
  try {
    const { namespaced, subresources } = await kube.resourceFor({ apiVersion, kind }, { signal })
    return { namespaced, reports: isCustom(apiVersion) && subresources.includes('status') }
  } catch (error) {
    if (!(error instanceof KubeError && error.isKindMissing)) throw error
    const namespaced = !isDefinedClusterScoped(apiVersion, kind, manifests)
    return { namespaced, reports: false, unknownKind: messageOf(error) }
  }
}

/** Kubernetes' own groups have no domain or end in k8s.io; every other is a CustomResourceDefinition's. */
function isCustom(apiVersion: string): boolean {
  const [group] = splitApiVersion(apiVersion)
  return group.includes('.') && !group.endsWith('.k8s.io')
}

function isDefinedClusterScoped(apiVersion: string, kind: string, manifests: readonly RenderedObject[]): boolean {
  return manifests.some(manifest => {
    if (manifest.kind !== 'CustomResourceDefinition') return false
    const spec = manifest.spec as { group?: string; scope?: string; names?: { kind?: string } } | undefined
    return spec?.group === splitApiVersion(apiVersion)[0] && spec.names?.kind === kind && spec.scope === 'Cluster'
  })
}

function prepareObject(
  manifest: RenderedObject,
  environment: ReviewEnvironment,
  environmentNamespace: string,
  { namespaced, reports, unknownKind }: Scope,
): PreparedObject {
  const { apiVersion, kind } = manifest
  const { namespace: wanted, ...metadata } = manifest.metadata
  const namespace = namespaced ? (wanted ?? environmentNamespace) : undefined
  const owned = ownershipOf(environment)
  const marked = {
    ...manifest,
    metadata: {
      ...metadata,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...metadata.labels, ...owned.labels },
      annotations: { ...metadata.annotations, ...owned.annotations },
    },
  }
  const digest = digestOf(marked)
  marked.metadata.annotations[annotations.digest] = digest
  const key = { apiVersion, kind, name: metadata.name, ...(namespace === undefined ? {} : { namespace }) }
  return {
    id: identityOf(key),
    key,
    object: marked,
    digest,
    reports,
    ...(unknownKind === undefined ? {} : { unknownKind }),
  }
}

function problemsOf(prepared: readonly PreparedObject[], namespace: string): Problem[] {
  const seen = new Set<string>()
  const problems: Problem[] = []
  for (const [index, { id, key }] of prepared.entries()) {
    const path = `spec.deploy.objects.manifests[${index}]`
    if (seen.has(id)) {
      problems.push({ path, message: `${key.kind} "${key.name}" is there twice: expected every object once` })
    }
    if (key.apiVersion === 'v1' && key.kind === 'Namespace' && key.name === namespace) {
      const message = `the environment's own namespace cannot be a manifest: its labels and annotations belong into spec.environment.namespace`
      problems.push({ path, message })
    }
    seen.add(id)
  }
  return problems
}

function rank({ kind }: ObjectKey): number {
  return kind === 'CustomResourceDefinition' || kind === 'Namespace' ? 0 : 1
}
