import { PyDict, PyFloat, type Value } from '../../jinja/values.ts'
import { compareBytes, type Json } from '../values.ts'

/**
 * A variable as templates see it. kluctl hands variables to Jinja2 as JSON written by Go: keys sorted, every number a
 * double, and whole ones below 1e21 without a point, so that Python reads them as int.
 */
export function toTemplate(value: Json): Value {
  if (Array.isArray(value)) return value.map(item => toTemplate(item))
  if (typeof value === 'number' || typeof value === 'bigint') return fromDouble(Number(value))
  if (typeof value !== 'object' || value === null) return value
  const dict = new PyDict()
  for (const key of Object.keys(value).sort(compareBytes)) dict.set(key, toTemplate(value[key] as Json))
  return dict
}

function fromDouble(value: number): Value {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value
  // The digits that JSON would show, not the exact value of the double.
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(String(value)) : new PyFloat(value)
}
