import { PythonError, typeError } from '../errors.ts'
import { formatPercent } from '../format/percent.ts'
import type { BinaryOperator } from '../parser/ast.ts'
import type { Context } from '../runtime/context.ts'
import { Markup, PyBytes, PyFloat, PyObject, PyTuple, Undefined, type Value } from '../values.ts'
import { numeric, textOf } from './compare.ts'
import { escapeValue } from './escape.ts'
import {
  addInts,
  divideFloats,
  divideInts,
  floorDivideFloats,
  floorDivideInts,
  moduloFloats,
  moduloInts,
  multiplyInts,
  powerFloats,
  powerInts,
  subtractInts,
  toFloat,
} from './numbers.ts'
import { typeName } from './types.ts'
import { failUse, refuseUndefined } from './undefined.ts'

type Ints = (context: Context, a: number | bigint, b: number | bigint) => Value
type Floats = (a: number, b: number) => Value

const intOperations: Record<BinaryOperator, Ints> = {
  '+': addInts,
  '-': subtractInts,
  '*': multiplyInts,
  '/': (_, a, b) => divideInts(a, b),
  '//': floorDivideInts,
  '%': moduloInts,
  '**': powerInts,
}

const floatOperations: Record<BinaryOperator, Floats> = {
  '+': (a, b) => new PyFloat(a + b),
  '-': (a, b) => new PyFloat(a - b),
  '*': (a, b) => new PyFloat(a * b),
  '/': divideFloats,
  '//': floorDivideFloats,
  '%': moduloFloats,
  '**': powerFloats,
}

/** `a <operator> b`. Throws Python's errors for operands that do not go together. */
export function binary(context: Context, operator: BinaryOperator, a: Value, b: Value): Value {
  if (operator === '%' && textOf(a) !== undefined) return percent(context, a, b)
  const left = numeric(a)
  const right = left === undefined ? undefined : numeric(b)
  if (left !== undefined && right !== undefined) {
    if (a instanceof PyFloat || b instanceof PyFloat) return floatOperations[operator](toFloat(left), toFloat(right))
    return intOperations[operator](context, left, right)
  }
  if (a instanceof Undefined) failUse(a)
  const sequence =
    operator === '+' ? concatenated(context, a, b) : operator === '*' ? repeated(context, a, b) : undefined
  if (sequence !== undefined) return sequence
  refuseUndefined(b)
  const own = a instanceof PyObject ? a.operate(operator, b, false) : undefined
  const result = own ?? (b instanceof PyObject ? b.operate(operator, a, true) : undefined)
  if (result !== undefined) return result
  if (operator === '+') failAdd(a, b)
  const shown = operator === '**' ? '** or pow()' : operator
  throw typeError(`unsupported operand type(s) for ${shown}: '${typeName(a)}' and '${typeName(b)}'`)
}

function failAdd(a: Value, b: Value): never {
  const kind = typeName(a)
  if (typeof a === 'string' || Array.isArray(a) || (a instanceof PyTuple && a.fields === undefined)) {
    throw typeError(`can only concatenate ${kind} (not "${typeName(b)}") to ${kind}`)
  }
  throw typeError(`unsupported operand type(s) for +: '${kind}' and '${typeName(b)}'`)
}

function percent(context: Context, a: Value, b: Value): Value {
  const text = textOf(a) ?? ''
  if (a instanceof Markup) return new Markup(formatPercent(context, text, b, true))
  return formatPercent(context, text, b, false)
}

function concatenated(context: Context, a: Value, b: Value): Value | undefined {
  if (typeof a === 'string' && typeof b === 'string') {
    context.allocate(a.length + b.length)
    return a + b
  }
  const left = textOf(a)
  const right = textOf(b)
  if (left !== undefined && right !== undefined) {
    const joined = escapeValue(context, a) + escapeValue(context, b)
    context.allocate(joined.length)
    return new Markup(joined)
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    context.allocate((a.length + b.length) * 8)
    return [...a, ...b]
  }
  if (a instanceof PyTuple && b instanceof PyTuple) {
    context.allocate((a.items.length + b.items.length) * 8)
    return new PyTuple([...a.items, ...b.items])
  }
  if (a instanceof PyBytes && b instanceof PyBytes) {
    context.allocate(a.bytes.length + b.bytes.length)
    return new PyBytes(Buffer.concat([a.bytes, b.bytes]))
  }
  return undefined
}

function repeated(context: Context, a: Value, b: Value): Value | undefined {
  return repeat(context, a, b) ?? repeat(context, b, a)
}

function repeat(context: Context, sequence: Value, times: Value): Value | undefined {
  const text = textOf(sequence)
  const items = Array.isArray(sequence) ? sequence : sequence instanceof PyTuple ? sequence.items : undefined
  const bytes = sequence instanceof PyBytes ? sequence.bytes : undefined
  if (text === undefined && items === undefined && bytes === undefined) return undefined
  if (times instanceof PyFloat || numeric(times) === undefined) {
    // Markup asks str's own method, which leaves the other operand no say.
    if (!(sequence instanceof Markup)) refuseUndefined(times)
    throw typeError(`can't multiply sequence by non-int of type '${typeName(times)}'`)
  }
  const count = Math.max(0, Number(numeric(times)))
  if (count >= 2 ** 63) throw new PythonError('OverflowError', "cannot fit 'int' into an index-sized integer")
  if (text !== undefined) {
    context.allocate(text.length * count)
    const result = text === '' ? '' : text.repeat(count)
    return sequence instanceof Markup ? new Markup(result) : result
  }
  if (bytes !== undefined) {
    context.allocate(bytes.length * count)
    return new PyBytes(Buffer.concat(Array.from({ length: bytes.length === 0 ? 0 : count }, () => bytes)))
  }
  const source = items ?? []
  context.allocate(source.length * count * 8)
  const result: Value[] = []
  for (let turn = 0; turn < count && source.length > 0; turn++) for (const item of source) result.push(item)
  return Array.isArray(sequence) ? result : new PyTuple(result)
}

/** `-x` or `+x`. */
export function unary(context: Context, operator: '-' | '+', value: Value): Value {
  refuseUndefined(value)
  if (value instanceof PyFloat) return operator === '-' ? new PyFloat(-value.value) : value
  const number = numeric(value)
  if (number === undefined) throw typeError(`bad operand type for unary ${operator}: '${typeName(value)}'`)
  return operator === '-' ? subtractInts(context, 0, number) : number
}

/** Whether an int stands here: int or bool. */
export function isInt(value: Value): value is number | bigint | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
}
