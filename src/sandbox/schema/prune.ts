import { fieldSchema, isRecord, itemSchema, objectMeta, resolve, type Schema } from './schema.ts'

const builtInMeta = resolve(objectMeta)
const maxDepth = 200

/**
 * The value without fields that its schema does not know, and the paths of those fields. What the schema opens with
 * `x-kubernetes-preserve-unknown-fields` stays.
 */
export function prune(value: unknown, schema: Schema): { value: unknown; unknown: string[] } {
  const unknown: string[] = []
  return { value: pruneValue(value, schema, '', unknown, 0), unknown }
}

function pruneValue(
  value: unknown,
  schema: Schema | undefined,
  path: string,
  unknown: string[],
  depth: number,
): unknown {
  if (schema === undefined || typeof value !== 'object' || value === null || depth > maxDepth) return value
  if (Array.isArray(value)) {
    const items = itemSchema(schema)
    if (!items) return value
    return mapped(value, (item, index) => pruneValue(item, items, `${path}[${index}]`, unknown, depth + 1))
  }
  if (!isRecord(value) || isOpen(schema)) return value
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  let result = value
  for (const [name, inner] of Object.entries(value)) {
    const place = path === '' ? name : `${path}.${name}`
    const field = embedded ? embeddedField(schema, name) : fieldSchema(schema, name)
    const known = field.named || field.schema !== undefined || schema.additionalProperties === true
    const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true
    if (!known && !keeps) unknown.push(place)
    // What Go decodes into a struct knows no null: the field is absent.
    const kept = known ? pruneValue(inner, field.schema, place, unknown, depth + 1) : keeps ? inner : undefined
    if (kept === inner) continue
    if (result === value) result = { ...value }
    if (kept === undefined) delete result[name]
    else result[name] = kept
  }
  return result
}

/** An object about whose fields the schema says nothing, or that it opens altogether. */
function isOpen(schema: Schema): boolean {
  if (schema.properties !== undefined || schema.additionalProperties !== undefined) return false
  return schema.type !== 'object' || schema['x-kubernetes-preserve-unknown-fields'] === true
}

function embeddedField(schema: Schema, name: string): { schema: Schema | undefined; named: boolean } {
  if (name === 'metadata') return { schema: builtInMeta, named: true }
  if (name === 'apiVersion' || name === 'kind') return { schema: { type: 'string' }, named: true }
  return fieldSchema(schema, name)
}

function mapped(list: unknown[], change: (item: unknown, index: number) => unknown): unknown[] {
  let result = list
  for (const [index, item] of list.entries()) {
    const changed = change(item, index)
    if (changed === item) continue
    if (result === list) result = [...list]
    result[index] = changed
  }
  return result
}
