import { PythonError, typeError } from '../errors.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import { type ContextView, PyDict, type Value } from '../values.ts'

/** The AttributeError that Python raises for a value of the wrong type. Throws UndefinedError for an undefined one. */
export function noAttribute(value: Value, attribute: string): PythonError {
  refuseUndefined(value)
  return new PythonError('AttributeError', `'${typeName(value)}' object has no attribute '${attribute}'`)
}

const maxDepth = 200

function enter(context: ContextView, depth: number, size: number): void {
  if (depth > maxDepth) throw new PythonError('RecursionError', 'maximum recursion depth exceeded')
  context.step(size + 1)
}

function clone(context: ContextView, value: Value, depth: number): Value {
  if (Array.isArray(value)) {
    enter(context, depth, value.length)
    return value.map(item => clone(context, item, depth + 1))
  }
  if (!(value instanceof PyDict)) return value
  enter(context, depth, value.size)
  const copy = new PyDict()
  for (const [key, inner] of value.entries()) copy.set(key, clone(context, inner, depth + 1))
  return copy
}

function mergeInto(context: ContextView, target: PyDict, source: PyDict, depth: number): void {
  if (target === source) return
  enter(context, depth, source.size)
  for (const [key, value] of source.entries()) {
    const old = target.get(key)
    if (old instanceof PyDict && value instanceof PyDict) mergeInto(context, old, value, depth + 1)
    else target.set(key, value)
  }
}

function update(context: ContextView, target: PyDict, source: Value): void {
  if (source === null) return
  if (!(source instanceof PyDict)) throw typeError(`'${typeName(source)}' object is not a mapping`)
  mergeInto(context, target, source, 0)
}

/** `merge_dict(d1, d2)`: a deep copy of `d1` with `d2` merged into it. */
export function mergeDict(context: ContextView, base: Value, source: Value): Value {
  if (!(base instanceof PyDict)) throw noAttribute(base, 'items')
  const copy = clone(context, base, 0) as PyDict
  update(context, copy, source)
  return copy
}

/** `update_dict(d1, d2)`: merges `d2` into `d1` itself and prints nothing. */
export function updateDict(context: ContextView, target: Value, source: Value): Value {
  if (!(target instanceof PyDict)) throw noAttribute(target, 'items')
  update(context, target, source)
  return ''
}
