import { typeError, valueError } from '../errors.ts'
import { numeric, textOf } from '../python/compare.ts'
import { intText, str } from '../python/display.ts'
import { codePoints } from '../python/iterate.ts'
import { toFloat } from '../python/numbers.ts'
import { quote } from '../python/quote.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import type { Context } from '../runtime/context.ts'
import { PyFloat, PyObject, Undefined, type Value } from '../values.ts'
import { formatFloat } from './float.ts'
import { type FormatSpec, group, pad, parseSpec } from './spec.ts'

/** `format(value, spec)`. Throws ValueError and TypeError as Python does. */
export function formatValue(context: Context, value: Value, specText: string): string {
  if (specText === '') return str(context, value)
  const isObject = Array.isArray(value) || value === null || value instanceof PyObject
  if (isObject && !(value instanceof PyFloat) && textOf(value) === undefined) {
    if (value instanceof Undefined) refuseUndefined(value)
    throw typeError(`unsupported format string passed to ${typeName(value)}.__format__`)
  }
  const spec = parseSpec(specText)
  context.allocate(spec.width + (spec.precision ?? 0))
  const text = textOf(value)
  if (text !== undefined) return formatText(text, spec)
  const number = numeric(value) ?? 0
  return value instanceof PyFloat || 'eEfFgG%'.includes(spec.type || '-')
    ? formatNumber(formatFloat(toFloat(number), floatType(spec, value), spec.precision, spec.alternate), spec, 3, '')
    : formatInt(number, spec)
}

function floatType(spec: FormatSpec, value: Value): string {
  if (spec.type === '' || 'eEfFgGn%'.includes(spec.type)) return spec.type
  throw valueError(`Unknown format code '${spec.type}' for object of type '${typeName(value)}'`)
}

function formatText(text: string, spec: FormatSpec): string {
  if (spec.type !== '' && spec.type !== 's') {
    throw valueError(`Unknown format code ${quote(spec.type)} for object of type 'str'`)
  }
  if (spec.sign !== '-') throw valueError('Sign not allowed in string format specifier')
  if (spec.align === '=' && spec.fill !== '0') {
    throw valueError("'=' alignment not allowed in string format specifier")
  }
  if (spec.alternate) throw valueError('Alternate form (#) not allowed in string format specifier')
  if (spec.grouping !== '') throw valueError(`Cannot specify '${spec.grouping}' with 's'.`)
  const cut = spec.precision === undefined ? text : Array.from(text).slice(0, spec.precision).join('')
  const padded = spec.align === '=' ? { ...spec, align: '<' as const } : spec
  return pad(cut, codePoints(cut), padded, '<')
}

const radixes: Record<string, readonly [radix: number, prefix: string]> = {
  b: [2, '0b'],
  o: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
}

function formatInt(number: number | bigint, spec: FormatSpec): string {
  if (spec.precision !== undefined) throw valueError('Precision not allowed in integer format specifier')
  if (spec.type === 'c') return pad(String.fromCodePoint(Number(number)), 1, spec, '<')
  const radix = radixes[spec.type]
  if (radix === undefined) {
    if (spec.type !== '' && spec.type !== 'd' && spec.type !== 'n') {
      throw valueError(`Unknown format code '${spec.type}' for object of type 'int'`)
    }
    return formatNumber(intText(number), spec, 3, '')
  }
  if (spec.grouping === ',') throw valueError(`Cannot specify ',' with '${spec.type}'.`)
  const digits = number.toString(radix[0])
  return formatNumber(spec.type === 'X' ? digits.toUpperCase() : digits, spec, 4, spec.alternate ? radix[1] : '')
}

/** Adds sign, prefix, grouping and padding to a number's text. */
function formatNumber(text: string, spec: FormatSpec, groupSize: number, prefix: string): string {
  const negative = text.startsWith('-')
  const body = negative ? text.slice(1) : text
  const sign = negative ? '-' : spec.sign === '-' ? '' : spec.sign
  const whole =
    /^[0-9a-fA-F]*/.exec(prefix === '' && groupSize === 3 ? (/^\d*/.exec(body)?.[0] ?? '') : body)?.[0] ?? ''
  const rest = body.slice(whole.length)
  let digits = spec.grouping === '' ? whole : group(whole, spec.grouping, groupSize)
  const start = sign + prefix
  const missing = spec.width - start.length - digits.length - rest.length
  if (spec.align === '=' && missing > 0) {
    if (spec.grouping !== '' && spec.fill === '0') {
      digits = zeroGrouped(whole, spec.width - start.length - rest.length, spec.grouping, groupSize)
    } else digits = spec.fill.repeat(missing) + digits
  }
  const full = start + digits + rest
  return pad(full, codePoints(full), spec, '>')
}

function zeroGrouped(whole: string, width: number, separator: string, size: number): string {
  let digits = whole
  let grouped = group(digits, separator, size)
  while (grouped.length < width) {
    digits = `0${digits}`
    grouped = group(digits, separator, size)
  }
  return grouped
}
