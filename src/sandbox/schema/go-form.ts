import { canonicalQuantity } from './quantity.ts'
import { isRecord, resolve, type Schema } from './schema.ts'

const maxDepth = 200
const quantity = '#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity'

/**
 * A built-in object as Go writes it after it has read it: no nulls, no empty lists and maps where they may be left out,
 * every struct that is no pointer, quantities in their one form.
 */
export function goForm(value: unknown, schema: Schema | undefined, depth = 0): unknown {
  if (schema === undefined || depth > maxDepth) return value
  if (schema.$ref === quantity) return canonicalQuantity(value)
  const known = resolve(schema)
  if (Array.isArray(value)) return known.items ? value.map(item => goForm(item, known.items, depth + 1)) : value
  if (!isRecord(value)) return value
  if (known.properties) return structForm(value, known, depth)
  const { additionalProperties } = known
  if (typeof additionalProperties !== 'object') return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(entries.map(([name, inner]) => [name, goForm(inner, additionalProperties, depth + 1)]))
}

function structForm(value: Record<string, unknown>, schema: Schema, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  const required = schema.required ?? []
  for (const [name, inner] of Object.entries(value)) {
    const field = schema.properties?.[name]
    if (inner === null || inner === undefined) continue
    const kept = goForm(inner, field, depth + 1)
    if (isEmpty(kept, field) && !required.includes(name)) continue
    result[name] = kept
  }
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (result[name] === undefined && isZeroStruct(field)) result[name] = goForm({}, field, depth + 1)
  }
  return result
}

/** Empty lists and maps; an empty struct is something. */
function isEmpty(value: unknown, field: Schema | undefined): boolean {
  // A list in a field of any type, such as a default in a definition, is content.
  if (Array.isArray(value)) return value.length === 0 && field !== undefined && resolve(field).type === 'array'
  if (!isRecord(value) || Object.keys(value).length > 0 || field === undefined) return false
  const { additionalProperties, properties } = resolve(field)
  return properties === undefined && typeof additionalProperties === 'object'
}

/** A field that is a struct and no pointer: it is there even when nobody set it. */
export function isZeroStruct(field: Schema): boolean {
  return field.$ref !== undefined && isRecord(field.default) && Object.keys(field.default).length === 0
}
