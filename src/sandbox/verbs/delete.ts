import type { KubeObject, ObjectMeta } from '../../kube/types.ts'
import { type Api, timeOf, type WriteRequest } from '../api.ts'
import { badRequest, conflict, forbidden } from '../errors.ts'
import { asServed, asStored } from '../kinds/versions.ts'
import { isRecord } from '../schema/schema.ts'
import { existing } from './update.ts'

/** `metav1.DeleteOptions`, as far as the sandbox follows them. */
export interface DeleteOptions {
  uid?: string
  resourceVersion?: string
  propagation: 'Foreground' | 'Background' | 'Orphan'
}

/** Reads the options of a delete from its query and body. @throws StatusError (400) */
export function parseDeleteOptions(body: unknown, query: URLSearchParams): DeleteOptions & { dryRun: boolean } {
  const given = isRecord(body) ? body : {}
  const preconditions = isRecord(given.preconditions) ? given.preconditions : {}
  const asked = given.propagationPolicy ?? query.get('propagationPolicy') ?? undefined
  const orphan = given.orphanDependents ?? query.get('orphanDependents')
  const propagation = asked ?? (orphan === true || orphan === 'true' ? 'Orphan' : 'Background')
  if (propagation !== 'Foreground' && propagation !== 'Background' && propagation !== 'Orphan') {
    throw badRequest(`propagationPolicy must be Foreground, Background or Orphan, not ${JSON.stringify(propagation)}`)
  }
  const { uid, resourceVersion } = preconditions
  const dryRun = Array.isArray(given.dryRun) ? given.dryRun.includes('All') : query.get('dryRun') === 'All'
  return {
    propagation,
    dryRun,
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  }
}

const definitions = 'customresourcedefinitions.apiextensions.k8s.io'
const cleanup = 'customresourcecleanup.apiextensions.k8s.io'

const recreated = '. The object might have been deleted and then recreated'

/** Namespaces that a cluster cannot be without. */
const permanent = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease'])

/**
 * Deletes an object, or marks it while something holds it. `gone` tells which.
 * @throws StatusError
 */
export function remove(api: Api, request: WriteRequest, options: DeleteOptions): { object: KubeObject; gone: boolean } {
  const { resource, namespace, name, dryRun } = request
  const object = existing(api, request)
  const { uid, resourceVersion } = options
  const own = { ...resource, group: '', plural: resource.kind }
  const differs = (what: string, asked: string, found: string | undefined) =>
    conflict(
      own,
      name,
      `the ${what} in the precondition (${asked}) does not match the ${what} in record (${found})${recreated}`,
    )
  if (uid !== undefined && uid !== object.metadata.uid) throw differs('UID', uid, object.metadata.uid)
  if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
    throw differs('ResourceVersion', resourceVersion, object.metadata.resourceVersion)
  }
  if (resource.storage === 'namespaces') return removeNamespace(api, object, request)
  const finalizers = finalizersFor(object, options)
  // The objects of a definition go first.
  if (resource.storage === definitions && !finalizers.includes(cleanup)) finalizers.push(cleanup)
  if (finalizers.length === 0) {
    const last = dryRun ? undefined : api.store.remove(resource.storage, namespace, name)
    return { object: last?.object ?? object, gone: true }
  }
  if (object.metadata.deletionTimestamp !== undefined && same(finalizers, object.metadata.finalizers)) {
    return { object, gone: false }
  }
  return { object: mark(api, object, { finalizers }, request), gone: false }
}

function same(a: readonly string[], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}

/** The finalizers after a delete: the garbage collector's own say what becomes of dependents. */
function finalizersFor(object: KubeObject, { propagation }: DeleteOptions): string[] {
  const own = { Foreground: 'foregroundDeletion', Orphan: 'orphan', Background: undefined }[propagation]
  const others = (object.metadata.finalizers ?? []).filter(one => one !== 'foregroundDeletion' && one !== 'orphan')
  return own === undefined ? others : [...others, own]
}

function mark(api: Api, object: KubeObject, change: Partial<ObjectMeta>, request: WriteRequest): KubeObject {
  const { deletionTimestamp = timeOf(api), generation } = object.metadata
  const first = object.metadata.deletionTimestamp === undefined
  const grace = request.resource.storage === 'namespaces' ? {} : { deletionGracePeriodSeconds: 0 }
  const metadata = { ...object.metadata, deletionTimestamp, ...grace, ...change }
  if (first && generation !== undefined) metadata.generation = generation + 1
  const marked = { ...object, metadata }
  const { resource, dryRun } = request
  return dryRun ? marked : asServed(api.store.put(resource.storage, asStored(marked, resource)).object, resource)
}

function removeNamespace(api: Api, object: KubeObject, request: WriteRequest): { object: KubeObject; gone: boolean } {
  const { name = '', deletionTimestamp } = object.metadata
  if (permanent.has(name)) throw forbidden(request.resource, name, 'this namespace may not be deleted')
  if (deletionTimestamp !== undefined) return { object, gone: false }
  const status = { ...(object.status as object | undefined), phase: 'Terminating' }
  return { object: mark(api, { ...object, status }, {}, request), gone: false }
}
