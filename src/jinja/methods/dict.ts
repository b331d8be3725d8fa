import { PythonError, typeError, valueError } from '../errors.ts'
import { repr } from '../python/display.ts'
import { counted, toList } from '../python/iterate.ts'
import { refuseUndefined } from '../python/undefined.ts'
import { DictView } from '../python/views.ts'
import type { Context } from '../runtime/context.ts'
import { type Kwargs, PyDict, PyTuple, type Value } from '../values.ts'
import { positional } from './define.ts'
import type { Method, MethodTable } from './method.ts'

function grow(context: Context, dict: PyDict, by: number): void {
  context.step(by)
  if (dict.size + by > 4096) context.allocate((dict.size + by) * 16)
}

/** Adds what `dict(source, **kwargs)` takes to a dict. Throws TypeError and ValueError as Python does. */
export function updateDict(context: Context, dict: PyDict, source: Value | undefined, kwargs: Kwargs): void {
  if (source instanceof PyDict) {
    grow(context, dict, source.size)
    for (const [key, value] of source.copy().entries()) dict.set(key, value)
  } else if (source !== undefined) updateFromPairs(context, dict, source)
  for (const [key, value] of kwargs) {
    grow(context, dict, 1)
    dict.set(key, value)
  }
}

function updateFromPairs(context: Context, dict: PyDict, source: Value): void {
  let index = 0
  for (const item of counted(context, source)) {
    if (typeof item === 'number' || item === null || typeof item === 'boolean') {
      throw typeError(`cannot convert dictionary update sequence element #${index} to a sequence`)
    }
    refuseUndefined(item)
    const pair = toList(context, item)
    const [key = null, value = null] = pair
    if (pair.length !== 2) {
      throw valueError(`dictionary update sequence element #${index} has length ${pair.length}; 2 is required`)
    }
    grow(context, dict, 1)
    dict.set(key, value)
    index++
  }
}

function pop(context: Context, dict: PyDict, key: Value, fallback: Value | undefined): Value {
  const known = dict.get(key)
  const value = known === undefined ? fallback : known
  if (value === undefined) throw new PythonError('KeyError', repr(context, key))
  dict.delete(key)
  return value
}

function popItem(dict: PyDict): Value {
  const last = [...dict.entries()].at(-1)
  if (last === undefined) throw new PythonError('KeyError', "'popitem(): dictionary is empty'")
  dict.delete(last[0])
  return new PyTuple(last)
}

/** `value` may be None, which `??` would take for an absent one. */
function orElse(value: Value | undefined, fallback: Value): Value {
  return value === undefined ? fallback : value
}

/** The methods of dict. */
export const dictMethods: MethodTable = new Map<string, Method>([
  positional('items', 0, 0, (context, self: PyDict) => new DictView(self, 'items', context)),
  positional('keys', 0, 0, (context, self: PyDict) => new DictView(self, 'keys', context)),
  positional('values', 0, 0, (context, self: PyDict) => new DictView(self, 'values', context)),
  positional('get', 1, 2, (_context, self: PyDict, key = null, fallback = null) => orElse(self.get(key), fallback)),
  positional('setdefault', 1, 2, (context, self: PyDict, key = null, fallback = null) => {
    const known = self.get(key)
    if (known !== undefined) return known
    grow(context, self, 1)
    self.set(key, fallback)
    return fallback
  }),
  positional('pop', 1, 2, (context, self: PyDict, key = null, fallback) => pop(context, self, key, fallback)),
  positional('popitem', 0, 0, (context, self: PyDict) => {
    context.step(self.size)
    return popItem(self)
  }),
  positional('clear', 0, 0, (_context, self: PyDict) => {
    self.clear()
    return null
  }),
  positional('copy', 0, 0, (context, self: PyDict) => {
    context.allocate(self.size * 16)
    return self.copy()
  }),
  [
    'update',
    (context, self, args, kwargs) => {
      if (args.length > 1) throw typeError(`update expected at most 1 argument, got ${args.length}`)
      updateDict(context, self as PyDict, args[0], kwargs)
      return null
    },
  ],
  positional('fromkeys', 1, 2, (context, _self: PyDict, keys = null, value = null) => {
    const dict = new PyDict()
    for (const key of counted(context, keys)) {
      grow(context, dict, 1)
      dict.set(key, value)
    }
    return dict
  }),
])
