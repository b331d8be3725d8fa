import { FilterArgumentError, PythonError, typeError } from '../errors.ts'
import { formatPercent } from '../format/percent.ts'
import { lower, upper } from '../methods/case.ts'
import { needInt } from '../methods/define.ts'
import { splitLines } from '../methods/split.ts'
import { replaceText } from '../methods/string.ts'
import { callMethod } from '../python/access.ts'
import { binary } from '../python/arith.ts'
import { textOf } from '../python/compare.ts'
import { str } from '../python/display.ts'
import { escapeText, escapeValue } from '../python/escape.ts'
import { stripTags } from '../python/html.ts'
import { codePoints, isPlain, length as lengthOf } from '../python/iterate.ts'
import { slice } from '../python/slice.ts'
import { truth } from '../python/truth.ts'
import { typeName } from '../python/types.ts'
import { failAttribute, refuseUndefined } from '../python/undefined.ts'
import type { Context, FilterFunction } from '../runtime/context.ts'
import { Markup, noKwargs, PyDict, PyTuple, type Value } from '../values.ts'
import { filter } from './define.ts'

/** The value as text; markup stays markup. */
export function soft(context: Context, value: Value): string | Markup {
  return value instanceof Markup ? value : str(context, value)
}

/** A filter that is a method of str; `quick` is what the method does to a plain one. */
function viaMethod(owner: string, method: string, quick?: (text: string) => string): FilterFunction {
  return filter(owner, [], 0, (context, value) => {
    if (quick === undefined || typeof value !== 'string') {
      return callMethod(context, soft(context, value), method, [], noKwargs)
    }
    context.allocate(value.length)
    return quick(value)
  })
}

