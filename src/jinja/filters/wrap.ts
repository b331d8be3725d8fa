import { valueError } from '../errors.ts'
import { needInt } from '../methods/define.ts'
import { splitLines } from '../methods/split.ts'
import { callMethod } from '../python/access.ts'
import { textOf } from '../python/compare.ts'
import { str } from '../python/display.ts'
import { codePoints, isPlain } from '../python/iterate.ts'
import { truth } from '../python/truth.ts'
import { failAttribute } from '../python/undefined.ts'
import type { Context, FilterFunction } from '../runtime/context.ts'
import { noKwargs, type Value } from '../values.ts'
import { filter } from './define.ts'

/** How lines are broken. */
interface WrapStyle {
  readonly width: number
  readonly breakLongWords: boolean
  readonly breakOnHyphens: boolean
}

const blank = '\\t\\n\\v\\f\\r '
const letter = '(?:(?!\\d)[\\p{L}\\p{N}_])'
const wordPunctuation = '[\\p{L}\\p{N}_!"\'&.,?]'
const chunkPattern = new RegExp(
  `([${blank}]+|(?<=${wordPunctuation})-{2,}(?=[\\p{L}\\p{N}_])|[^${blank}]+?` +
    `(?:-(?:(?<=${letter}{2}-)|(?<=${letter}-${letter}-))(?=${letter}-?${letter})` +
    `|(?=[${blank}]|$)|(?<=${wordPunctuation})(?=-{2,}[\\p{L}\\p{N}_])))`,
  'u',
)
const plainPattern = new RegExp(`([${blank}]+)`)
const isBlank = new RegExp(`^[${blank}]*$`)

function cut(text: string, at: number): [string, string] {
  if (isPlain(text)) return [text.slice(0, at), text.slice(at)]
  const chars = Array.from(text)
  return [chars.slice(0, at).join(''), chars.slice(at).join('')]
}

/** Breaks one line into lines of at most `width` characters, as Python's textwrap does. */
function wrapLine(context: Context, line: string, style: WrapStyle): string[] {
  if (style.width <= 0) throw valueError(`invalid width ${style.width} (must be > 0)`)
  context.allocate(line.length * 4)
  const chunks = line.split(style.breakOnHyphens ? chunkPattern : plainPattern).filter(chunk => chunk !== '')
  chunks.reverse()
  const lines: string[] = []
  while (chunks.length > 0) {
    if (lines.length > 0 && isBlank.test(chunks.at(-1) ?? '')) chunks.pop()
    const current = fillLine(context, chunks, style)
    if (current.length > 0 && isBlank.test(current.at(-1) ?? '')) current.pop()
    if (current.length > 0) lines.push(current.join(''))
  }
  return lines
}

function fillLine(context: Context, chunks: string[], style: WrapStyle): string[] {
  const current: string[] = []
  let used = 0
  for (let next = chunks.at(-1); next !== undefined; next = chunks.at(-1)) {
    context.step(1)
    const size = codePoints(next)
    if (used + size > style.width) break
    current.push(next)
    chunks.pop()
    used += size
  }
  const tooLong = chunks.at(-1)
  if (tooLong !== undefined && codePoints(tooLong) > style.width) breakLong(chunks, current, style.width - used, style)
  return current
}

function breakLong(chunks: string[], current: string[], space: number, style: WrapStyle): void {
  const chunk = chunks.pop() ?? ''
  if (!style.breakLongWords) {
    if (current.length === 0) current.push(chunk)
    else chunks.push(chunk)
    return
  }
  let end = space
  if (style.breakOnHyphens && codePoints(chunk) > space) {
    const hyphen = cut(chunk, space)[0].lastIndexOf('-')
    if (hyphen > 0 && /[^-]/.test(chunk.slice(0, hyphen))) end = codePoints(chunk.slice(0, hyphen)) + 1
  }
  const [head, rest] = cut(chunk, end)
  current.push(head)
  chunks.push(rest)
}

/** `wordwrap(width=79, break_long_words=True, wrapstring=None, break_on_hyphens=True)` */
export const wordwrap: FilterFunction = filter(
  'do_wordwrap',
  ['width', 'break_long_words', 'wrapstring', 'break_on_hyphens'],
  0,
  (context, value, width = 79, breakLongWords = true, wrapString = null, breakOnHyphens = true) => {
    const plain = textOf(value)
    if (plain === undefined) return failAttribute(value, 'splitlines')
    const style = {
      width: needInt(width),
      breakLongWords: truth(breakLongWords),
      breakOnHyphens: truth(breakOnHyphens),
    }
    const separator: Value = wrapString ?? context.engine.newlineSequence
    const wrapped = splitLines(plain, false).map(line => wrapLine(context, line, style).join(str(context, separator)))
    return callMethod(context, separator, 'join', [wrapped], noKwargs)
  },
)
