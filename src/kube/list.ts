import { OffshootError } from '../util/errors.ts'
import type { ApiResource } from './discovery.ts'
import { KubeError } from './errors.ts'
import { resourcePath, withQuery } from './paths.ts'
import type { Answer, TransportRequest } from './transport.ts'
import { formatGvk, type KubeObject } from './types.ts'

/** Which objects to list or watch. */
export interface SelectorOptions {
  /** Absent: all namespaces. */
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  /** Metadata only, which costs the server and the wire much less. */
  metadataOnly?: boolean | undefined
}

export interface ListOptions extends SelectorOptions {
  /** Objects per page; all pages are fetched. Default 500. */
  limit?: number
  /** More objects than this are an error. Default 100,000. */
  maxItems?: number
  signal?: AbortSignal | undefined
  /** Milliseconds per page; default 30,000. */
  timeout?: number | undefined
}

export interface ListResult<T> {
  items: T[]
  /** Where a watch goes on from. */
  resourceVersion: string
}

interface Page<T> {
  items?: T[]
  metadata?: { resourceVersion?: string; continue?: string }
}

const metadataListAccept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

/**
 * Lists page by page. A continue token that expires on the way starts the list again, twice at most.
 * @throws OffshootError over `maxItems`, or when a page's token repeats
 */
export async function listAll<T extends KubeObject>(
  resource: ApiResource,
  options: ListOptions,
  send: (request: TransportRequest) => Promise<Answer>,
): Promise<ListResult<T>> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await listPages<T>(resource, options, send)
    } catch (error) {
      if (!(error instanceof KubeError && error.isExpired) || restarts >= 2) throw error
    }
  }
}

async function listPages<T extends KubeObject>(
  resource: ApiResource,
  options: ListOptions,
  send: (request: TransportRequest) => Promise<Answer>,
): Promise<ListResult<T>> {
  const { limit = 500, maxItems = 100_000 } = options
  const path = resourcePath(resource, { namespace: options.namespace })
  const items: T[] = []
  let token: string | undefined
  for (;;) {
    const page = await getPage<T>(withQuery(path, query(options, limit, token)), options, send)
    for (const item of page.items ?? []) {
      // Lists leave out apiVersion and kind of their items, or give those of PartialObjectMetadata.
      item.apiVersion = resource.apiVersion
      item.kind = resource.kind
      items.push(item)
    }
    if (items.length > maxItems) {
      throw new OffshootError(`more than ${maxItems} objects of ${formatGvk(resource)}: narrow the list`)
    }
    const next = page.metadata?.continue
    if (!next) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
    if (next === token) throw new OffshootError(`the list of ${formatGvk(resource)} repeats a page`)
    token = next
  }
}

async function getPage<T>(
  path: string,
  options: ListOptions,
  send: (request: TransportRequest) => Promise<Answer>,
): Promise<Page<T>> {
  const request: TransportRequest = { method: 'GET', path, signal: options.signal, timeout: options.timeout }
  if (options.metadataOnly === true) request.accept = metadataListAccept
  return JSON.parse((await send(request)).body) as Page<T>
}

function query(options: ListOptions, limit: number, token: string | undefined) {
  return {
    limit,
    continue: token,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
  }
}
