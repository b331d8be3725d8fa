import { z } from 'zod'
import { emptyObject, isObject, type Json, type JsonObject } from '../../values.ts'
import { formatFloat32 } from '../../yaml.ts'

/**
 * Schemas that accept what Go's JSON decoding accepts after YAML was read: strings are made of numbers and booleans,
 * null is the same as absent, field names may be in any case; unknown fields are refused.
 */

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  return typeof value === 'bigint' ? 'a number' : `a ${typeof value}`
}

const expected = (what: string) => ({
  error: ({ input }: { input?: unknown }) =>
    input === undefined ? `must be set: expected ${what}` : `expected ${what}, got ${kindOf(input)}`,
})

/** A string; `0755` became a number by YAML's rules and is the string `493` here. */
export const goString = z.preprocess(
  value => {
    if (typeof value === 'number') return Number.isInteger(value) ? String(value) : formatFloat32(value)
    if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
    return value === null ? '' : value
  },
  z.string(expected('a string')),
)

/** A string and nothing else: fields of embedded structs, where kluctl makes no strings of numbers. */
export const strictString = z.preprocess(value => (value === null ? '' : value), z.string(expected('a string')))

/** A string that must not be empty. */
export const requiredString = goString.pipe(z.string().min(1, { error: 'must be set' }))

export const goBool = z.boolean(expected('true or false'))

/** A list of strings. */
export const strings = z.array(goString, expected('a list'))

/** A string, or a list of strings. */
export const stringOrList = z.preprocess(value => (Array.isArray(value) ? value : [value]), z.array(goString))

/** A map of strings to strings. */
export const stringMap = z.record(z.string(), goString, expected('a map'))

/** Any map. */
export const anyMap = z.custom<JsonObject>(value => isObject(value as Json), {
  error: ({ input }: { input?: unknown }) => `expected a map, got ${kindOf(input)}`,
})

/** Any value. */
export const anyValue = z.custom<Json>(value => value !== undefined)

/** A map with known fields. */
export function struct<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = new Map(Object.keys(shape).map(name => [name.toLowerCase(), name]))
  const rename = (value: unknown): unknown => {
    if (value === null) return emptyObject()
    if (!isObject(value as Json)) return value
    const renamed = emptyObject()
    for (const [key, inner] of Object.entries(value as JsonObject)) {
      if (inner !== null || !names.has(key.toLowerCase())) renamed[names.get(key.toLowerCase()) ?? key] = inner
    }
    return renamed
  }
  const known = Object.keys(shape).join(', ')
  const error = (issue: { code?: string; input?: unknown }) =>
    issue.code === 'unrecognized_keys' ? `expected one of ${known}` : `expected a map, got ${kindOf(issue.input)}`
  return z.preprocess(rename, z.strictObject(shape, { error: error as never }))
}

/** A list. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.array(item, expected('a list'))
}
