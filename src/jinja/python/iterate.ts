import { typeError } from '../errors.ts'
import type { Context } from '../runtime/context.ts'
import { Markup, PyDict, PyObject, PyTuple, Undefined, type Value } from '../values.ts'
import { typeName } from './types.ts'
import { failUse } from './undefined.ts'

/** Values that arrive one after the other and only once: what lazy filters, `reversed` and `iter` give. */
export class PyIterator extends PyObject {
  private readonly source: Iterator<Value, unknown>
  private readonly className: string

  constructor(source: Iterator<Value, unknown>, className = 'generator') {
    super()
    this.source = source
    this.className = className
  }

  get typeName(): string {
    return this.className
  }

  override iterate(): Iterator<Value, unknown> {
    return this.source
  }
}

const noValues: readonly Value[] = []

/** The values a loop over `value` sees. Throws TypeError when it cannot be looped over. */
export function iterate(value: Value): Iterable<Value> {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return value
  if (value instanceof PyTuple) return value.items
  if (value instanceof Markup) return value.text
  if (value instanceof Undefined) return value.kind === 'strict' ? failUse(value) : noValues
  if (value instanceof PyObject) {
    const iterator = value.iterate()
    if (iterator !== undefined) return fromIterator(iterator)
  }
  throw typeError(`'${typeName(value)}' object is not iterable`)
}

/** An iterator as something to loop over; leaving the loop early does not close it. */
export function fromIterator(iterator: Iterator<Value, unknown>): Iterable<Value> {
  return { [Symbol.iterator]: () => ({ next: () => iterator.next() as IteratorResult<Value> }) }
}

/** Whether `iter(x)` works. */
export function isIterable(value: Value): boolean {
  if (Array.isArray(value) || typeof value === 'string' || value instanceof Markup) return true
  if (value instanceof Undefined) return value.kind === 'strict' ? failUse(value) : true
  if (value instanceof PyDict) return true
  return value instanceof PyObject && value.iterate() !== undefined
}

/** `list(x)`: always a new array, counted against the budget. */
export function toList(context: Context, value: Value): Value[] {
  const known = lengthOf(value)
  if (known !== undefined) context.allocate(known * 8)
  if (Array.isArray(value)) {
    context.step(value.length)
    return value.slice()
  }
  const list: Value[] = []
  for (const item of counted(context, value)) {
    list.push(item)
    if ((list.length & 1023) === 0) context.allocate(list.length * 8 > 65536 ? list.length * 8 : 8192)
  }
  return list
}

/** The values of `value`, each counted as a step. */
export function* counted(context: Context, value: Value): Generator<Value, undefined> {
  for (const item of iterate(value)) {
    context.state.step(1)
    yield item
  }
}

/** `len(x)`, or undefined when it has none. */
export function lengthOf(value: Value): number | undefined {
  if (Array.isArray(value)) return value.length
  if (typeof value === 'string') return codePoints(value)
  if (value instanceof Markup) return codePoints(value.text)
  if (value instanceof Undefined) return value.kind === 'strict' ? failUse(value) : 0
  return value instanceof PyObject ? value.count() : undefined
}

const surrogate = /[\ud800-\udfff]/

/** Whether every UTF-16 unit is a character of its own, so that JavaScript's positions are Python's. */
export function isPlain(text: string): boolean {
  return !surrogate.test(text)
}

/** The number of code points, which is Python's `len(str)`. */
export function codePoints(text: string): number {
  if (isPlain(text)) return text.length
  let count = 0
  for (const _ of text) count++
  return count
}

/** `len(x)`. Throws TypeError when it has none. */
export function length(value: Value): number {
  const known = lengthOf(value)
  if (known === undefined) throw typeError(`object of type '${typeName(value)}' has no len()`)
  return known
}
