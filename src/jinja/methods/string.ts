import { PythonError, typeError } from '../errors.ts'
import { BraceFormatter } from '../format/brace.ts'
import { textOf } from '../python/compare.ts'
import { codePoints, counted, isIterable } from '../python/iterate.ts'
import { isSpaceCode, strip, stripEnd, stripStart } from '../python/space.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import type { Context } from '../runtime/context.ts'
import { type Kwargs, Markup, PyBytes, PyDict, type Value } from '../values.ts'
import { capitalize, isLower, isTitle, isUpper, lower, swapcase, title, upper } from './case.ts'
import { named, needInt, needText, positional } from './define.ts'
import type { Method, MethodTable } from './method.ts'
import { searchMethods } from './search.ts'
import { splitMethods } from './split.ts'

/** A method of no arguments that maps text to text. */
function mapping(name: string, map: (text: string) => string): [string, Method] {
  return positional(name, 0, 0, (context, self: Value) => {
    const text = textOf(self) ?? ''
    context.allocate(text.length)
    return map(text)
  })
}

/** A method of no arguments that tests text. */
function testing(name: string, holds: (text: string) => boolean): [string, Method] {
  return positional(name, 0, 0, (context, self: Value) => {
    const text = textOf(self) ?? ''
    context.step(text.length >> 5)
    return holds(text)
  })
}

const every = (pattern: RegExp) => (text: string) => pattern.test(text)

function stripping(name: string, start: boolean, end: boolean): [string, Method] {
  return positional(name, 0, 1, (context, self: Value, chars = null) => {
    const text = textOf(self) ?? ''
    context.step(text.length >> 5)
    if (chars === null) return start ? (end ? strip(text) : stripStart(text)) : stripEnd(text)
    const set = textOf(chars)
    if (set === undefined) {
      refuseUndefined(chars)
      throw typeError(`${name} arg must be None or str`)
    }
    return stripSet(text, new Set(set), start, end)
  })
}

function stripSet(text: string, set: ReadonlySet<string>, start: boolean, end: boolean): string {
  const chars = Array.from(text)
  let from = 0
  let to = chars.length
  if (start) while (from < to && set.has(chars[from] ?? '')) from++
  if (end) while (to > from && set.has(chars[to - 1] ?? '')) to--
  return chars.slice(from, to).join('')
}

function padding(name: string, place: (missing: number, width: number) => number): [string, Method] {
  return positional(name, 1, 2, (context, self: Value, width, fill = ' ') => {
    const text = textOf(self) ?? ''
    const char = textOf(fill)
    if (char === undefined || codePoints(char) !== 1) {
      throw typeError('The fill character must be exactly one character long')
    }
    const missing = needInt(width) - codePoints(text)
    if (missing <= 0) return text
    context.allocate(text.length + missing)
    const left = place(missing, needInt(width))
    return char.repeat(left) + text + char.repeat(missing - left)
  })
}

/** `separator.join(items)`. Throws TypeError for an item that is no str. */
export function joinTexts(context: Context, separator: string, items: Value): string {
  if (!isIterable(items)) {
    refuseUndefined(items)
    throw typeError('can only join an iterable')
  }
  const parts: string[] = []
  let size = 0
  for (const item of counted(context, items)) {
    const text = textOf(item)
    if (text === undefined) {
      throw typeError(`sequence item ${parts.length}: expected str instance, ${typeName(item)} found`)
    }
    size += text.length + separator.length
    context.allocate(size > 65536 ? size : 0)
    parts.push(text)
  }
  return parts.join(separator)
}

function replace(
  context: Context,
  self: Value,
  old: Value | undefined,
  fresh: Value | undefined,
  limit: Value,
): string {
  const text = textOf(self) ?? ''
  const from = needText('replace() argument 1 must be str, not', old)
  const to = needText('replace() argument 2 must be str, not', fresh)
  return replaceText(context, text, from, to, needInt(limit))
}

/** `text.replace(from, to, limit)` with a negative limit for all. */
export function replaceText(context: Context, text: string, from: string, to: string, limit: number): string {
  context.allocate(text.length)
  if (from === '') return insertBetween(context, text, to, limit)
  let at = text.indexOf(from)
  if (at < 0) return text
  let result = ''
  let start = 0
  for (let turn = 0; at >= 0 && turn !== limit; turn++) {
    result += text.slice(start, at) + to
    start = at + from.length
    at = text.indexOf(from, start)
    if (result.length > 65_536) context.allocate(result.length)
  }
  context.allocate(result.length + text.length - start)
  return result + text.slice(start)
}

/** Replacing the empty string puts `to` before every character and at the end. */
function insertBetween(context: Context, text: string, to: string, limit: number): string {
  const chars = Array.from(text)
  const most = limit < 0 ? chars.length + 1 : Math.min(limit, chars.length + 1)
  context.allocate(text.length + most * to.length)
  let result = ''
  for (const [index, char] of chars.entries()) result += index < most ? to + char : char
  return most > chars.length ? result + to : result
}

function expandTabs(context: Context, text: string, size: number): string {
  let column = 0
  let result = ''
  for (const char of text) {
    if (char === '\t') {
      const spaces = size > 0 ? size - (column % size) : 0
      context.allocate(result.length + spaces)
      result += ' '.repeat(spaces)
      column += spaces
    } else {
      result += char
      column = char === '\n' || char === '\r' ? 0 : column + 1
    }
  }
  return result
}

function zeroFill(context: Context, text: string, width: number): string {
  const missing = width - codePoints(text)
  if (missing <= 0) return text
  context.allocate(width)
  const sign = /^[+-]/.exec(text)?.[0] ?? ''
  return sign + '0'.repeat(missing) + text.slice(sign.length)
}

