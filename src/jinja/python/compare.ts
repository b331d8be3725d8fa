import { typeError } from '../errors.ts'
import type { Context } from '../runtime/context.ts'
import { Markup, PyBytes, PyDict, PyFloat, PyObject, PyTuple, Undefined, type Value } from '../values.ts'
import { counted, isIterable } from './iterate.ts'
import { typeName } from './types.ts'
import { failUse, refuseStrict, refuseUndefined } from './undefined.ts'

/** The number behind an int, float or bool; undefined for anything else. */
export function numeric(value: Value): number | bigint | undefined {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return value
    case 'boolean':
      return value ? 1 : 0
    default:
      return value instanceof PyFloat ? value.value : undefined
  }
}

/** The text of a str or Markup; undefined for anything else. */
export function textOf(value: Value): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Markup ? value.text : undefined
}

/** `a == b`. Throws UndefinedError for a strict undefined. */
export function equal(context: Context, a: Value, b: Value): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b
  if (typeof a === 'number' && typeof b === 'number') return a === b
  if (a instanceof Undefined || b instanceof Undefined) return equalUndefined(a, b)
  if (a === b) return !(a instanceof PyFloat && Number.isNaN(a.value))
  const left = numeric(a)
  if (left !== undefined) {
    const right = numeric(b)
    return right !== undefined && !(left < right) && !(left > right) && left >= right
  }
  const text = textOf(a)
  if (text !== undefined) return text === textOf(b)
  return equalContainers(context, a, b)
}

function equalUndefined(a: Value, b: Value): boolean {
  const known = a instanceof Undefined ? a : (b as Undefined)
  if (known.kind === 'strict') failUse(known)
  if (b instanceof Undefined && b.kind === 'strict') failUse(b)
  return a instanceof Undefined && b instanceof Undefined && a.kind === b.kind
}

function equalContainers(context: Context, a: Value, b: Value): boolean {
  context.step(1)
  if (Array.isArray(a)) return Array.isArray(b) && equalItems(context, a, b)
  if (a instanceof PyTuple) return b instanceof PyTuple && equalItems(context, a.items, b.items)
  if (a instanceof PyDict) return b instanceof PyDict && equalDicts(context, a, b)
  if (a instanceof PyBytes && b instanceof PyBytes) return Buffer.compare(a.bytes, b.bytes) === 0
  if (a instanceof PyObject) {
    const answer = a.equals(b)
    if (answer !== undefined) return answer
  }
  return b instanceof PyObject ? (b.equals(a) ?? false) : false
}

function equalItems(context: Context, a: readonly Value[], b: readonly Value[]): boolean {
  context.step(a.length)
  return a.length === b.length && a.every((item, index) => same(context, item, b[index] ?? null))
}

/** `a is b or a == b`, as containers compare their items. */
export function same(context: Context, a: Value, b: Value): boolean {
  return a === b || equal(context, a, b)
}

function equalDicts(context: Context, a: PyDict, b: PyDict): boolean {
  context.step(a.size)
  if (a.size !== b.size) return false
  for (const [key, value] of a.entries()) {
    const other = b.get(key)
    if (other === undefined || !same(context, value, other)) return false
  }
  return true
}

/** Operators that order two values. */
export type OrderOperator = '<' | '<=' | '>' | '>='

/** `a < b` and its kin. Throws TypeError for values that Python does not order. */
export function ordered(context: Context, operator: OrderOperator, a: Value, b: Value): boolean {
  refuseUndefined(a)
  refuseUndefined(b)
  const left = numeric(a)
  const right = numeric(b)
  if (left !== undefined && right !== undefined) return holds(operator, left, right)
  const leftText = textOf(a)
  const rightText = textOf(b)
  if (leftText !== undefined && rightText !== undefined) return holds(operator, compareText(leftText, rightText), 0)
  if (Array.isArray(a) && Array.isArray(b)) return orderedItems(context, operator, a, b)
  if (a instanceof PyTuple && b instanceof PyTuple) return orderedItems(context, operator, a.items, b.items)
  if (a instanceof PyBytes && b instanceof PyBytes) return holds(operator, Buffer.compare(a.bytes, b.bytes), 0)
  const order = a instanceof PyObject ? a.compareTo(b) : undefined
  if (order !== undefined) return holds(operator, order, 0)
  throw typeError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
}

function holds(operator: OrderOperator, a: number | bigint, b: number | bigint): boolean {
  if (operator === '<') return a < b
  if (operator === '<=') return a <= b
  return operator === '>' ? a > b : a >= b
}

const surrogate = /[\ud800-\udfff]/

/** Orders two strings by code point: negative, zero or positive. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  if (!surrogate.test(a) || !surrogate.test(b)) {
    if (!surrogate.test(a) && !surrogate.test(b)) return a < b ? -1 : 1
  }
  const left = a[Symbol.iterator]()
  const right = b[Symbol.iterator]()
  while (true) {
    const x = left.next()
    const y = right.next()
    if (x.done === true) return -1
    if (y.done === true) return 1
    if (x.value !== y.value) return (x.value.codePointAt(0) ?? 0) - (y.value.codePointAt(0) ?? 0)
  }
}

function orderedItems(context: Context, operator: OrderOperator, a: readonly Value[], b: readonly Value[]): boolean {
  const shared = Math.min(a.length, b.length)
  for (let index = 0; index < shared; index++) {
    context.step(1)
    const left = a[index] ?? null
    const right = b[index] ?? null
    if (!same(context, left, right)) return ordered(context, operator, left, right)
  }
  return holds(operator, a.length, b.length)
}

/** `item in container`. Throws TypeError when the container has no members. */
export function contains(context: Context, container: Value, item: Value): boolean {
  const text = textOf(container)
  if (text !== undefined) {
    if (item instanceof Undefined) refuseText(item)
    const part = textOf(item)
    if (part === undefined) throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`)
    context.step(1 + (text.length >> 6))
    return text.includes(part)
  }
  if (container instanceof PyDict) {
    refuseStrict(item)
    return container.has(item)
  }
  if (!isIterable(container)) throw typeError(`argument of type '${typeName(container)}' is not iterable`)
  if (Array.isArray(container)) {
    context.step(container.length)
    return container.some(member => same(context, item, member))
  }
  for (const member of counted(context, container)) if (same(context, item, member)) return true
  return false
}

function refuseText(item: Undefined): never {
  throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`)
}
