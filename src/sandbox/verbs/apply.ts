import type { KubeObject } from '../../kube/types.ts'
import { type Api, timeOf, type WriteRequest } from '../api.ts'
import { badRequest, StatusError } from '../errors.ts'
import { applyConfiguration, ignoredFields, withManagers } from '../fields/managers.ts'
import { asServed } from '../kinds/versions.ts'
import { prune } from '../schema/prune.ts'
import { isRecord } from '../schema/schema.ts'
import { conform, decode } from './admit.ts'
import { prepareNew, store } from './create.ts'
import { resetFields } from './resets.ts'
import { isSame, persist, prepare } from './update.ts'

/** Server-side apply: creates the object, or brings the named fields to the given values. @throws StatusError */
export function apply(api: Api, body: unknown, request: WriteRequest): { object: KubeObject; created: boolean } {
  const { resource, namespace, name, subresource, force } = request
  if (request.fieldManager === '') {
    const message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    const cause = {
      reason: 'FieldValueRequired',
      message: 'Required value: is required for apply patch',
      field: 'fieldManager',
    }
    throw new StatusError(422, 'Invalid', message, { group: 'meta.k8s.io', kind: 'PatchOptions', causes: [cause] })
  }
  const decoded = decode(body, request)
  if (decoded.metadata.managedFields) throw badRequest('metadata.managedFields must be nil')
  const applied = known(decoded, request)
  const stored = api.store.get(resource.storage, namespace, name)
  const live = stored && asServed(stored.object, resource)
  const { resourceVersion } = applied.metadata
  if (!live && subresource !== '')
    throw new StatusError(404, 'NotFound', `${resource.plural} "${name}" not found`, { name })
  const ignored = ignoredFields(resetFields(resource, subresource))
  const writer = {
    manager: request.fieldManager,
    operation: 'Apply' as const,
    apiVersion: resource.apiVersion,
    subresource,
    time: timeOf(api),
  }
  if (!live) {
    if (resourceVersion) throw new StatusError(409, 'Conflict', `${resource.plural} "${name}" does not exist`, { name })
    const created = applyConfiguration(undefined, applied, resource.schema, writer, ignored, force)
    const { managedFields } = created.metadata
    const fresh = prepareNew(api, created, request)
    const object = withManagers(fresh, managedFields ?? [])
    return { object: store(api, object, request), created: true }
  }
  const merged = applyConfiguration(live, applied, resource.schema, writer, ignored, force)
  const version = resourceVersion ? { resourceVersion } : {}
  const wanted = { ...merged, metadata: { ...merged.metadata, ...version } }
  const after = prepare(live, wanted, { ...request, fieldValidation: 'Ignore' })
  const object = withManagers(after, merged.metadata.managedFields ?? [])
  const owners = (one: KubeObject) => JSON.stringify(one.metadata.managedFields)
  if (isSame(live, object) && owners(live) === owners(object)) return { object: live, created: false }
  return { object: persist(api, object, request), created: false }
}

/** The configuration without fields that its schema does not know; no defaults, since they would be owned. */
function known(object: KubeObject, request: WriteRequest): KubeObject {
  const { schema, custom } = request.resource
  // Reports unknown fields and wrong types as for any other write.
  conform(object, request)
  if (!schema) return object
  const { value } = prune(object, schema)
  return (custom ? value : withoutNulls(value)) as KubeObject
}

/** A null in the configuration of a built-in kind says nothing. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isRecord(value)) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutNulls(inner)]))
}
