import { isDeepStrictEqual } from 'node:util'
import { badRequest } from '../errors.ts'
import { fieldSchema, isRecord, itemSchema, type Schema } from '../schema/schema.ts'

type Json = Record<string, unknown>
const maxDepth = 200

/**
 * Kubernetes' strategic merge patch: as RFC 7386, but lists with a merge key are merged by it, and directives
 * (`$patch`, `$retainKeys`, `$deleteFromPrimitiveList`, `$setElementOrder`) say more.
 * @throws StatusError (400)
 */
export function applyStrategicPatch(target: unknown, patch: unknown, schema: Schema | undefined): unknown {
  if (!isRecord(patch)) throw badRequest('a strategic merge patch must be an object')
  return mergeMaps(isRecord(target) ? target : {}, patch, schema, 0)
}

function mergeMaps(target: Json, patch: Json, schema: Schema | undefined, depth: number): Json {
  if (depth > maxDepth) throw badRequest('the patch is nested too deeply')
  const { $patch: directive, $retainKeys: retained, ...fields } = patch
  if (directive === 'replace') return withoutDirectives(fields) as Json
  if (directive === 'delete') return {}
  const result = retained === undefined ? { ...target } : keep(target, retained)
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith('$setElementOrder/')) continue
    if (name.startsWith('$deleteFromPrimitiveList/')) {
      removeFrom(result, name.slice(name.indexOf('/') + 1), value)
      continue
    }
    if (value === null) delete result[name]
    else result[name] = mergeField(result[name], value, fieldSchema(schema, name).schema, depth + 1)
  }
  for (const [name, order] of Object.entries(fields)) {
    if (!name.startsWith('$setElementOrder/') || !Array.isArray(order)) continue
    const field = name.slice(name.indexOf('/') + 1)
    const list = result[field]
    if (Array.isArray(list)) result[field] = ordered(list, order, mergeKeyOf(fieldSchema(schema, field).schema))
  }
  return result
}

function mergeKeyOf(schema: Schema | undefined): string | undefined {
  return schema?.['x-kubernetes-patch-merge-key']
}

function mergeField(current: unknown, value: unknown, schema: Schema | undefined, depth: number): unknown {
  if (isRecord(value)) {
    if (schema?.['x-kubernetes-map-type'] === 'atomic' && value.$patch === undefined)
      return mergeMaps(isRecord(current) ? current : {}, value, schema, depth)
    return mergeMaps(isRecord(current) ? current : {}, value, schema, depth)
  }
  if (!Array.isArray(value)) return value
  const strategy = schema?.['x-kubernetes-patch-strategy'] ?? ''
  if (!strategy.includes('merge')) return value.map(withoutDirectives)
  return mergeLists(Array.isArray(current) ? current : [], value, schema, depth)
}

function mergeLists(current: unknown[], patch: unknown[], schema: Schema | undefined, depth: number): unknown[] {
  const key = mergeKeyOf(schema)
  if (key === undefined) {
    const added = patch.filter(item => !current.some(one => isDeepStrictEqual(one, item)))
    return [...current, ...added]
  }
  if (patch.some(item => isRecord(item) && item.$patch === 'replace')) {
    return patch.filter(item => !(isRecord(item) && item.$patch === 'replace')).map(withoutDirectives)
  }
  let result = [...current]
  const items = itemSchema(schema)
  for (const item of patch) {
    if (!isRecord(item)) throw badRequest(`each item of a list that is merged by ${key} must be an object`)
    if (item[key] === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
    const found = result.findIndex(one => isRecord(one) && one[key] === item[key])
    if (item.$patch === 'delete') result = result.filter(one => !(isRecord(one) && one[key] === item[key]))
    else if (found === -1) result.push(mergeMaps({}, item, items, depth + 1))
    else result[found] = mergeMaps(result[found] as Json, item, items, depth + 1)
  }
  return result
}

function keep(target: Json, retained: unknown): Json {
  if (!Array.isArray(retained)) throw badRequest('$retainKeys must be a list')
  return Object.fromEntries(Object.entries(target).filter(([name]) => retained.includes(name)))
}

function removeFrom(result: Json, name: string, values: unknown): void {
  const list = result[name]
  if (!Array.isArray(values)) throw badRequest('$deleteFromPrimitiveList must be a list')
  if (Array.isArray(list)) result[name] = list.filter(item => !values.includes(item))
}

/** Named items in the given order; the others keep their place before the named item that followed them. */
function ordered(list: unknown[], order: unknown[], key: string | undefined): unknown[] {
  const id = (item: unknown) => JSON.stringify(key === undefined ? item : isRecord(item) ? item[key] : undefined)
  const wanted = new Map(order.map((item, index) => [id(item), index]))
  const named = list
    .filter(item => wanted.has(id(item)))
    .sort((a, b) => (wanted.get(id(a)) ?? 0) - (wanted.get(id(b)) ?? 0))
  return list.map(item => (wanted.has(id(item)) ? named.shift() : item))
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives)
  if (!isRecord(value)) return value
  const entries = Object.entries(value).filter(([name]) => name !== '$patch' && name !== '$retainKeys')
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutDirectives(inner)]))
}
