import type { KubeObject } from '../../kube/types.ts'
import type { Api } from '../api.ts'
import { badRequest, expired, notFound, StatusError } from '../errors.ts'
import type { Resource } from '../kinds/resource.ts'
import { asServed } from '../kinds/versions.ts'
import { type Matcher, parseFieldSelector, parseLabelSelector } from '../store/selectors.ts'
import type { Stored } from '../store/store.ts'
import { tableOf } from '../tables/table.ts'
import type { Form } from './accept.ts'

/** What a list or watch asks for. */
export interface Selection {
  resource: Resource
  /** Undefined: all namespaces. */
  namespace: string | undefined
  name: string | undefined
  query: URLSearchParams
  form: Form
}

/** Whether an object belongs to a selection; undefined when every object does. */
export function matcherOf({ resource, name, query }: Selection): Matcher | undefined {
  const labels = query.get('labelSelector') ?? ''
  const fields = query.get('fieldSelector') ?? ''
  const tests: Matcher[] = []
  if (name !== undefined) tests.push(object => object.metadata.name === name)
  if (labels.trim() !== '') {
    const test = parseLabelSelector(labels)
    tests.push(object => test(object.metadata.labels ?? {}))
  }
  if (fields.trim() !== '') tests.push(parseFieldSelector(fields, resource.storage))
  return tests.length === 0 ? undefined : object => tests.every(test => test(object))
}

/** One object as JSON in the form and version that the client wants. */
export function objectJson(stored: Stored, resource: Resource, form: Form): string {
  if (form === 'metadata') return JSON.stringify(metadataOnly(stored.object))
  const { object } = stored
  return object.apiVersion === resource.apiVersion ? stored.json : JSON.stringify(asServed(object, resource))
}

/** `PartialObjectMetadata` of an object. */
export function metadataOnly(object: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata }
}

/** Answers GET of one object. @throws StatusError (404) */
export function getObject(
  api: Api,
  resource: Resource,
  namespace: string,
  name: string,
  query: URLSearchParams,
  form: Form,
) {
  const found = api.store.get(resource.storage, namespace, name)
  if (!found) throw notFound(resource, name)
  if (form !== 'table') return objectJson(found, resource, form)
  return JSON.stringify(tableOf([asServed(found.object, resource)], resource, api, tableOptions(query), found.revision))
}

function tableOptions(query: URLSearchParams): { includeObject: string } {
  return { includeObject: query.get('includeObject') ?? 'Metadata' }
}

interface Page {
  revision: number
  /** The last object of the page before: `namespace/name`. */
  after: string
}

/** Answers a list: sorted by namespace and name, page by page as of one revision. @throws StatusError 400, 410, 504 */
export function listObjects(api: Api, selection: Selection): string {
  const { resource, namespace, query } = selection
  const limit = Number(query.get('limit') ?? 0)
  if (!Number.isInteger(limit) || limit < 0) throw badRequest('limit must be a number, zero or more')
  const page = readToken(query.get('continue') ?? '')
  const past = page?.revision ?? exactRevision(api, query)
  const revision = past ?? api.store.revision
  const matches = matcherOf(selection)
  const all =
    past === undefined ? [...api.store.list(resource.storage, namespace)] : snapshot(api, resource, past, namespace)
  const wanted = matches ? all.filter(({ object }) => matches(asServed(object, resource))) : all
  wanted.sort(byKey)
  const start = page ? firstAfter(wanted, page.after) : 0
  const end = limit === 0 ? wanted.length : Math.min(wanted.length, start + limit)
  const items = wanted.slice(start, end)
  const last = items.at(-1)
  const metadata: Record<string, unknown> = { resourceVersion: String(revision) }
  if (last && end < wanted.length) {
    metadata.continue = writeToken({ revision, after: keyOf(last) })
    if (!matches) metadata.remainingItemCount = wanted.length - end
  }
  return listJson(items, metadata, selection, api)
}

function listJson(items: readonly Stored[], metadata: Record<string, unknown>, selection: Selection, api: Api): string {
  const { resource, form, query } = selection
  if (form === 'table') {
    const objects = items.map(({ object }) => asServed(object, resource))
    const table = tableOf(objects, resource, api, tableOptions(query), 0)
    return JSON.stringify({ ...table, metadata })
  }
  const partial = form === 'metadata'
  const kind = partial ? 'PartialObjectMetadataList' : (resource.custom?.listKind ?? `${resource.kind}List`)
  const apiVersion = partial ? 'meta.k8s.io/v1' : resource.apiVersion
  const head = JSON.stringify({ kind, apiVersion, metadata }).slice(0, -1)
  const bare = !partial && !resource.custom
  const texts = items.map(one =>
    bare ? withoutKind(objectJson(one, resource, form)) : objectJson(one, resource, form),
  )
  return `${head},"items":[${texts.join(',')}]}`
}

/** Items of built-in lists have neither apiVersion nor kind, which come first in what is stored. */
function withoutKind(json: string): string {
  return json.replace(/^\{"apiVersion":"[^"]*","kind":"[^"]*",/, '{')
}

/** The revision that a list must be of; undefined for one that may be of any later one. */
function exactRevision(api: Api, query: URLSearchParams): number | undefined {
  const asked = query.get('resourceVersion') ?? ''
  if (asked === '') return undefined
  if (!/^\d{1,16}$/.test(asked)) throw badRequest(`invalid resource version ${JSON.stringify(asked)}`)
  if (Number(asked) > api.store.revision) {
    const text = `Too large resource version: ${asked}, current: ${api.store.revision}`
    throw new StatusError(504, 'Timeout', `Timeout: ${text}`)
  }
  return query.get('resourceVersionMatch') === 'Exact' ? Number(asked) : undefined
}

function snapshot(api: Api, resource: Resource, revision: number, namespace: string | undefined): Stored[] {
  const found = api.store.at(resource.storage, revision, namespace)
  if (found) return found
  throw expired(
    'The provided continue parameter or version is too old to display a consistent list: start the list again',
  )
}

function keyOf({ namespace, name }: Stored): string {
  return `${namespace}/${name}`
}

function byKey(a: Stored, b: Stored): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

function firstAfter(sorted: readonly Stored[], key: string): number {
  const slash = key.indexOf('/')
  const [namespace, name] = [key.slice(0, slash), key.slice(slash + 1)]
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    const one = sorted[middle]
    if (one && (one.namespace < namespace || (one.namespace === namespace && one.name <= name))) low = middle + 1
    else high = middle
  }
  return low
}

function writeToken(page: Page): string {
  return Buffer.from(JSON.stringify(page)).toString('base64url')
}

function readToken(token: string): Page | undefined {
  if (token === '') return undefined
  try {
    const page = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Partial<Page>
    if (Number.isInteger(page.revision) && typeof page.after === 'string') return page as Page
  } catch {
    // Reported below, like any other token that is not ours.
  }
  throw badRequest('continue key is not valid: the token is not one of this server’s')
}
