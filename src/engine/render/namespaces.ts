import type { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/errors.ts'
import { type Manifest, text } from '../item.ts'
import { emptyObject, getPath, isObject } from '../values.ts'
import { referenceOf } from './images.ts'

/** Where a chart's objects go that name no namespace; set when it is rendered, used and removed here. */
const installNamespace = 'kluctl.io/helm-install-namespace'

/**
 * Gives namespaced objects without a namespace one (`usual`), and takes it from cluster-scoped ones. Which they are is asked of
 * the cluster, and of the CRDs among the objects themselves.
 */
export async function settleNamespaces(
  objects: readonly Manifest[],
  cluster: KubeClient,
  signal: AbortSignal,
  usual = 'default',
): Promise<void> {
  const own = scopesOfCrds(objects)
  const asked = new Map<string, boolean | undefined>()
  const isNamespaced = async (object: Manifest): Promise<boolean | undefined> => {
    const { group = '', kind } = referenceOf(object)
    const apiVersion = text(object.apiVersion)
    const known = own.get(`${kind}.${group}`)
    if (known !== undefined) return known
    const key = `${apiVersion} ${kind}`
    if (!asked.has(key)) asked.set(key, await scopeOf(cluster, apiVersion, kind, signal))
    return asked.get(key)
  }
  for (const object of objects) {
    const fallback = takeInstallNamespace(object) ?? usual
    const namespaced = await isNamespaced(object)
    const namespace = text(getPath(object, ['metadata', 'namespace']))
    object.metadata ??= emptyObject()
    if (namespaced === undefined || !isObject(object.metadata)) continue
    if (namespaced && namespace === '') object.metadata.namespace = fallback
    if (!namespaced && namespace !== '') delete object.metadata.namespace
  }
}

/** Undefined for a kind that the server does not have. */
async function scopeOf(
  cluster: KubeClient,
  apiVersion: string,
  kind: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  try {
    return (await cluster.resourceFor({ apiVersion, kind }, { signal })).namespaced
  } catch (error) {
    if (error instanceof KubeError && error.isKindMissing) return undefined
    throw error
  }
}

function scopesOfCrds(objects: readonly Manifest[]): Map<string, boolean> {
  const scopes = new Map<string, boolean>()
  for (const object of objects) {
    const { group, kind } = referenceOf(object)
    if (kind !== 'CustomResourceDefinition' || group !== 'apiextensions.k8s.io') continue
    const scope = text(getPath(object, ['spec', 'scope']))
    const defined = text(getPath(object, ['spec', 'names', 'kind']))
    const theirs = text(getPath(object, ['spec', 'group']))
    if (scope !== '' && defined !== '' && theirs !== '') scopes.set(`${defined}.${theirs}`, scope === 'Namespaced')
  }
  return scopes
}

function takeInstallNamespace(object: Manifest): string | undefined {
  const annotations = getPath(object, ['metadata', 'annotations'])
  if (!isObject(annotations)) return undefined
  const value = annotations[installNamespace]
  delete annotations[installNamespace]
  return typeof value === 'string' ? value : undefined
}