function encode(text: string, encoding: string, errors: string): PyBytes {
  const name = encoding.toLowerCase().replace(/[-_ ]/g, '')
  if (name === 'utf8') return new PyBytes(new TextEncoder().encode(text))
  const limit =
    name === 'ascii' || name === 'usascii' ? 0x7f : name === 'latin1' || name === 'iso88591' ? 0xff : undefined
  if (limit === undefined) throw new PythonError('LookupError', `unknown encoding: ${encoding}`)
  const bytes: number[] = []
  for (const [index, char] of Array.from(text).entries()) {
    const code = char.codePointAt(0) ?? 0
    if (code <= limit) bytes.push(code)
    else if (errors === 'replace') bytes.push(63)
    else if (errors !== 'ignore') {
      const shown =
        code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
      throw new PythonError(
        'UnicodeEncodeError',
        `'${limit === 0x7f ? 'ascii' : 'latin-1'}' codec can't encode character '${shown}' in position ${index}: ordinal not in range(${limit + 1})`,
      )
    }
  }
  return new PyBytes(Uint8Array.from(bytes))
}

function translate(context: Context, text: string, table: Value | undefined): string {
  if (!(table instanceof PyDict)) throw typeError(`'${typeName(table ?? null)}' object is not subscriptable`)
  let result = ''
  for (const char of text) {
    context.step(1)
    const to = table.get(char.codePointAt(0) ?? 0)
    if (to === undefined) result += char
    else if (typeof to === 'number') result += String.fromCodePoint(to)
    else if (to !== null) result += needText('character mapping must return integer, None or str; got', to)
    if (result.length > 65536) context.allocate(result.length)
  }
  return result
}

/** `str.format` and `str.format_map`; with `markup` what is filled in gets escaped. */
export function formatMethod(context: Context, self: Value, args: readonly Value[], kwargs: Kwargs): Value {
  const isMarkup = self instanceof Markup
  const text = new BraceFormatter(context, args, kwargs, isMarkup).format(textOf(self) ?? '')
  return isMarkup ? new Markup(text) : text
}

const others: readonly [string, Method][] = [
  ['format', formatMethod],
  positional('format_map', 1, 1, (context, self: Value, map = null) => {
    if (!(map instanceof PyDict)) throw typeError(`'${typeName(map)}' object is not subscriptable`)
    const kwargs = new Map<string, Value>()
    for (const [key, value] of map.entries()) if (typeof key === 'string') kwargs.set(key, value)
    return formatMethod(context, self, [], kwargs)
  }),
  positional('join', 1, 1, (context, self: Value, items = null) => joinTexts(context, textOf(self) ?? '', items)),
  positional('replace', 2, 3, (context, self: Value, from, to, limit = -1) => replace(context, self, from, to, limit)),
  named('expandtabs', ['tabsize'], 0, (context, self: Value, size = 8) =>
    expandTabs(context, textOf(self) ?? '', needInt(size)),
  ),
  positional('zfill', 1, 1, (context, self: Value, width) => zeroFill(context, textOf(self) ?? '', needInt(width))),
  positional('removeprefix', 1, 1, (_context, self: Value, prefix) => {
    const text = textOf(self) ?? ''
    const cut = needText('removeprefix()', prefix)
    return text.startsWith(cut) ? text.slice(cut.length) : text
  }),
  positional('removesuffix', 1, 1, (_context, self: Value, suffix) => {
    const text = textOf(self) ?? ''
    const cut = needText('removesuffix()', suffix)
    return cut !== '' && text.endsWith(cut) ? text.slice(0, -cut.length) : text
  }),
  named('encode', ['encoding', 'errors'], 0, (context, self: Value, encoding = 'utf-8', errors = 'strict') => {
    context.allocate((textOf(self) ?? '').length * 3)
    return encode(textOf(self) ?? '', needText('encode()', encoding), needText('encode()', errors))
  }),
  positional('translate', 1, 1, (context, self: Value, table) => translate(context, textOf(self) ?? '', table)),
]

/** The methods of str. */
export const stringMethods: MethodTable = new Map<string, Method>([
  mapping('lower', lower),
  mapping('upper', upper),
  mapping('casefold', text => lower(upper(text))),
  mapping('capitalize', capitalize),
  mapping('title', title),
  mapping('swapcase', swapcase),
  testing('isalnum', every(/^[\p{L}\p{N}]+$/u)),
  testing('isalpha', every(/^\p{L}+$/u)),
  testing('isascii', text => !/[\u0080-\uffff]/.test(text)),
  testing('isdecimal', every(/^\p{Nd}+$/u)),
  testing('isdigit', every(/^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468]+$/u)),
  testing('isnumeric', every(/^[\p{N}〇一二三四五六七八九十百千万亿億兆零壹贰叁肆伍陆柒捌玖拾佰仟萬]+$/u)),
  testing('isidentifier', every(/^[\p{XID_Start}_][\p{XID_Continue}]*$/u)),
  testing('isprintable', text => !/(?! )[\p{C}\p{Z}]/u.test(text)),
  testing('isspace', text => text !== '' && Array.from(text).every(char => isSpaceCode(char.charCodeAt(0)))),
  testing('istitle', isTitle),
  testing('isupper', isUpper),
  testing('islower', isLower),
  stripping('strip', true, true),
  stripping('lstrip', true, false),
  stripping('rstrip', false, true),
  padding('ljust', () => 0),
  padding('rjust', missing => missing),
  padding('center', (missing, width) => Math.floor(missing / 2) + (missing & width & 1)),
  ...searchMethods,
  ...splitMethods,
  ...others,
])
