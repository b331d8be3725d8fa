import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../kube/types.ts'
import type { Api, WriteRequest } from '../api.ts'
import { badRequest, type FieldProblem, forbidden, invalid, StatusError } from '../errors.ts'
import { withBuiltInDefaults } from '../kinds/defaults.ts'
import type { Resource } from '../kinds/resource.ts'
import { validateBuiltIn, validateMetadata } from '../kinds/validate.ts'
import { hasRules, validateRules } from '../schema/cel.ts'
import { withDefaults } from '../schema/defaults.ts'
import { goForm } from '../schema/go-form.ts'
import { prune } from '../schema/prune.ts'
import { isRecord } from '../schema/schema.ts'
import { jsonType, validateSchema } from '../schema/validate.ts'

/**
 * A body as an object of the request's kind: apiVersion, kind, namespace and name fit the path.
 * @throws StatusError (400)
 */
export function decode(body: unknown, request: WriteRequest): KubeObject {
  const { resource } = request
  if (!isRecord(body)) throw badRequest(`the body must be a JSON object, not ${jsonType(body)}`)
  const { apiVersion = resource.apiVersion, kind = resource.kind } = body
  if (apiVersion !== resource.apiVersion || kind !== resource.kind) {
    const got = `${String(apiVersion)}, Kind=${String(kind)}`
    throw badRequest(`${got} does not match the expected ${resource.apiVersion}, Kind=${resource.kind}`)
  }
  const metadata = body.metadata ?? {}
  if (!isRecord(metadata)) throw badRequest('metadata must be an object')
  const named = { ...metadata }
  if (resource.namespaced) {
    const { namespace } = named
    if (namespace !== undefined && namespace !== '' && namespace !== request.namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
    }
    named.namespace = request.namespace
  } else delete named.namespace
  if (request.name !== '') {
    if (named.name === undefined || named.name === '') named.name = request.name
    if (named.name !== request.name) {
      const names = `(${String(named.name)}) does not match the name on the URL (${request.name})`
      throw badRequest(`the name of the object ${names}`)
    }
  }
  return { ...body, apiVersion: resource.apiVersion, kind: resource.kind, metadata: named } as KubeObject
}

/**
 * The object as its schema knows it: unknown fields dropped (and refused or warned of, as the request says), types
 * checked, defaults set.
 * @throws StatusError (400) for wrong types of built-in kinds and for unknown fields in strict requests
 */
export function conform(object: KubeObject, request: WriteRequest): KubeObject {
  const { resource, fieldValidation } = request
  if (!resource.schema) return object
  const { value, unknown } = prune(object, resource.schema)
  if (unknown.length > 0 && fieldValidation !== 'Ignore') {
    const texts = unknown.slice(0, 20).map(path => `unknown field ${JSON.stringify(path)}`)
    const { kind, version, custom } = resource
    const what = custom ? '' : `${kind} in version "${version}" cannot be handled as a ${kind}: `
    if (fieldValidation === 'Strict') throw badRequest(`${what}strict decoding error: ${texts.join(', ')}`)
    request.warnings.push(...texts)
  }
  if (resource.custom) return withDefaults(value, resource.schema) as KubeObject
  checkTypes(value as KubeObject, resource)
  return withBuiltInDefaults(goForm(value, resource.schema) as KubeObject, resource)
}

/** Go refuses a body whose types differ from the struct's before any validation. */
function checkTypes(object: KubeObject, resource: Resource): void {
  const schema = resource.schema
  if (!schema) return
  const wrong = validateSchema(object, schema).find(
    ({ reason, message }) => reason === 'FieldValueTypeInvalid' && !message.endsWith('"null"'),
  )
  if (!wrong) return
  const what = `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`
  throw badRequest(`${what}: ${wrong.field}: ${wrong.message}`)
}

/**
 * Checks metadata, schema and rules of an object that is about to be stored.
 * @throws StatusError (422) with every problem
 */
