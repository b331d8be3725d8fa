import type { KubeObject } from '../../kube/types.ts'
import { type Api, timeOf, type WriteRequest } from '../api.ts'
import { alreadyExists, badRequest, invalid, StatusError } from '../errors.ts'
import { ignoredFields, managedAfterUpdate, withManagers } from '../fields/managers.ts'
import { allocate } from '../kinds/initial.ts'
import { asServed, asStored } from '../kinds/versions.ts'
import { checkNamespace, conform, decode, generationOf, validate } from './admit.ts'
import { resetFields } from './resets.ts'

/** Creates the object of a body. @throws StatusError */
export function create(api: Api, body: unknown, request: WriteRequest): KubeObject {
  const { resource, fieldManager } = request
  const object = named(api, decode(body, request), request)
  if (object.metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
  const metadata = { ...object.metadata }
  delete metadata.managedFields
  const prepared = prepareNew(api, { ...object, metadata }, request)
  const ignored = ignoredFields(resetFields(resource, ''))
  const writer = {
    manager: fieldManager,
    operation: 'Update' as const,
    apiVersion: resource.apiVersion,
    subresource: '',
    time: timeOf(api),
  }
  const managedFields = managedAfterUpdate(undefined, prepared, resource.schema, writer, ignored)
  return store(api, withManagers(prepared, managedFields), request)
}

/** A new object with everything that the server sets; not stored yet. @throws StatusError */
export function prepareNew(api: Api, object: KubeObject, request: WriteRequest): KubeObject {
  const { resource } = request
  checkNamespace(api, request, object.metadata.name ?? '')
  const metadata = { ...object.metadata }
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.resourceVersion
  metadata.uid = api.uid()
  metadata.creationTimestamp = timeOf(api)
  delete metadata.generation
  const generation = generationOf(object, undefined, resource)
  if (generation !== undefined) metadata.generation = generation
  const conformed = conform({ ...object, metadata }, request)
  validate(conformed, undefined, request)
  return conformed
}

/** Stores a new object, with what the server sets and nobody owns. @throws StatusError (409) when there is one of that name */
export function store(api: Api, object: KubeObject, request: WriteRequest): KubeObject {
  const { resource, namespace, dryRun } = request
  const name = object.metadata.name ?? ''
  const existing = api.store.get(resource.storage, namespace, name)
  if (existing) throw alreadyExists(resource, name)
  const complete = allocate(object, resource)
  return dryRun ? complete : asServed(api.store.put(resource.storage, asStored(complete, resource)).object, resource)
}

function named(api: Api, object: KubeObject, request: WriteRequest): KubeObject {
  const { name, generateName } = object.metadata
  if (name) return object
  if (!generateName) {
    const message = 'Required value: name or generateName is required'
    throw invalid(request.resource, '', [{ field: 'metadata.name', reason: 'FieldValueRequired', message }])
  }
  for (let attempt = 0; attempt < 8; attempt++) {
    const generated = generateName.slice(0, 58) + api.suffix()
    if (api.store.get(request.resource.storage, request.namespace, generated)) continue
    return { ...object, metadata: { ...object.metadata, name: generated } }
  }
  throw new StatusError(409, 'AlreadyExists', `no free name for ${generateName}: try again`)
}
