import { typeError, valueError } from '../errors.ts'
import { textOf } from '../python/compare.ts'
import { codePoints, isPlain } from '../python/iterate.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import type { Context } from '../runtime/context.ts'
import { PyTuple, type Value } from '../values.ts'
import { needInt, needText, positional } from './define.ts'
import type { Method } from './method.ts'

/** A part of a text by code points, and where it begins. */
interface Window {
  readonly text: string
  readonly start: number
  /** False when the bounds cross: then not even an empty text is found. */
  readonly exists: boolean
}

function windowOf(text: string, start: Value | undefined, end: Value | undefined): Window {
  if ((start ?? null) === null && (end ?? null) === null) return { text, start: 0, exists: true }
  const chars = isPlain(text) ? undefined : Array.from(text)
  const length = chars?.length ?? text.length
  const clamp = (value: Value | undefined, absent: number) => {
    if (value === undefined || value === null) return absent
    const at = needInt(value)
    return Math.max(0, Math.min(length, at < 0 ? at + length : at))
  }
  const from = clamp(start, 0)
  const to = clamp(end, length)
  const exists = from <= to && !(typeof start === 'number' && start > length)
  return { text: chars?.slice(from, to).join('') ?? text.slice(from, Math.max(from, to)), start: from, exists }
}

type Finder = (text: string, part: string) => number

function find(finder: Finder, self: Value, args: readonly (Value | undefined)[]): number {
  const part = textOf(args[0] ?? null)
  if (part === undefined) {
    refuseUndefined(args[0] ?? null)
    throw typeError(`must be str, not ${typeName(args[0] ?? null)}`)
  }
  const window = windowOf(textOf(self) ?? '', args[1], args[2])
  const at = window.exists ? finder(window.text, part) : -1
  return at < 0 ? -1 : window.start + codePoints(window.text.slice(0, at))
}

const forwards: Finder = (text, part) => text.indexOf(part)
const backwards: Finder = (text, part) => text.lastIndexOf(part)

function charge(context: Context, self: Value): void {
  context.step((textOf(self) ?? '').length >> 5)
}

function finding(name: string, finder: Finder, mustExist: boolean): [string, Method] {
  return positional(name, 1, 3, (context, self: Value, ...args) => {
    charge(context, self)
    const at = find(finder, self, args)
    if (at < 0 && mustExist) throw valueError('substring not found')
    return at
  })
}

/** `len` of non-overlapping occurrences. */
export function countParts(text: string, part: string): number {
  if (part === '') return codePoints(text) + 1
  let count = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++
  return count
}

function affix(name: 'startswith' | 'endswith'): [string, Method] {
  return positional(name, 1, 3, (context, self: Value, wanted = null, start, end) => {
    charge(context, self)
    const window = windowOf(textOf(self) ?? '', start, end)
    const one = (part: Value) => {
      const text = textOf(part)
      if (text === undefined) {
        refuseUndefined(part)
        throw typeError(`${name} first arg must be str or a tuple of str, not ${typeName(part)}`)
      }
      if (!window.exists) return false
      return name === 'startswith' ? window.text.startsWith(text) : window.text.endsWith(text)
    }
    return wanted instanceof PyTuple ? wanted.items.some(one) : one(wanted)
  })
}

/** The methods of str that look for text. */
export const searchMethods: readonly [string, Method][] = [
  finding('find', forwards, false),
  finding('index', forwards, true),
  finding('rfind', backwards, false),
  finding('rindex', backwards, true),
  affix('startswith'),
  affix('endswith'),
  positional('count', 1, 3, (context, self: Value, part, start, end) => {
    charge(context, self)
    const window = windowOf(textOf(self) ?? '', start, end)
    return window.exists ? countParts(window.text, needText('must be str, not', part)) : 0
  }),
]
