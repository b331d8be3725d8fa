import { FilterArgumentError, PythonError, typeError } from '../errors.ts'
import { fixed } from '../format/float.ts'
import { normalizeInt } from '../host.ts'
import { needInt } from '../methods/define.ts'
import { isInt, unary } from '../python/arith.ts'
import { numeric, textOf } from '../python/compare.ts'
import { floatToBigInt } from '../python/float.ts'
import { toFloat } from '../python/numbers.ts'
import { parseFloatText, parseIntText } from '../python/parse-number.ts'
import { truth } from '../python/truth.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import type { Context, FilterFunction } from '../runtime/context.ts'
import { PyFloat, type Value } from '../values.ts'
import { filter } from './define.ts'

function toInt(value: Value, fallback: Value, base: number): Value {
  refuseUndefined(value)
  const text = textOf(value)
  if (text !== undefined) {
    const whole = parseIntText(text, base)
    if (whole !== undefined) return normalizeInt(whole)
    const float = parseFloatText(text)
    return float === undefined || !Number.isFinite(float) ? fallback : normalizeInt(floatToBigInt(float))
  }
  const number = numeric(value)
  if (number === undefined) return fallback
  if (!(value instanceof PyFloat)) return number
  if (Number.isNaN(value.value)) return fallback
  if (!Number.isFinite(value.value)) throw new PythonError('OverflowError', 'cannot convert float infinity to integer')
  return normalizeInt(floatToBigInt(value.value))
}

/** `float(x)`, or undefined when it cannot be one. */
export function asFloat(value: Value): number | undefined {
  const text = textOf(value)
  if (text !== undefined) return parseFloatText(text)
  const number = numeric(value)
  return number === undefined ? undefined : toFloat(number)
}

function round(context: Context, value: Value, precision: number, method: Value): Value {
  if (method !== 'common' && method !== 'ceil' && method !== 'floor') {
    throw new FilterArgumentError('method must be common, ceil or floor')
  }
  const number = numeric(value)
  if (number === undefined) {
    if (method !== 'common') refuseUndefined(value)
    throw typeError(`type ${typeName(value)} doesn't define __round__ method`)
  }
  if (method === 'common')
    return value instanceof PyFloat ? roundFloat(value.value, precision) : roundInt(number, precision)
  context.step(1)
  const scale = 10 ** precision
  const scaled = toFloat(number) * scale
  return new PyFloat((method === 'ceil' ? Math.ceil(scaled) : Math.floor(scaled)) / scale)
}

function roundFloat(value: number, precision: number): Value {
  if (!Number.isFinite(value) || precision > 330) return new PyFloat(value)
  if (precision >= 0) return new PyFloat(Number(fixed(value, precision)))
  const scale = 10 ** -precision
  if (!Number.isFinite(scale)) return new PyFloat(value < 0 ? -0 : 0)
  return new PyFloat(halfEven(value / scale) * scale)
}

function halfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

function roundInt(value: number | bigint, precision: number): Value {
  if (precision >= 0) return value
  const scale = 10n ** BigInt(Math.min(-precision, 5000))
  const big = BigInt(value)
  let quotient = big / scale
  let rest = big % scale
  if (rest < 0n) {
    rest += scale
    quotient--
  }
  if (rest * 2n > scale || (rest * 2n === scale && quotient % 2n !== 0n)) quotient++
  return normalizeInt(quotient * scale)
}

const decimalUnits = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
const binaryUnits = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']

function fileSize(value: Value, binary: boolean): string {
  refuseUndefined(value)
  const bytes = asFloat(value)
  if (bytes === undefined) {
    const text = textOf(value)
    if (text !== undefined) throw new PythonError('ValueError', `could not convert string to float: '${text}'`)
    throw typeError(`float() argument must be a string or a real number, not '${typeName(value)}'`)
  }
  const base = binary ? 1024 : 1000
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`
  const units = binary ? binaryUnits : decimalUnits
  let shown = ''
  for (const [index, unit] of units.entries()) {
    const limit = base ** (index + 2)
    shown = `${fixed((base * bytes) / limit, 1)} ${unit}`
    if (bytes < limit) break
  }
  return shown
}

function absolute(context: Context, value: Value): Value {
  if (value instanceof PyFloat) return new PyFloat(Math.abs(value.value))
  const number = isInt(value) ? (numeric(value) ?? 0) : undefined
  if (number === undefined) throw typeError(`bad operand type for abs(): '${typeName(value)}'`)
  return number < 0 ? unary(context, '-', number) : number
}

/** Filters on numbers. */
export const numberFilters: readonly [string, FilterFunction][] = [
  ['abs', filter('abs', [], 0, absolute)],
  [
    'int',
    filter('do_int', ['default', 'base'], 0, (_context, value, fallback = 0, base = 10) =>
      toInt(value, fallback, needInt(base)),
    ),
  ],
  [
    'float',
    filter('do_float', ['default'], 0, (_context, value, fallback = new PyFloat(0)) => {
      refuseUndefined(value)
      const number = asFloat(value)
      return number === undefined ? fallback : new PyFloat(number)
    }),
  ],
  [
    'round',
    filter('do_round', ['precision', 'method'], 0, (context, value, precision = 0, method = 'common') =>
      round(context, value, needInt(precision), method),
    ),
  ],
  [
    'filesizeformat',
    filter('do_filesizeformat', ['binary'], 0, (_context, value, binary = false) => fileSize(value, truth(binary))),
  ],
]
