import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Api } from '../api.ts'
import { noSuchPath, StatusError } from '../errors.ts'
import type { Resource } from '../kinds/resource.ts'
import { builtInTypes, type Schema } from '../schema/schema.ts'
import { sendJson } from './answer.ts'

type Json = Record<string, unknown>

/** Answers `/openapi/v2` and `/openapi/v3`: schemas, and of paths only what clients look up in them. @throws StatusError */
export function openApi(api: Api, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = url
  if (pathname === '/openapi/v2') {
    if (!/json|\*\/\*/.test(request.headers.accept ?? 'json')) {
      const message = 'the sandbox has its OpenAPI as JSON only; /openapi/v3 is complete'
      throw new StatusError(406, 'NotAcceptable', message)
    }
    sendJson(response, 200, JSON.stringify(version2(api.registry.all())))
    return
  }
  if (pathname === '/openapi/v3') {
    sendJson(response, 200, JSON.stringify(index(api)))
    return
  }
  const [, group = '', version = ''] = /^\/openapi\/v3\/(?:api|apis\/([^/]+))\/([^/]+)$/.exec(pathname) ?? []
  const found = api.registry.all().filter(one => one.group === group && one.version === version)
  if (found.length === 0) throw noSuchPath()
  sendJson(response, 200, JSON.stringify(document(found)))
}

/** Each group's document with a hash that changes with the kinds, so that clients may keep it. */
function index(api: Api): Json {
  const hash = createHash('sha256').update(String(api.registry.generation)).digest('hex').toUpperCase()
  const roots = new Set(
    api.registry.all().map(one => (one.group === '' ? `api/${one.version}` : `apis/${one.apiVersion}`)),
  )
  const paths = [...roots].map(root => [root, { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` }])
  return { paths: Object.fromEntries(paths) }
}

function document(resources: readonly Resource[]): Json {
  const paths: Json = {}
  for (const resource of resources) Object.assign(paths, pathsOf(resource))
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.3' },
    paths,
    components: { schemas: schemasOf(resources) },
  }
}

function schemasOf(resources: readonly Resource[]): Json {
  const schemas: Json = {}
  for (const resource of resources) if (resource.custom) schemas[customName(resource)] = customSchema(resource)
  const builtIn = resources.some(one => !one.custom) || Object.keys(schemas).length > 0
  return builtIn ? { ...builtInTypes, ...schemas } : schemas
}

function customName({ group, version, kind }: Resource): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`
}

function customSchema({ schema, group, version, kind }: Resource): Schema {
  return { ...schema, 'x-kubernetes-group-version-kind': [{ group, version, kind }] }
}

/** kubectl looks at the parameters of a kind's PATCH to see which options the server has. */
function pathsOf(resource: Resource): Json {
  const { group, version, kind, apiVersion, plural, namespaced } = resource
  const base = `/${group === '' ? 'api' : 'apis'}/${apiVersion}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`
  const gvk = { group, version, kind }
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map(name => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  }))
  const operation = (action: string) => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
    parameters,
    responses: { 200: { description: 'OK' } },
  })
  return {
    [base]: { post: operation('post') },
    [`${base}/{name}`]: { put: operation('put'), patch: operation('patch') },
  }
}

function version2(resources: readonly Resource[]): Json {
  const all = { ...builtInTypes, ...schemasOf(resources.filter(one => one.custom)) }
  const definitions = JSON.parse(JSON.stringify(all).replaceAll('#/components/schemas/', '#/definitions/')) as Json
  const paths: Json = {}
  for (const resource of resources) Object.assign(paths, pathsOf(resource))
  return { swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.36.3' }, paths, definitions }
}
