import { badRequest, noSuchPath } from '../errors.ts'

/** A path that names a resource, an object or its subresource. */
export interface ResourcePath {
  group: string
  version: string
  plural: string
  namespace: string | undefined
  name: string | undefined
  subresource: string
}

/**
 * The parts of a path below `/api` or `/apis`; undefined for paths of discovery.
 * @throws StatusError for what cannot be a path of the API
 */
export function parseResourcePath(pathname: string): ResourcePath | undefined {
  const parts = pathname
    .split('/')
    .filter(part => part !== '')
    .map(decode)
  const [root, ...rest] = parts
  if (root !== 'api' && root !== 'apis') throw noSuchPath()
  const group = root === 'api' ? '' : (rest.shift() ?? '')
  const version = rest.shift()
  const [first, second, third, ...more] = rest
  if (version === undefined || first === undefined) return undefined
  const scope = { group, version }
  const ofNamespace = third === 'status' || third === 'finalize'
  if (first !== 'namespaces' || third === undefined || (ofNamespace && more.length === 0)) {
    if (more.length > 0) throw noSuchPath()
    return { ...scope, plural: first, namespace: undefined, name: second, subresource: third ?? '' }
  }
  const [name, subresource = '', ...beyond] = more
  if (beyond.length > 0) throw noSuchPath()
  return { ...scope, plural: third, namespace: second, name, subresource }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badRequest(`the path has an invalid escape: ${part}`)
  }
}
