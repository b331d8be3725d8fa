import { fieldSchema, isRecord, itemSchema, type Schema, topologyOf } from '../schema/schema.ts'
import { byElement, itemElement } from './field-set.ts'
import { PathSet } from './path-set.ts'

/** Brings the applied configuration into the live value: maps by field, keyed lists by key, everything else as a whole. */
export function merge(live: unknown, applied: unknown, schema: Schema | undefined): unknown {
  if (applied === undefined) return live
  if (live === undefined || live === null) return applied
  const topology = topologyOf(schema, applied)
  if (topology === 'atomic' || topology !== topologyOf(schema, live)) return applied
  if (topology === 'map') return mergeMaps(live as Record<string, unknown>, applied as Record<string, unknown>, schema)
  return schema ? mergeLists(live as unknown[], applied as unknown[], schema) : applied
}

function mergeMaps(live: Record<string, unknown>, applied: Record<string, unknown>, schema: Schema | undefined) {
  const result = { ...live }
  for (const [name, value] of Object.entries(applied)) {
    result[name] = merge(live[name], value, fieldSchema(schema, name).schema)
  }
  return result
}

/** The applied order counts; live items that the configuration does not name keep their place between the others. */
function mergeLists(live: unknown[], applied: unknown[], schema: Schema): unknown[] {
  const items = itemSchema(schema)
  const wanted = byElement(applied, schema)
  const existing = byElement(live, schema)
  const result: unknown[] = []
  const done = new Set<string>()
  let at = 0
  const takeUnnamed = () => {
    for (; at < live.length; at++) {
      const element = itemElement(schema, live[at])
      if (done.has(element)) continue
      if (wanted.has(element)) return
      result.push(live[at])
    }
  }
  for (const [element, value] of wanted) {
    takeUnnamed()
    result.push(merge(existing.get(element), value, items))
    done.add(element)
  }
  takeUnnamed()
  return result
}

/**
 * Takes out of `value` what `last` (a manager's previous set) names and nobody owns any more; an owned part keeps
 * everything above it.
 */
export function removeUnowned(value: unknown, last: PathSet, owned: PathSet, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) return removeItems(value, last, owned, schema)
  if (!isRecord(value)) return value
  let result = value
  for (const [element, child] of last.children) {
    const name = element.slice(2)
    if (!element.startsWith('f:') || !Object.hasOwn(value, name)) continue
    const keeper = owned.children.get(element)
    if (result === value) result = { ...value }
    // A field that only leads to owned fields counts as owned itself.
    if (keeper === undefined || keeper.isEmpty) delete result[name]
    else result[name] = removeUnowned(value[name], child, keeper, fieldSchema(schema, name).schema)
  }
  return result
}

function removeItems(list: unknown[], last: PathSet, owned: PathSet, schema: Schema | undefined): unknown[] {
  if (!schema || topologyOf(schema, list) === 'atomic') return list
  const items = itemSchema(schema)
  const kept: unknown[] = []
  for (const item of list) {
    const element = itemElement(schema, item)
    const child = last.children.get(element)
    const keeper = owned.children.get(element)
    if (child?.member && (keeper === undefined || keeper.isEmpty)) continue
    kept.push(child ? removeUnowned(item, child, keeper ?? new PathSet(), items) : item)
  }
  return kept
}
