import { fieldSchema, isRecord, itemSchema, resolve, type Schema } from './schema.ts'

/** The value with the schema's defaults where a field is absent, or null but not nullable (custom kinds only). */
export function withDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    const items = itemSchema(schema)
    return items ? value.map(item => withDefaults(item, items)) : value
  }
  if (!isRecord(value)) return value
  let result = value
  const set = (name: string, inner: unknown) => {
    if (result === value) result = { ...value }
    result[name] = inner
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const field = resolve(property)
    if (field.default === undefined) continue
    const current = value[name]
    if (current === undefined || (current === null && field.nullable !== true))
      set(name, structuredClone(field.default))
  }
  for (const [name, inner] of Object.entries(result)) {
    const changed = withDefaults(inner, fieldSchema(schema, name).schema)
    if (changed !== inner) set(name, changed)
  }
  return result
}
