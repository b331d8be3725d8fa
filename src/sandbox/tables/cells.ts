import type { KubeObject } from '../../kube/types.ts'
import type { Column } from '../kinds/resource.ts'

/** How long ago, as kubectl prints it: `5m`, `3h12m`, `47d`. */
export function age(time: string | undefined, now: number): string {
  if (time === undefined) return '<unknown>'
  const seconds = Math.floor((now - Date.parse(time)) / 1000)
  if (Number.isNaN(seconds) || seconds < -1) return '<invalid>'
  if (seconds <= 0) return '0s'
  return duration(seconds)
}

/** A duration in at most two units. */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(seconds / 3600)
  const days = Math.floor(hours / 24)
  const two = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.floor(days / 365)
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

/** The cell of a custom column. */
export function cellOf(object: KubeObject, column: Column, now: number): unknown {
  const found = valuesAt(object, column.jsonPath)
  const [first] = found
  if (first === undefined || first === null) return undefined
  switch (column.type) {
    case 'date':
      return typeof first === 'string' ? age(first, now) : undefined
    case 'integer':
      return typeof first === 'number' ? Math.trunc(first) : undefined
    case 'number':
      return typeof first === 'number' ? first : undefined
    case 'boolean':
      return typeof first === 'boolean' ? first : undefined
    default:
      return found.map(one => (typeof one === 'string' ? one : JSON.stringify(one))).join(',')
  }
}

type Step = { field: string } | { filter: { field: string; value: string } } | { index: number } | { all: true }

const paths = new Map<string, Step[]>()

/** The JSONPath of printer columns: fields, `[0]`, `[*]` and `[?(@.a=="b")]`. Anything else finds nothing. */
function parse(path: string): Step[] {
  const known = paths.get(path)
  if (known) return known
  const steps: Step[] = []
  const pattern = /\.([\w-]+|\\.)+|\['([^']+)'\]|\[\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\]|\[(-?\d+)\]|\[\*\]/gy
  for (let match = pattern.exec(path); match; match = pattern.exec(path)) {
    const [text, , quoted, field, value, index] = match
    if (field !== undefined) steps.push({ filter: { field, value: value ?? '' } })
    else if (index !== undefined) steps.push({ index: Number(index) })
    else if (text === '[*]') steps.push({ all: true })
    else steps.push({ field: quoted ?? text.slice(1).replaceAll('\\.', '.') })
  }
  if (paths.size < 10_000) paths.set(path, steps)
  return steps
}

function valuesAt(object: unknown, path: string): unknown[] {
  let found: unknown[] = [object]
  for (const step of parse(path)) {
    found = found.flatMap(one => follow(one, step)).filter(one => one !== undefined)
  }
  return found
}

function follow(value: unknown, step: Step): unknown[] {
  if ('field' in step) return [fieldOf(value, step.field)]
  if (!Array.isArray(value)) return []
  if ('index' in step) return [value.at(step.index)]
  if ('all' in step) return value
  const { field, value: wanted } = step.filter
  return value.filter(item => field.split('.').reduce(fieldOf, item as unknown) === wanted)
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}
