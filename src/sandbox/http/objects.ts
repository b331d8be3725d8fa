import type { Buffer } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KubeObject } from '../../kube/types.ts'
import type { Api, User, WriteRequest } from '../api.ts'
import { badRequest, methodNotAllowed, noSuchPath, StatusError } from '../errors.ts'
import { isReview, type Resource } from '../kinds/resource.ts'
import { applyMergePatch } from '../patch/merge-patch.ts'
import { tableOf } from '../tables/table.ts'
import { create } from '../verbs/create.ts'
import { parseDeleteOptions, remove } from '../verbs/delete.ts'
import { patch } from '../verbs/patch.ts'
import { createToken, finalize, getScale, putScale, review } from '../verbs/subresources.ts'
import { existing, update } from '../verbs/update.ts'
import { formOf } from './accept.ts'
import { sendJson } from './answer.ts'
import { mediaType, parseBody, readBody } from './body.ts'
import { identify, type Tokens } from './identity.ts'
import type { ResourcePath } from './path.ts'
import { getObject, listObjects, matcherOf, metadataOnly, type Selection } from './read.ts'
import { watchObjects } from './watch.ts'

/** One request for a resource. */
export interface Call {
  api: Api
  tokens: Tokens
  path: ResourcePath
  query: URLSearchParams
  request: IncomingMessage
  response: ServerResponse
}

/** Answers a request for a resource. @throws StatusError */
export async function serveObjects(call: Call): Promise<void> {
  const { api, path, request } = call
  const resource = api.registry.byPath(path.group, path.version, path.plural)
  if (path.subresource !== '' && !resource.subresources.includes(path.subresource)) throw noSuchPath()
  // A namespaced kind is created and its objects are named inside a namespace only; others never.
  if (path.namespace !== undefined && !resource.namespaced) throw noSuchPath()
  if (path.name !== undefined && path.namespace === undefined && resource.namespaced) throw noSuchPath()
  const user = identify(request.headers, call.tokens)
  switch (request.method) {
    case 'GET':
      return read(call, resource, user)
    case 'POST':
    case 'PUT':
    case 'PATCH':
    case 'DELETE':
      return change(call, resource, user)
    default:
      throw methodNotAllowed(`the server does not allow ${request.method} on this resource`)
  }
}

function read(call: Call, resource: Resource, user: User): void {
  const { api, path, query, request, response } = call
  const form = formOf(request.headers.accept)
  if (isReview(resource)) throw methodNotAllowed('the server does not allow this method on the requested resource')
  const watching = query.get('watch')
  if (path.subresource === 'finalize' || path.subresource === 'token') {
    throw methodNotAllowed('the server does not allow this method on the requested resource')
  }
  if (path.name !== undefined && watching !== 'true' && watching !== '1') {
    if (path.subresource === 'log') throw noLogs(api, path)
    if (path.subresource === 'scale') {
      sendJson(response, 200, JSON.stringify(getScale(api, writeRequest(call, resource, user))))
    } else sendJson(response, 200, getObject(api, resource, path.namespace ?? '', path.name, query, form))
    return
  }
  const selection: Selection = { resource, namespace: path.namespace, name: path.name, query, form }
  if (watching === 'true' || watching === '1') watchObjects(api, selection, response)
  else sendJson(response, 200, listObjects(api, selection))
}

function noLogs(api: Api, { namespace = '', name = '' }: ResourcePath): StatusError {
  const pod = api.store.get('pods', namespace, name)
  if (!pod) return new StatusError(404, 'NotFound', `pods "${name}" not found`, { name, kind: 'pods' })
  const message = `the sandbox runs no containers, so pod "${name}" has no logs: use a real cluster to see them`
  return new StatusError(501, 'NotImplemented', message, { name, kind: 'pods' })
}

const maxManager = 128

function writeRequest({ path, query, request }: Call, resource: Resource, user: User): WriteRequest {
  const dryRun = query.getAll('dryRun')
  if (dryRun.some(value => value !== 'All')) throw badRequest(`dryRun must be "All", not ${JSON.stringify(dryRun)}`)
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  if (fieldValidation !== 'Strict' && fieldValidation !== 'Warn' && fieldValidation !== 'Ignore') {
    throw badRequest(`fieldValidation must be Ignore, Warn or Strict, not ${fieldValidation}`)
  }
  const isApply = request.method === 'PATCH' && mediaType(request).startsWith('application/apply-patch')
  const agent = request.headers['user-agent']?.split('/')[0]?.slice(0, maxManager) || 'unknown'
  const manager = query.get('fieldManager') ?? ''
  if (manager.length > maxManager) throw badRequest(`fieldManager must have at most ${maxManager} characters`)
  return {
    resource,
    namespace: path.namespace ?? '',
    name: path.name ?? '',
    subresource: path.subresource,
    dryRun: dryRun.length > 0,
    fieldManager: manager === '' && !isApply ? agent : manager,
    fieldValidation,
    force: query.get('force') === 'true',
    user,
    warnings: [],
  }
}

