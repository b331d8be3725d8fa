import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../kube/types.ts'
import { type Api, timeOf, type WriteRequest } from '../api.ts'
import { conflict, modified, notFound } from '../errors.ts'
import { ignoredFields, managedAfterUpdate, withManagers } from '../fields/managers.ts'
import { keepAllocated } from '../kinds/initial.ts'
import { asServed, asStored } from '../kinds/versions.ts'
import { conform, decode, generationOf, validate } from './admit.ts'
import { keepForeign, resetFields } from './resets.ts'

/** The stored object of a request. @throws StatusError (404) */
export function existing(api: Api, request: WriteRequest): KubeObject {
  const { resource, namespace, name } = request
  const found = api.store.get(resource.storage, namespace, name)
  if (!found) throw notFound(resource, name)
  return asServed(found.object, resource)
}

/** Replaces an object, or its status. @throws StatusError */
export function update(api: Api, body: unknown, request: WriteRequest): KubeObject {
  return write(api, existing(api, request), decode(body, request), request)
}

/**
 * Brings a stored object to a new state: server-set fields kept, validated, owners of fields recorded. Nothing is
 * written when nothing differs.
 * @throws StatusError
 */
export function write(api: Api, before: KubeObject, wanted: KubeObject, request: WriteRequest): KubeObject {
  const after = prepare(before, wanted, request)
  const { resource, fieldManager, subresource } = request
  if (isSame(before, after) && wanted.metadata.managedFields?.length !== 0) return before
  const ignored = ignoredFields(resetFields(resource, subresource))
  const writer = {
    manager: fieldManager,
    operation: 'Update' as const,
    apiVersion: resource.apiVersion,
    subresource,
    time: timeOf(api),
  }
  const managedFields = managedAfterUpdate(before, after, resource.schema, writer, ignored)
  return persist(api, withManagers(after, managedFields), request)
}

/** The new state with everything that the server decides; not stored. @throws StatusError */
export function prepare(before: KubeObject, wanted: KubeObject, request: WriteRequest): KubeObject {
  const { resource, subresource } = request
  const name = before.metadata.name ?? ''
  const { resourceVersion, uid } = wanted.metadata
  if (resourceVersion && resourceVersion !== before.metadata.resourceVersion) throw modified(resource, name)
  if (uid && uid !== before.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`
    throw conflict(resource, name, why)
  }
  const kept = keepForeign(wanted, before, resource, subresource)
  const metadata = { ...kept.metadata }
  for (const field of [
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'generateName',
  ] as const) {
    if (before.metadata[field] === undefined) delete metadata[field]
    else Object.assign(metadata, { [field]: before.metadata[field] })
  }
  if (before.metadata.resourceVersion !== undefined) metadata.resourceVersion = before.metadata.resourceVersion
  const conformed = conform(keepAllocated({ ...kept, metadata }, before, resource), request)
  const generation = generationOf(conformed, before, resource)
  const after = generation === undefined ? conformed : { ...conformed, metadata: { ...conformed.metadata, generation } }
  validate(after, before, request)
  return after
}

/** Whether two states differ in nothing but who owns fields. */
export function isSame(before: KubeObject, after: KubeObject): boolean {
  const content = ({ metadata, ...rest }: KubeObject) => {
    const { managedFields: _managed, resourceVersion: _version, ...kept } = metadata
    return { ...rest, metadata: kept }
  }
  return isDeepStrictEqual(content(before), content(after))
}

/** Stores a new state; an object that is being deleted goes with its last finalizer. */
export function persist(api: Api, after: KubeObject, request: WriteRequest): KubeObject {
  if (request.dryRun) return after
  const { resource } = request
  const { storage } = resource
  const { namespace = '', name = '', deletionTimestamp, finalizers = [] } = after.metadata
  if (deletionTimestamp !== undefined && finalizers.length === 0 && !hasContent(after)) {
    return asServed(api.store.remove(storage, namespace, name, asStored(after, resource))?.object ?? after, resource)
  }
  return asServed(api.store.put(storage, asStored(after, resource)).object, resource)
}

/** Namespaces have a second list of finalizers, in their spec. */
function hasContent(object: KubeObject): boolean {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return false
  return ((object.spec as { finalizers?: string[] } | undefined)?.finalizers ?? []).length > 0
}
