import { isLower, isUpper } from '../methods/case.ts'
import { bindArguments } from '../methods/method.ts'
import { binary, isInt } from '../python/arith.ts'
import { contains, equal, numeric, type OrderOperator, ordered, textOf } from '../python/compare.ts'
import { str } from '../python/display.ts'
import { isIterable } from '../python/iterate.ts'
import { PyRange } from '../python/range.ts'
import { refuseStrict } from '../python/undefined.ts'
import type { Context, TestFunction } from '../runtime/context.ts'
import { hashText, Markup, PyBytes, PyCallable, PyDict, PyFloat, PyTuple, Undefined, type Value } from '../values.ts'

function test(owner: string, body: (context: Context, value: Value) => boolean): TestFunction {
  return (context, value, args, kwargs) => {
    if (args.length > 0 || kwargs.size > 0) bindArguments(owner, ['value'], 1, [value, ...args], kwargs)
    return body(context, value)
  }
}

function test2(
  owner: string,
  name: string,
  body: (context: Context, value: Value, other: Value) => boolean,
): TestFunction {
  return (context, value, args, kwargs) => {
    const [only] = args
    if (only !== undefined && args.length === 1 && kwargs.size === 0) return body(context, value, only)
    const [, other = null] = bindArguments(owner, ['value', name], 2, [value, ...args], kwargs)
    return body(context, value, other)
  }
}

const order = (operator: OrderOperator, name: string): TestFunction =>
  test2(name, 'b', (context, a, b) => ordered(context, operator, a, b))

const equals = test2('eq', 'b', equal)
const differs = test2('ne', 'b', (context, a, b) => !equal(context, a, b))
const less = order('<', 'lt')
const lessOrEqual = order('<=', 'le')
const greater = order('>', 'gt')
const greaterOrEqual = order('>=', 'ge')

function remainder(context: Context, value: Value, divisor: Value): Value {
  return binary(context, '%', value, divisor)
}

function isParity(context: Context, value: Value, rest: 0 | 1): boolean {
  if (typeof value === 'number') return Math.abs(value % 2) === rest
  return equal(context, remainder(context, value, 2), rest)
}

/** `operator is`: the same object; numbers and strings are the same when they are equal and of one type. */
function isSame(a: Value, b: Value): boolean {
  if (a === b) return true
  return a instanceof PyFloat && b instanceof PyFloat && a === b
}

function isSequence(value: Value): boolean {
  if (value instanceof Undefined) return value.kind !== 'strict'
  if (Array.isArray(value) || textOf(value) !== undefined) return true
  return value instanceof PyTuple || value instanceof PyDict || value instanceof PyBytes || value instanceof PyRange
}

/** `value in table`, a dict: an unhashable value is an error, any other that is no str is simply not in it. */
function hasName(table: ReadonlyMap<string, unknown>, value: Value): boolean {
  refuseStrict(value)
  hashText(value)
  const name = textOf(value)
  return name !== undefined && table.has(name)
}

/** Jinja2's tests by name. */
export const builtinTests: ReadonlyMap<string, TestFunction> = new Map<string, TestFunction>([
  ['odd', test('test_odd', (context, value) => isParity(context, value, 1))],
  ['even', test('test_even', (context, value) => isParity(context, value, 0))],
  [
    'divisibleby',
    test2('test_divisibleby', 'num', (context, value, by) => equal(context, remainder(context, value, by), 0)),
  ],
  ['defined', test('test_defined', (_context, value) => !(value instanceof Undefined))],
  ['undefined', test('test_undefined', (_context, value) => value instanceof Undefined)],
  ['filter', test('test_filter', (context, value) => hasName(context.engine.filters, value))],
  ['test', test('test_test', (context, value) => hasName(context.engine.tests, value))],
  ['none', test('test_none', (_context, value) => value === null)],
  ['boolean', test('test_boolean', (_context, value) => typeof value === 'boolean')],
  ['false', test('test_false', (_context, value) => value === false)],
  ['true', test('test_true', (_context, value) => value === true)],
  ['integer', test('test_integer', (_context, value) => isInt(value) && typeof value !== 'boolean')],
  ['float', test('test_float', (_context, value) => value instanceof PyFloat)],
  ['lower', test('test_lower', (context, value) => isLower(str(context, value)))],
  ['upper', test('test_upper', (context, value) => isUpper(str(context, value)))],
  ['string', test('test_string', (_context, value) => textOf(value) !== undefined)],
  ['mapping', test('test_mapping', (_context, value) => value instanceof PyDict)],
  ['number', test('test_number', (_context, value) => numeric(value) !== undefined)],
  ['sequence', test('test_sequence', (_context, value) => isSequence(value))],
  ['iterable', test('test_iterable', (_context, value) => isIterable(value))],
  ['callable', test('callable', (_context, value) => value instanceof PyCallable || value instanceof Undefined)],
  ['sameas', test2('test_sameas', 'other', (_context, a, b) => isSame(a, b))],
  ['escaped', test('test_escaped', (_context, value) => value instanceof Markup)],
  ['in', test2('test_in', 'seq', (context, value, container) => contains(context, container, value))],
  ['==', equals],
  ['eq', equals],
  ['equalto', equals],
  ['!=', differs],
  ['ne', differs],
  ['>', greater],
  ['gt', greater],
  ['greaterthan', greater],
  ['ge', greaterOrEqual],
  ['>=', greaterOrEqual],
  ['<', less],
  ['lt', less],
  ['lessthan', less],
  ['<=', lessOrEqual],
  ['le', lessOrEqual],
])
