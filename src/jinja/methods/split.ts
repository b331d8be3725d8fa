import { typeError, valueError } from '../errors.ts'
import { textOf } from '../python/compare.ts'
import { isSpaceCode, splitSpace, stripEnd, stripStart } from '../python/space.ts'
import { truth } from '../python/truth.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import type { Context } from '../runtime/context.ts'
import { PyTuple, type Value } from '../values.ts'
import { named, needInt, positional } from './define.ts'
import type { Method } from './method.ts'

function separatorOf(value: Value | undefined): string | undefined {
  if (value === undefined || value === null) return undefined
  const text = textOf(value)
  if (text === undefined) {
    refuseUndefined(value)
    throw typeError(`must be str or None, not ${typeName(value)}`)
  }
  if (text === '') throw valueError('empty separator')
  return text
}

function splitBy(text: string, separator: string, limit: number): string[] {
  const parts = text.split(separator)
  if (limit < 0 || parts.length <= limit + 1) return parts
  return [...parts.slice(0, limit), parts.slice(limit).join(separator)]
}

function splitByLast(text: string, separator: string, limit: number): string[] {
  const parts: string[] = []
  let end = text.length
  while (limit < 0 || parts.length < limit) {
    const at = end < separator.length ? -1 : text.lastIndexOf(separator, end - separator.length)
    if (at < 0) break
    parts.push(text.slice(at + separator.length, end))
    end = at
  }
  parts.push(text.slice(0, end))
  return parts.reverse()
}

function splitSpaceLast(text: string, limit: number): string[] {
  if (limit < 0) return splitSpace(text)
  const words: string[] = []
  let end = stripEnd(text).length
  while (end > 0 && words.length < limit) {
    let start = end
    while (start > 0 && !isSpaceCode(text.charCodeAt(start - 1))) start--
    words.push(text.slice(start, end))
    end = stripEnd(text.slice(0, start)).length
  }
  const rest = stripStart(text.slice(0, end))
  if (rest !== '') words.push(rest)
  return words.reverse()
}

const lineEnds = new RegExp(`\\r\\n|[${'\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029'}]`, 'g')

/** `str.splitlines()` */
export function splitLines(text: string, keepEnds: boolean): string[] {
  const lines: string[] = []
  let start = 0
  for (const match of text.matchAll(lineEnds)) {
    const end = match.index + match[0].length
    lines.push(text.slice(start, keepEnds ? end : match.index))
    start = end
  }
  if (start < text.length) lines.push(text.slice(start))
  return lines
}

function charge(context: Context, self: Value): string {
  const text = textOf(self) ?? ''
  context.allocate(text.length)
  return text
}

function counted(context: Context, parts: string[]): string[] {
  context.allocate(parts.length * 16)
  return parts
}

function partition(name: string, last: boolean): [string, Method] {
  return positional(name, 1, 1, (context, self: Value, argument) => {
    const text = charge(context, self)
    const separator = separatorOf(argument)
    if (separator === undefined) throw typeError('must be str, not NoneType')
    const at = last ? text.lastIndexOf(separator) : text.indexOf(separator)
    if (at < 0) return new PyTuple(last ? ['', '', text] : [text, '', ''])
    return new PyTuple([text.slice(0, at), separator, text.slice(at + separator.length)])
  })
}

/** The methods of str that take text apart. */
export const splitMethods: readonly [string, Method][] = [
  named('split', ['sep', 'maxsplit'], 0, (context, self: Value, sep, limit = -1) => {
    const text = charge(context, self)
    const separator = separatorOf(sep)
    const most = needInt(limit)
    return counted(context, separator === undefined ? splitSpace(text, most) : splitBy(text, separator, most))
  }),
  named('rsplit', ['sep', 'maxsplit'], 0, (context, self: Value, sep, limit = -1) => {
    const text = charge(context, self)
    const separator = separatorOf(sep)
    const most = needInt(limit)
    return counted(context, separator === undefined ? splitSpaceLast(text, most) : splitByLast(text, separator, most))
  }),
  named('splitlines', ['keepends'], 0, (context, self: Value, keepEnds = false) =>
    counted(context, splitLines(charge(context, self), truth(keepEnds))),
  ),
  partition('partition', false),
  partition('rpartition', true),
]
