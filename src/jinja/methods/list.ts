import { PythonError, typeError, valueError } from '../errors.ts'
import { callValue as call } from '../python/call.ts'
import { same } from '../python/compare.ts'
import { repr } from '../python/display.ts'
import { toList } from '../python/iterate.ts'
import type { PyRange } from '../python/range.ts'
import { sorted } from '../python/sort.ts'
import { truth } from '../python/truth.ts'
import type { Context } from '../runtime/context.ts'
import { noKwargs, type PyTuple, type Value } from '../values.ts'
import { needInt, positional } from './define.ts'
import { bindArguments, type Method, type MethodTable } from './method.ts'

function indexOf(context: Context, items: readonly Value[], wanted: Value, from = 0, to = items.length): number {
  for (let at = from; at < to; at++) {
    context.step(1)
    if (same(context, items[at] ?? null, wanted)) return at
  }
  return -1
}

function bounds(value: Value | undefined, absent: number, length: number): number {
  if (value === undefined) return absent
  const at = needInt(value)
  return Math.max(0, Math.min(length, at < 0 ? at + length : at))
}

function grow(context: Context, list: Value[], by: number): void {
  context.step(by)
  if (list.length + by > 8192) context.allocate((list.length + by) * 8)
}

function countOf(context: Context, items: readonly Value[], wanted: Value): number {
  context.step(items.length)
  return items.filter(item => same(context, item, wanted)).length
}

function find(context: Context, self: Value[] | PyTuple, args: readonly (Value | undefined)[]): number {
  const items = Array.isArray(self) ? self : self.items
  const [wanted = null, start, end] = args
  const at = indexOf(context, items, wanted, bounds(start, 0, items.length), bounds(end, items.length, items.length))
  if (at < 0) {
    throw valueError(Array.isArray(self) ? `${repr(context, wanted)} is not in list` : 'tuple.index(x): x not in tuple')
  }
  return at
}

function pop(list: Value[], at: Value | undefined): Value {
  const index = at === undefined ? -1 : needInt(at)
  if (list.length === 0) throw new PythonError('IndexError', 'pop from empty list')
  const place = index < 0 ? index + list.length : index
  if (place < 0 || place >= list.length) throw new PythonError('IndexError', 'pop index out of range')
  return list.splice(place, 1)[0] ?? null
}

function insert(context: Context, list: Value[], at: Value | undefined, item: Value): null {
  grow(context, list, 1)
  context.step(list.length >> 6)
  list.splice(bounds(at, 0, list.length), 0, item)
  return null
}

const sort: Method = (context, self, args, kwargs) => {
  if (args.length > 0) throw typeError('sort() takes no positional arguments')
  const [key = null, reverse = false] = bindArguments('sort', ['key', 'reverse'], 0, args, kwargs)
  const list = self as Value[]
  const keyOf = key === null ? undefined : (item: Value) => call(context, key, [item], noKwargs)
  const result = sorted(context, list, keyOf, truth(reverse))
  for (const [index, item] of result.entries()) list[index] = item
  return null
}

/** The methods of list. */
export const listMethods: MethodTable = new Map<string, Method>([
  positional('append', 1, 1, (context, self: Value[], item = null) => {
    grow(context, self, 1)
    self.push(item)
    return null
  }),
  positional('extend', 1, 1, (context, self: Value[], items = null) => {
    const added = toList(context, items)
    grow(context, self, added.length)
    for (const item of added) self.push(item)
    return null
  }),
  positional('insert', 2, 2, (context, self: Value[], at, item = null) => insert(context, self, at, item)),
  positional('pop', 0, 1, (_context, self: Value[], at) => pop(self, at)),
  positional('remove', 1, 1, (context, self: Value[], item = null) => {
    const at = indexOf(context, self, item)
    if (at < 0) throw valueError('list.remove(x): x not in list')
    self.splice(at, 1)
    return null
  }),
  positional('clear', 0, 0, (_context, self: Value[]) => {
    self.length = 0
    return null
  }),
  positional('copy', 0, 0, (context, self: Value[]) => toList(context, self)),
  positional('reverse', 0, 0, (context, self: Value[]) => {
    context.step(self.length)
    self.reverse()
    return null
  }),
  positional('index', 1, 3, (context, self: Value[], ...args) => find(context, self, args)),
  positional('count', 1, 1, (context, self: Value[], item = null) => countOf(context, self, item)),
  ['sort', sort],
])

/** The methods of tuple. */
export const tupleMethods: MethodTable = new Map<string, Method>([
  positional('index', 1, 3, (context, self: PyTuple, ...args) => find(context, self, args)),
  positional('count', 1, 1, (context, self: PyTuple, item = null) => countOf(context, self.items, item)),
])

/** The methods of range. */
export const rangeMethods: MethodTable = new Map<string, Method>([
  positional('count', 1, 1, (_context, self: PyRange, item = null) => (positionIn(self, item) === undefined ? 0 : 1)),
  positional('index', 1, 1, (context, self: PyRange, item = null) => {
    const at = positionIn(self, item)
    if (at === undefined) throw valueError(`${repr(context, item)} is not in range`)
    return at
  }),
])

function positionIn(range: PyRange, item: Value): number | undefined {
  const at = typeof item === 'number' ? (item - range.start) / range.step : -1
  return Number.isInteger(at) && at >= 0 && at < range.length ? at : undefined
}
