import type { FieldProblem } from '../errors.ts'
import { isRecord, itemSchema, resolve, type Schema } from './schema.ts'

/** Repeated and keyless items of a list that has keys, or of a set. */
export function fieldSetProblems(list: readonly unknown[], schema: Schema, path: string): FieldProblem[] {
  const type = schema['x-kubernetes-list-type']
  if (type !== 'map' && type !== 'set') return []
  const seen = new Set<string>()
  const problems: FieldProblem[] = []
  for (const [index, item] of list.entries()) {
    const key = JSON.stringify(type === 'set' ? item : keysOf(item, schema))
    if (seen.has(key)) {
      const message = `Duplicate value: ${key}`
      problems.push({ field: `${path}[${index}]`, reason: 'FieldValueDuplicate', message })
    }
    seen.add(key)
  }
  return problems
}

function keysOf(item: unknown, schema: Schema): Record<string, unknown> {
  const items = itemSchema(schema)
  const found: Record<string, unknown> = {}
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const field = items?.properties?.[key]
    found[key] = (isRecord(item) ? item[key] : undefined) ?? (field && resolve(field).default)
  }
  return found
}
