import { PythonError, typeError, valueError } from '../errors.ts'
import { numeric, textOf } from '../python/compare.ts'
import { intText, repr, str } from '../python/display.ts'
import { escapeText, escapeValue } from '../python/escape.ts'
import { floatToBigInt } from '../python/float.ts'
import { codePoints } from '../python/iterate.ts'
import { toFloat } from '../python/numbers.ts'
import { asciiOnly, quote } from '../python/quote.ts'
import { PyRange } from '../python/range.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import type { Context } from '../runtime/context.ts'
import { PyBytes, PyDict, PyFloat, PyTuple, Undefined, type Value } from '../values.ts'
import { formatFloat } from './float.ts'

const directive = /%(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?([\s\S])?/gu

interface Directive {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
  readonly type: string
}

/** `text % args`; as markup every argument is escaped. Throws TypeError and ValueError as Python does. */
export function formatPercent(context: Context, text: string, args: Value, markup: boolean): string {
  const source = new Arguments(args)
  let result = ''
  let last = 0
  for (const match of text.matchAll(directive)) {
    const [whole, key, flags = '', widthText, precisionText, type] = match
    result += text.slice(last, match.index)
    last = match.index + whole.length
    if (type === undefined) throw valueError('incomplete format')
    if (type === '%') {
      result += '%'
      continue
    }
    const width = widthText === '*' ? source.int() : Number(widthText ?? 0)
    const precision =
      precisionText === '*' ? source.int() : precisionText === undefined ? undefined : Number(precisionText)
    context.allocate(Math.abs(width) + (precision ?? 0) + result.length)
    const value = key === undefined ? source.next() : source.named(key)
    const spec = { flags: width < 0 ? `${flags}-` : flags, width: Math.abs(width), precision, type }
    result += formatOne(context, spec, value, markup, match.index + whole.length - 1)
  }
  source.finish()
  return result + text.slice(last)
}

/** The arguments right of `%`: a tuple's items one by one, a dict by key, anything else once. */
class Arguments {
  private readonly args: Value
  private at = 0
  private usedNames = false

  constructor(args: Value) {
    this.args = args
  }

  next(): Value {
    const { args } = this
    const value = args instanceof PyTuple ? args.items[this.at] : this.at === 0 ? args : undefined
    if (value === undefined || this.usedNames) throw typeError('not enough arguments for format string')
    this.at++
    return value
  }

  int(): number {
    const value = this.next()
    if (typeof value !== 'number') throw typeError('* wants int')
    return value
  }

  named(key: string): Value {
    if (!(this.args instanceof PyDict)) {
      refuseUndefined(this.args)
      throw typeError('format requires a mapping')
    }
    this.usedNames = true
    const value = this.args.get(key)
    if (value === undefined) throw new PythonError('KeyError', quote(key))
    return value
  }

  finish(): void {
    const { args } = this
    const left = args instanceof PyTuple ? this.at < args.items.length : this.at === 0 && !isMapping(args)
    if (left && !this.usedNames) throw typeError('not all arguments converted during string formatting')
  }
}

function isMapping(value: Value): boolean {
  return (
    value instanceof PyDict ||
    Array.isArray(value) ||
    value instanceof PyBytes ||
    value instanceof PyRange ||
    value instanceof Undefined
  )
}

function formatOne(context: Context, spec: Directive, value: Value, markup: boolean, at: number): string {
  const { type } = spec
  if (type === 's' || type === 'r' || type === 'a') return formatTextual(context, spec, value, markup)
  if ('diu'.includes(type)) return padNumber(integer(value, spec, type), spec)
  if ('xXo'.includes(type)) return padNumber(radix(value, spec), spec)
  if ('eEfFgG'.includes(type)) return padNumber(floating(value, spec), spec)
  if (type === 'c') return padText(char(value), spec)
  throw valueError(
    `unsupported format character '${type}' (0x${(type.codePointAt(0) ?? 0).toString(16)}) at index ${at}`,
  )
}

function formatTextual(context: Context, spec: Directive, value: Value, markup: boolean): string {
  let text: string
  if (spec.type === 's') text = markup ? escapeValue(context, value) : str(context, value)
  else {
    text = repr(context, value)
    if (spec.type === 'a') text = asciiOnly(text)
    if (markup) text = escapeText(text)
  }
  if (spec.precision !== undefined) text = Array.from(text).slice(0, spec.precision).join('')
  return padText(text, spec)
}

function padText(text: string, spec: Directive): string {
  const missing = spec.width - codePoints(text)
  if (missing <= 0) return text
  return spec.flags.includes('-') ? text + ' '.repeat(missing) : ' '.repeat(missing) + text
}

function padNumber(text: string, spec: Directive): string {
  let signed = text
  if (!text.startsWith('-')) {
    if (spec.flags.includes('+')) signed = `+${text}`
    else if (spec.flags.includes(' ')) signed = ` ${text}`
  }
  const missing = spec.width - signed.length
  if (missing <= 0 || spec.flags.includes('-') || !spec.flags.includes('0')) return padText(signed, spec)
  const start = /^[-+ ]?(?:0[xXo])?/.exec(signed)?.[0] ?? ''
  return start + '0'.repeat(missing) + signed.slice(start.length)
}

function whole(value: Value, type: string, need: 'a real number' | 'an integer'): number | bigint {
  refuseUndefined(value)
  const number = numeric(value)
  if (number === undefined || (need === 'an integer' && value instanceof PyFloat)) {
    throw typeError(`%${type} format: ${need} is required, not ${typeName(value)}`)
  }
  if (!(value instanceof PyFloat)) return number
  if (!Number.isFinite(value.value)) throw notFinite(value.value)
  return floatToBigInt(value.value)
}

function notFinite(value: number): PythonError {
  return Number.isNaN(value)
    ? new PythonError('ValueError', 'cannot convert float NaN to integer')
    : new PythonError('OverflowError', 'cannot convert float infinity to integer')
}

function integer(value: Value, spec: Directive, type: string): string {
  return zeroed(intText(whole(value, type, 'a real number')), spec)
}

function radix(value: Value, spec: Directive): string {
  const number = whole(value, spec.type, 'an integer')
  const text = number.toString(spec.type === 'o' ? 8 : 16)
  const digits = zeroed(spec.type === 'X' ? text.toUpperCase() : text, spec)
  if (!spec.flags.includes('#')) return digits
  const prefix = `0${spec.type}`
  return digits.startsWith('-') ? `-${prefix}${digits.slice(1)}` : prefix + digits
}

function zeroed(digits: string, spec: Directive): string {
  const negative = digits.startsWith('-')
  const bare = negative ? digits.slice(1) : digits
  return (negative ? '-' : '') + bare.padStart(spec.precision ?? 0, '0')
}

function floating(value: Value, spec: Directive): string {
  refuseUndefined(value)
  const number = numeric(value)
  if (number === undefined) throw typeError(`must be real number, not ${typeName(value)}`)
  return formatFloat(toFloat(number), spec.type, spec.precision ?? 6, spec.flags.includes('#'))
}

function char(value: Value): string {
  const text = textOf(value)
  if (text !== undefined) {
    if (codePoints(text) !== 1) throw typeError('%c requires int or char')
    return text
  }
  if (typeof value !== 'number') throw typeError('%c requires int or char')
  if (value < 0 || value > 0x10ffff) throw new PythonError('OverflowError', '%c arg not in range(0x110000)')
  return String.fromCodePoint(value)
}
