import { PyRange } from '../python/range.ts'
import { Markup, PyBytes, PyDict, PyFloat, PyObject, PyTuple, type Value } from '../values.ts'
import { bytesMethods } from './bytes.ts'
import { dictMethods } from './dict.ts'
import { listMethods, rangeMethods, tupleMethods } from './list.ts'
import { markupMethods } from './markup.ts'
import type { Method, MethodTable } from './method.ts'
import { floatMethods, intMethods } from './number.ts'
import { stringMethods } from './string.ts'

const none: MethodTable = new Map()

/** The methods that templates may call on a value. */
export function methodsOf(value: Value): MethodTable {
  switch (typeof value) {
    case 'string':
      return stringMethods
    case 'number':
    case 'bigint':
    case 'boolean':
      return intMethods
    default:
      return value instanceof PyObject ? objectMethods(value) : value === null ? none : listMethods
  }
}

function objectMethods(value: PyObject): MethodTable {
  if (value instanceof PyDict) return dictMethods
  if (value instanceof Markup) return markupMethods
  if (value instanceof PyTuple) return tupleMethods
  if (value instanceof PyFloat) return floatMethods
  if (value instanceof PyBytes) return bytesMethods
  return value instanceof PyRange ? rangeMethods : none
}

/** The method of that name, or undefined. */
export function methodOf(value: Value, name: string): Method | undefined {
  return methodsOf(value).get(name)
}
