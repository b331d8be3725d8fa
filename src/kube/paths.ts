import { OffshootError } from '../util/errors.ts'
import type { ApiResource } from './discovery.ts'
import { formatGvk, splitApiVersion } from './types.ts'

/** What a path leads to, besides its resource. */
export interface PathParts {
  namespace?: string | undefined
  name?: string | undefined
  subresource?: string | undefined
}

/** Query parameters; undefined ones are left out. */
export type Query = Record<string, string | number | boolean | undefined>

/**
 * The path of a resource, of one object or of its subresource. A namespace is ignored for cluster-scoped kinds.
 * @throws OffshootError for a name that could lead to another path, or a single object without its namespace
 */
export function resourcePath(resource: ApiResource, parts: PathParts): string {
  const [group] = splitApiVersion(resource.apiVersion)
  let path = group === '' ? `/api/${resource.apiVersion}` : `/apis/${resource.apiVersion}`
  if (resource.namespaced) {
    if (parts.namespace) path += `/namespaces/${segment(parts.namespace, 'namespace')}`
    else if (parts.name !== undefined) {
      throw new OffshootError(`${formatGvk(resource)} "${parts.name}" needs a namespace`)
    }
  }
  path += `/${resource.plural}`
  if (parts.name !== undefined) path += `/${segment(parts.name, 'name')}`
  if (parts.subresource !== undefined) path += `/${segment(parts.subresource, 'subresource')}`
  return path
}

/** `path?query`, with everything encoded. */
export function withQuery(path: string, query: Query): string {
  let separator = '?'
  let result = path
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    result += `${separator}${name}=${encodeURIComponent(value)}`
    separator = '&'
  }
  return result
}

/** What a path is about, for metrics: the resource's plural with its subresource, or the path of what is none. */
export function resourceOf(path: string): string {
  const plain = path.split('?', 1)[0] ?? ''
  const rest = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/(.+)$/.exec(plain)?.[1]
  if (rest === undefined) return plain
  const [first = '', name, ...more] = rest.split('/')
  const isScope = first === 'namespaces' && more[0] !== undefined && !namespaceSubresources.has(more[0])
  const [resource = '', , subresource] = isScope ? more : [first, name, ...more]
  return subresource === undefined ? resource : `${resource}/${subresource}`
}

const namespaceSubresources = new Set(['status', 'finalize'])

/** One path segment; the same names are refused as by the API server (`path.IsValidPathSegmentName`). */
function segment(text: string, what: string): string {
  if (text === '' || text === '.' || text === '..' || /[/%]/.test(text)) {
    throw new OffshootError(`"${text}" cannot be a ${what}: it must not be empty, ".", ".." or contain "/" or "%"`)
  }
  return encodeURIComponent(text)
}