export function validate(object: KubeObject, before: KubeObject | undefined, request: WriteRequest): void {
  const { resource } = request
  const problems: FieldProblem[] = validateMetadata(object, before, resource)
  const { schema } = resource
  if (schema && resource.custom) {
    const found = [...scaleProblems(object, resource), ...validateSchema(object, schema)]
    problems.push(...found)
    if (!found.some(({ reason }) => blocking.has(reason))) problems.push(...validateRules(object, before, schema))
    else if (hasRules(schema)) problems.push(unchecked)
  } else problems.push(...validateBuiltIn(object, before, resource))
  if (problems.length > 0) throw invalid(resource, object.metadata.name ?? '', problems)
}

/** Problems after which rules are not looked at. */
const blocking: ReadonlySet<string> = new Set(
  ['NotSupported', 'Required', 'TooLong', 'TooMany', 'TypeInvalid'].map(kind => `FieldValue${kind}`),
)

/** What the API server says when rules could not be looked at. */
const unchecked: FieldProblem = {
  field: '<nil>',
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; ' +
    'correct the existing errors to complete validation',
}

/** A kind that can be scaled has no negative number of replicas. */
function scaleProblems(object: KubeObject, { custom }: Resource): FieldProblem[] {
  if (!custom?.scale) return []
  return [custom.scale.specReplicasPath, custom.scale.statusReplicasPath].flatMap(path => {
    const found = path
      .split('.')
      .slice(1)
      .reduce((at: unknown, name) => (isRecord(at) ? at[name] : undefined), object)
    if (typeof found !== 'number' || found >= 0) return []
    const message = `Invalid value: ${found}: should be a non-negative integer`
    return [{ field: path, reason: 'FieldValueInvalid' as const, message }]
  })
}

/** @throws StatusError (404, 403) when objects cannot be created in the namespace */
export function checkNamespace(api: Api, request: WriteRequest, name: string): void {
  const { resource, namespace } = request
  if (!resource.namespaced) return
  const found = api.store.get('namespaces', '', namespace)
  if (!found) {
    const details = { name: namespace, kind: 'namespaces' }
    throw new StatusError(404, 'NotFound', `namespaces "${namespace}" not found`, details)
  }
  if (found.object.metadata.deletionTimestamp === undefined) return
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  const message = `namespace ${namespace} is being terminated`
  throw forbidden(resource, name, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }])
}

/** Kinds besides custom ones whose generation counts changes of the spec. */
const counted = new Set(
  (
    'deployments.apps replicasets.apps statefulsets.apps daemonsets.apps replicationcontrollers jobs.batch ' +
    'cronjobs.batch ingresses.networking.k8s.io networkpolicies.networking.k8s.io ingressclasses.networking.k8s.io ' +
    'poddisruptionbudgets.policy pods customresourcedefinitions.apiextensions.k8s.io priorityclasses.scheduling.k8s.io ' +
    'validatingadmissionpolicies.admissionregistration.k8s.io endpointslices.discovery.k8s.io ' +
    'validatingadmissionpolicybindings.admissionregistration.k8s.io ' +
    'validatingwebhookconfigurations.admissionregistration.k8s.io ' +
    'mutatingwebhookconfigurations.admissionregistration.k8s.io'
  ).split(' '),
)

/** The generation of an object after a write. */
export function generationOf(
  after: KubeObject,
  before: KubeObject | undefined,
  resource: Resource,
): number | undefined {
  if (!resource.custom && !counted.has(resource.storage)) return before?.metadata.generation
  if (!before) return 1
  const generation = before.metadata.generation ?? 1
  return isDeepStrictEqual(desired(after, resource), desired(before, resource)) ? generation : generation + 1
}

/** Everything that a generation counts. */
function desired(object: KubeObject, resource: Resource): unknown {
  const { metadata: _metadata, status, ...rest } = object
  return resource.custom && !resource.subresources.includes('status') ? { ...rest, status } : rest
}