function title(text: string): string {
  return text
    .split(/([-\s({[<]+)/)
    .map(part => {
      const [first] = part
      return first === undefined ? '' : first.toUpperCase() + lower(part.slice(first.length))
    })
    .join('')
}

function indent(context: Context, value: Value, width: Value, first: boolean, blank: boolean): Value {
  const text = textOf(value)
  if (text === undefined) {
    // A list takes the characters in, then fails for want of the method; all else cannot be added to.
    if (Array.isArray(value)) return failAttribute(value, 'splitlines')
    refuseUndefined(value)
    throw typeError(`unsupported operand type(s) for +=: '${typeName(value)}' and 'str'`)
  }
  const isMarkup = value instanceof Markup
  const given = textOf(width)
  context.allocate(given === undefined ? needInt(width) : given.length)
  let space = given ?? ' '.repeat(Math.max(0, needInt(width)))
  if (isMarkup && given !== undefined && !(width instanceof Markup)) space = given
  context.allocate(text.length)
  const lines = splitLines(`${text}\n`, false)
  context.allocate(text.length + lines.length * space.length)
  const indented = lines.map((line, index) => (index > 0 && (blank || line !== '') ? space + line : line)).join('\n')
  const result = first ? space + indented : indented
  return isMarkup ? new Markup(result) : result
}

function truncate(
  context: Context,
  value: Value,
  lengthValue: Value,
  killWords: boolean,
  end: string,
  leewayValue: Value,
): Value {
  const length = needInt(lengthValue)
  const leeway = leewayValue === null ? context.engine.policies.truncateLeeway : needInt(leewayValue)
  const endLength = codePoints(end)
  if (length < endLength) throw new PythonError('AssertionError', `expected length >= ${endLength}, got ${length}`)
  if (leeway < 0) throw new PythonError('AssertionError', `expected leeway >= 0, got ${leeway}`)
  if (lengthOf(value) <= length + leeway) return value
  const text = textOf(value)
  if (text === undefined) {
    const part = slice(context, value, null, length - endLength, null)
    return killWords ? binary(context, '+', part, end) : failAttribute(part, 'rsplit')
  }
  const kept = length - endLength
  const cut = isPlain(text) ? text.slice(0, kept) : Array.from(text).slice(0, kept).join('')
  const space = killWords ? -1 : cut.lastIndexOf(' ')
  const result = space < 0 ? cut : cut.slice(0, space)
  return value instanceof Markup ? new Markup(result + escapeText(end)) : result + end
}

function replace(context: Context, value: Value, from: Value, to: Value, count: Value): Value {
  const limit = count === null ? -1 : needInt(count)
  if (!context.autoescape) {
    return replaceText(context, str(context, value), str(context, from), str(context, to), limit)
  }
  const needsEscape = from instanceof Markup || (to instanceof Markup && !(value instanceof Markup))
  const source = needsEscape ? new Markup(escapeValue(context, value)) : soft(context, value)
  if (typeof source === 'string') {
    return replaceText(context, source, str(context, from), str(context, to), limit)
  }
  return new Markup(replaceText(context, source.text, str(context, from), escapeValue(context, to), limit))
}

const format: FilterFunction = (context, value, args, kwargs) => {
  if (args.length > 0 && kwargs.size > 0) {
    throw new FilterArgumentError("can't handle positional and keyword arguments at the same time")
  }
  const source = soft(context, value)
  const given = kwargs.size > 0 ? PyDict.of(kwargs) : new PyTuple(args)
  if (typeof source === 'string') return formatPercent(context, source, given, false)
  return new Markup(formatPercent(context, source.text, given, true))
}

const escapeFilter = filter('escape', [], 0, (context, value) => new Markup(escapeValue(context, value)))
const word = /[\p{L}\p{N}_]+/gu

/** Filters on text. */
export const textFilters: readonly [string, FilterFunction][] = [
  ['capitalize', viaMethod('do_capitalize', 'capitalize')],
  ['lower', viaMethod('do_lower', 'lower', lower)],
  ['upper', viaMethod('do_upper', 'upper', upper)],
  [
    'title',
    filter('do_title', [], 0, (context, value) => {
      const text = str(context, value)
      context.allocate(text.length)
      return title(text)
    }),
  ],
  [
    'trim',
    filter('do_trim', ['chars'], 0, (context, value, chars = null) =>
      callMethod(context, soft(context, value), 'strip', [chars], noKwargs),
    ),
  ],
  [
    'center',
    filter('do_center', ['width'], 0, (context, value, width = 80) =>
      callMethod(context, soft(context, value), 'center', [width], noKwargs),
    ),
  ],
  [
    'indent',
    filter('do_indent', ['width', 'first', 'blank'], 0, (context, value, width = 4, first = false, blank = false) =>
      indent(context, value, width, truth(first), truth(blank)),
    ),
  ],
  [
    'truncate',
    filter(
      'do_truncate',
      ['length', 'killwords', 'end', 'leeway'],
      0,
      (context, value, length = 255, killWords = false, end = '...', leeway = null) =>
        truncate(context, value, length, truth(killWords), str(context, end), leeway),
    ),
  ],
  [
    'replace',
    filter('do_replace', ['old', 'new', 'count'], 2, (context, value, from = null, to = null, count = null) =>
      replace(context, value, from, to, count),
    ),
  ],
  ['format', format],
  ['string', filter('soft_str', [], 0, soft)],
  ['e', escapeFilter],
  ['escape', escapeFilter],
  ['forceescape', filter('do_forceescape', [], 0, (context, value) => new Markup(escapeText(str(context, value))))],
  ['safe', filter('do_mark_safe', [], 0, (context, value) => new Markup(str(context, value)))],
  [
    'striptags',
    filter('do_striptags', [], 0, (context, value) => {
      const text = str(context, value)
      context.allocate(text.length)
      return stripTags(text)
    }),
  ],
  [
    'wordcount',
    filter('do_wordcount', [], 0, (context, value) => {
      const text = str(context, value)
      context.allocate(text.length)
      return text.match(word)?.length ?? 0
    }),
  ],
]
