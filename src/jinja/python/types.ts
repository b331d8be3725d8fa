import { PyObject, type Value } from '../values.ts'

/** `type(x).__name__` in Python. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  switch (typeof value) {
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    case 'number':
    case 'bigint':
      return 'int'
    default:
      return value instanceof PyObject ? value.typeName : 'list'
  }
}
