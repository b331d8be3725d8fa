import { Markup, PyBytes, PyFloat, type PyObject, Undefined, type Value } from '../values.ts'
import { failUse } from './undefined.ts'

/** `bool(x)`. Throws UndefinedError for a strict undefined. */
export function truth(value: Value): boolean {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      return value !== ''
    case 'number':
      return value !== 0
    case 'bigint':
      return true
    default:
      if (value === null) return false
      if (Array.isArray(value)) return value.length > 0
      return objectTruth(value)
  }
}

function objectTruth(value: PyObject): boolean {
  if (value instanceof Undefined) return value.kind === 'strict' ? failUse(value) : false
  if (value instanceof PyFloat) return value.value !== 0
  if (value instanceof Markup) return value.text !== ''
  if (value instanceof PyBytes) return value.bytes.length > 0
  return value.count() !== 0
}
