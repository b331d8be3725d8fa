import { isDeepStrictEqual } from 'node:util'
import { badRequest, StatusError } from '../errors.ts'
import { isRecord } from '../schema/schema.ts'

const maxOperations = 10_000

/** RFC 6902. @throws StatusError 400 for a malformed patch, 422 for one that does not fit */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations')
  if (patch.length > maxOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`
    throw new StatusError(413, 'RequestEntityTooLarge', message)
  }
  let result = structuredClone(target)
  for (const operation of patch) result = applyOperation(result, operation)
  return result
}

function applyOperation(document: unknown, operation: unknown): unknown {
  if (!isRecord(operation) || typeof operation.op !== 'string' || typeof operation.path !== 'string') {
    throw badRequest('each operation of a JSON patch needs op and path')
  }
  const { op, path, value } = operation
  if (op === 'add') return insert(document, path, need(operation))
  if (op === 'remove') return detach(document, path)
  if (op === 'replace') {
    lookUp(document, path)
    return replace(document, path, need(operation))
  }
  if (op === 'test') {
    if (isDeepStrictEqual(lookUp(document, path, true), value ?? null)) return document
    throw unfit(`testing value ${path} failed: test failed`)
  }
  if (typeof operation.from !== 'string') throw badRequest(`${op} needs from`)
  if (op === 'copy') return insert(document, path, structuredClone(lookUp(document, operation.from)))
  if (op !== 'move') throw badRequest(`unknown operation ${JSON.stringify(op)} in a JSON patch`)
  const moved = lookUp(document, operation.from)
  return insert(detach(document, operation.from), path, moved)
}

function need(operation: Record<string, unknown>): unknown {
  if (!('value' in operation)) throw badRequest(`${String(operation.op)} ${String(operation.path)} needs a value`)
  return structuredClone(operation.value)
}

function unfit(message: string): StatusError {
  return new StatusError(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`)
}

function segments(path: string): string[] {
  if (path === '') return []
  if (!path.startsWith('/')) throw badRequest(`${path} is no JSON pointer`)
  return path
    .slice(1)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function lookUp(document: unknown, path: string, optional = false): unknown {
  let at = document
  for (const part of segments(path)) {
    if (Array.isArray(at) && /^\d+$/.test(part) && Number(part) < at.length) at = at[Number(part)]
    else if (isRecord(at) && Object.hasOwn(at, part)) at = at[part]
    else if (optional) return null
    else throw unfit(`${path} is missing`)
  }
  return at
}

function parentOf(document: unknown, path: string): { parent: unknown; last: string } {
  const parts = segments(path)
  const last = parts.pop() ?? ''
  const pointer = parts.map(part => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  return { parent: lookUp(document, pointer), last }
}

function index(list: unknown[], part: string, path: string, end: number): number {
  if (!/^\d+$/.test(part) || Number(part) > end) throw unfit(`${path}: no such index in a list of ${list.length}`)
  return Number(part)
}

function insert(document: unknown, path: string, value: unknown): unknown {
  if (path === '') return value
  const { parent, last } = parentOf(document, path)
  if (Array.isArray(parent))
    parent.splice(last === '-' ? parent.length : index(parent, last, path, parent.length), 0, value)
  else if (isRecord(parent)) assign(parent, last, value)
  else throw unfit(`${path} is missing`)
  return document
}

function replace(document: unknown, path: string, value: unknown): unknown {
  if (path === '') return value
  const { parent, last } = parentOf(document, path)
  if (Array.isArray(parent)) parent[index(parent, last, path, parent.length - 1)] = value
  else if (isRecord(parent)) assign(parent, last, value)
  return document
}

function detach(document: unknown, path: string): unknown {
  const { parent, last } = parentOf(document, path)
  if (Array.isArray(parent)) parent.splice(index(parent, last, path, parent.length - 1), 1)
  else if (isRecord(parent) && Object.hasOwn(parent, last)) delete parent[last]
  else throw unfit(`${path} is missing`)
  return document
}

/** Sets an own field, whatever its name. */
function assign(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}