async function change(call: Call, resource: Resource, user: User): Promise<void> {
  const { request, response } = call
  const body = await readBody(request)
  if (response.destroyed) return
  const write = writeRequest(call, resource, user)
  const { code, value } = answer(call, body, write)
  const form = formOf(request.headers.accept)
  const object = value as KubeObject
  const shaped =
    form === 'object' || object.kind !== resource.kind
      ? value
      : form === 'metadata'
        ? metadataOnly(object)
        : tableOf([object], resource, call.api, { includeObject: call.query.get('includeObject') ?? 'Metadata' }, 0)
  sendJson(response, code, JSON.stringify(shaped), write.warnings)
}

function answer(call: Call, body: Buffer, write: WriteRequest): { code: number; value: unknown } {
  const { api, path, request, tokens } = call
  const type = mediaType(request)
  const parsed = () => parseBody(body, type)
  const { resource } = write
  switch (request.method) {
    case 'POST':
      if (isReview(resource)) return { code: 201, value: review(parsed(), write, write.user, tokens) }
      if (path.subresource === 'token') return { code: 201, value: createToken(api, parsed(), write, tokens) }
      if (path.name !== undefined) throw methodNotAllowed('the server does not allow POST on a named object')
      if (resource.namespaced && path.namespace === undefined) {
        throw badRequest('the server could not find the requested resource: a namespace is needed')
      }
      return { code: 201, value: create(api, parsed(), write) }
    case 'PUT':
      if (path.name === undefined) throw methodNotAllowed('the server does not allow PUT on a collection')
      if (path.subresource === 'scale') return { code: 200, value: putScale(api, parsed(), write) }
      if (path.subresource === 'finalize') return { code: 200, value: finalize(api, parsed(), write) }
      return { code: 200, value: update(api, parsed(), write) }
    case 'PATCH':
      return patched(call, parsed(), type, write)
    default:
      return path.name === undefined ? removeAll(call, body, write) : removeOne(call, body, write)
  }
}

function patched(call: Call, body: unknown, type: string, write: WriteRequest): { code: number; value: unknown } {
  const { api, path } = call
  if (path.name === undefined) throw methodNotAllowed('the server does not allow PATCH on a collection')
  if (path.subresource === 'scale') {
    return { code: 200, value: putScale(api, applyMergePatch(getScale(api, write), body), write) }
  }
  const { object, created } = patch(api, type, body, write)
  return { code: created ? 201 : 200, value: object }
}

function removeOne({ api, query, request }: Call, body: Buffer, write: WriteRequest): { code: number; value: unknown } {
  const options = parseDeleteOptions(parseBody(body, mediaType(request)), query)
  const before = existing(api, write)
  const { object, gone } = remove(api, { ...write, dryRun: options.dryRun }, options)
  if (!gone) return { code: 200, value: object }
  const { resource, name } = write
  const details = {
    name,
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
    uid: before.metadata.uid,
  }
  return { code: 200, value: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } }
}

function removeAll(call: Call, body: Buffer, write: WriteRequest): { code: number; value: unknown } {
  const { api, path, query, request } = call
  const { resource } = write
  if (!resource.verbs.includes('deletecollection'))
    throw methodNotAllowed('this kind cannot be deleted as a collection')
  if (resource.namespaced && path.namespace === undefined)
    throw methodNotAllowed('a collection is deleted in one namespace at a time')
  const options = parseDeleteOptions(parseBody(body, mediaType(request)), query)
  const matches = matcherOf({ resource, namespace: path.namespace, name: undefined, query, form: 'object' })
  const found = [...api.store.list(resource.storage, path.namespace)].filter(
    ({ object }) => !matches || matches(object),
  )
  for (const { namespace, name } of found) {
    remove(api, { ...write, namespace, name, dryRun: options.dryRun }, options)
  }
  const kind = resource.custom?.listKind ?? `${resource.kind}List`
  const metadata = { resourceVersion: String(api.store.revision) }
  return {
    code: 200,
    value: { kind, apiVersion: resource.apiVersion, metadata, items: found.map(({ object }) => object) },
  }
}
