import { typeError } from './errors.ts'
import { Markup, PyBytes, PyDict, PyFloat, PyObject, PyTuple, Undefined, type Value } from './values.ts'

const maxDepth = 500

/** The smallest form of an int: a number when it is a safe integer, else the bigint. */
export function normalizeInt(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

/**
 * A template value from JSON-like host data: whole numbers become int, other numbers float, plain objects and Maps
 * dict, arrays are copied. Template values pass as they are. Throws TypeError (Python's) for functions, class
 * instances, cycles and nesting deeper than 500.
 */
export function fromHost(data: unknown, depth = 0): Value {
  switch (typeof data) {
    case 'string':
    case 'boolean':
      return data
    case 'number':
      return Number.isSafeInteger(data) && !Object.is(data, -0) ? data : new PyFloat(data)
    case 'bigint':
      return normalizeInt(data)
    case 'undefined':
      return null
    case 'object':
      return data === null ? null : fromObject(data, depth)
    default:
      throw typeError(`a ${typeof data} is no template value; wrap functions in HostFunction`)
  }
}

function fromObject(data: object, depth: number): Value {
  if (data instanceof PyObject) return data
  if (depth > maxDepth) throw typeError(`host data is cyclic or nested deeper than ${maxDepth}`)
  if (Array.isArray(data)) return data.map(item => fromHost(item, depth + 1))
  if (data instanceof Uint8Array) return new PyBytes(data.slice())
  const dict = new PyDict()
  if (data instanceof Map) {
    for (const [key, value] of data) dict.set(fromHost(key, depth + 1), fromHost(value, depth + 1))
    return dict
  }
  const prototype: unknown = Object.getPrototypeOf(data)
  if (prototype !== Object.prototype && prototype !== null) {
    throw typeError(`an instance of ${data.constructor?.name ?? 'a class'} is no template value; use HostObject`)
  }
  for (const [key, value] of Object.entries(data)) dict.set(key, fromHost(value, depth + 1))
  return dict
}

/**
 * JSON-like host data from a template value: int and float become number (bigint outside the safe range), list and
 * tuple array, dict a Map when a key is not a str and else a plain object without prototype. Undefined becomes
 * undefined. Throws TypeError (Python's) for what has no such form (functions, host objects, iterators).
 */
export function toHost(value: Value, depth = 0): unknown {
  if (depth > maxDepth) throw typeError(`value is cyclic or nested deeper than ${maxDepth}`)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => toHost(item, depth + 1))
  if (value instanceof PyFloat) return value.value
  if (value instanceof Markup) return value.text
  if (value instanceof PyTuple) return value.items.map(item => toHost(item, depth + 1))
  if (value instanceof PyBytes) return value.bytes.slice()
  if (value instanceof Undefined) return undefined
  if (value instanceof PyDict) return dictToHost(value, depth)
  throw typeError(`a ${value.typeName} has no host form`)
}

function dictToHost(dict: PyDict, depth: number): unknown {
  const pairs = [...dict.entries()].map(([key, value]) => [key, toHost(value, depth + 1)] as const)
  if (pairs.every(([key]) => typeof key === 'string')) {
    const plain: Record<string, unknown> = Object.create(null)
    for (const [key, value] of pairs) plain[key as string] = value
    return plain
  }
  return new Map(pairs.map(([key, value]) => [toHost(key, depth + 1), value]))
}
