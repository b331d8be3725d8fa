import { EngineError } from '../errors.ts'
import type { Manifest } from '../item.ts'
import { getPath, isEqual, isObject, type Json, type JsonObject } from '../values.ts'
import { child, type FieldPath } from './field-path.ts'

/**
 * One step of a managed field: into a map, or to an item of a list by its keys, its value or its index (FieldsV1 of
 * Kubernetes' structured-merge-diff).
 */
export type FieldStep =
  | { readonly name: string }
  | { readonly keys: JsonObject }
  | { readonly value: Json }
  | { readonly index: number }

/** A field that somebody manages. */
export interface ManagedField {
  /** Different fields can have the same text when names hold dots: then there are several. */
  readonly paths: (readonly FieldStep[])[]
  readonly managers: string[]
}

/** Managed fields of an object by their text as the API server's conflicts have it, such as `.data.key`. */
export function managedFields(object: Manifest): Map<string, ManagedField> {
  const fields = new Map<string, ManagedField>()
  const entries = getPath(object, ['metadata', 'managedFields'])
  for (const entry of Array.isArray(entries) ? entries : []) {
    if (!isObject(entry) || !isObject(entry.fieldsV1) || typeof entry.manager !== 'string') continue
    for (const path of pathsOf(entry.fieldsV1, [])) {
      const text = path.map(formatStep).join('')
      const field = fields.get(text) ?? { paths: [], managers: [] }
      fields.set(text, field)
      if (!field.paths.some(other => isEqual(other as unknown as Json, path as unknown as Json))) field.paths.push(path)
      field.managers.push(entry.manager)
    }
  }
  return fields
}

/** Where a managed field is in an object; undefined when it does not have it. @throws EngineError */
export function findField(object: Manifest, path: readonly FieldStep[]): FieldPath | undefined {
  const found: (string | number)[] = []
  let at: Json | undefined = object
  for (const step of path) {
    const key: string | number | undefined = 'name' in step ? step.name : itemIndex(at, step)
    if (key === undefined) return undefined
    at = child(at, key)
    if (at === undefined) return undefined
    found.push(key)
  }
  return found
}

function itemIndex(list: Json | undefined, step: Exclude<FieldStep, { name: string }>): number | undefined {
  if (!Array.isArray(list)) throw new EngineError('object is not a list')
  if ('index' in step) return step.index < list.length ? step.index : undefined
  if ('keys' in step) return indexByKeys(list, step.keys)
  const index = list.findIndex(item => isEqual(item, step.value))
  return index < 0 ? undefined : index
}

/**
 * A rendered item may lack keys that the API server defaults (a port's `protocol`): then it is meant if it is the only
 * one with the other keys.
 */
function indexByKeys(items: readonly Json[], keys: JsonObject): number | undefined {
  const names = Object.keys(keys)
  const has = (item: Json, name: string) => isEqual(child(item, name), keys[name])
  const exact = items.findIndex(item => names.every(name => has(item, name)))
  if (exact >= 0) return exact
  const fitting = [...items.entries()].filter(([, item]) => {
    const given = names.filter(name => child(item, name) !== undefined)
    return given.length > 0 && given.every(name => has(item, name))
  })
  return fitting.length === 1 ? fitting[0]?.[0] : undefined
}

function* pathsOf(set: JsonObject, parent: readonly FieldStep[]): Generator<readonly FieldStep[]> {
  for (const [key, inner] of Object.entries(set)) {
    if (key === '.' || !isObject(inner)) continue
    const step = parseStep(key)
    if (step === undefined) continue
    const path = [...parent, step]
    if (Object.keys(inner).length === 0 || '.' in inner) yield path
    yield* pathsOf(inner, path)
  }
}

/** Undefined for kinds of steps that later versions may add. @throws EngineError */
function parseStep(key: string): FieldStep | undefined {
  const text = key.slice(2)
  if (key.startsWith('f:')) return { name: text }
  if (key.startsWith('i:')) return { index: Number(text) }
  if (!key.startsWith('k:') && !key.startsWith('v:')) return undefined
  try {
    const value = JSON.parse(text) as Json
    if (key.startsWith('v:')) return { value }
    return isObject(value) ? { keys: value } : undefined
  } catch (error) {
    throw new EngineError(`managedFields have a key that cannot be read: ${key}`, { cause: error })
  }
}

function formatStep(step: FieldStep): string {
  if ('name' in step) return `.${step.name}`
  if ('index' in step) return `[${step.index}]`
  if ('value' in step) return `[=${JSON.stringify(step.value)}]`
  const keys = Object.keys(step.keys).sort()
  return `[${keys.map(key => `${key}=${JSON.stringify(step.keys[key])}`).join(',')}]`
}
