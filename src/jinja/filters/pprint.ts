import { PythonError } from '../errors.ts'
import { ordered } from '../python/compare.ts'
import { repr } from '../python/display.ts'
import { codePoints } from '../python/iterate.ts'
import { quote } from '../python/quote.ts'
import { typeName } from '../python/types.ts'
import type { Context } from '../runtime/context.ts'
import { PyDict, PyTuple, type Value } from '../values.ts'

const lineWidth = 80

/**
 * `pprint.pformat(value)`: dicts sorted by key, broken into lines where 80 columns are not enough. With `compact` the
 * items of a list share lines.
 */
export function pformat(context: Context, value: Value, compact = false): string {
  const printer = new Printer(context, compact)
  printer.format(value, 0, 0)
  return printer.text
}

class Printer {
  text = ''
  private readonly context: Context
  private readonly compact: boolean
  private readonly open = new Set<Value>()

  constructor(context: Context, compact: boolean) {
    this.context = context
    this.compact = compact
  }

  /** Writes a value that begins at column `indent` and leaves room for `allowance` closing brackets. */
  format(value: Value, indent: number, allowance: number): void {
    this.context.step(1)
    if (this.open.has(value) && isContainer(value)) {
      this.text += `<Recursion on ${typeName(value)}>`
      return
    }
    const short = this.flat(value)
    if (codePoints(short) <= lineWidth - indent - allowance || !this.breakable(value)) {
      this.add(short)
      return
    }
    this.open.add(value)
    if (value instanceof PyDict) this.dict(value, indent, allowance + 1)
    else if (Array.isArray(value)) this.list('[', value, ']', indent, allowance + 1)
    else if (value instanceof PyTuple) {
      this.list('(', value.items, value.items.length === 1 ? ',)' : ')', indent, allowance + 1)
    } else if (typeof value === 'string') this.string(value, indent, allowance)
    this.open.delete(value)
  }

  private add(text: string): void {
    this.text += text
    if (this.text.length > 4096) this.context.allocate(this.text.length >> 4)
  }

  private breakable(value: Value): boolean {
    return isContainer(value) || typeof value === 'string'
  }

  private flat(value: Value): string {
    return repr(this.context, this.sorted(value, 0))
  }

  /** The value with every dict inside it sorted, as it prints on one line. */
  private sorted(value: Value, depth: number): Value {
    this.context.step(1)
    if (depth > 100 || this.open.has(value)) return value
    if (Array.isArray(value)) return value.map(item => this.sorted(item, depth + 1))
    if (value instanceof PyTuple) return new PyTuple(value.items.map(item => this.sorted(item, depth + 1)))
    if (!(value instanceof PyDict)) return value
    return PyDict.of(this.pairs(value).map(([key, item]) => [key, this.sorted(item, depth + 1)] as const))
  }

  private pairs(dict: PyDict): [Value, Value][] {
    return [...dict.entries()].sort(([a], [b]) => this.order(a, b))
  }

  /** Keys in their own order; those that have none go by type. */
  private order(a: Value, b: Value): number {
    try {
      if (ordered(this.context, '<', a, b)) return -1
      return ordered(this.context, '<', b, a) ? 1 : 0
    } catch (error) {
      if (!(error instanceof PythonError)) throw error
      const [left, right] = [typeName(a), typeName(b)]
      return left < right ? -1 : left > right ? 1 : 0
    }
  }

  private dict(dict: PyDict, indent: number, allowance: number): void {
    this.add('{')
    const pairs = this.pairs(dict)
    pairs.forEach(([key, value], index) => {
      const isLast = index === pairs.length - 1
      const shown = this.flat(key)
      this.add(`${shown}: `)
      this.format(value, indent + 1 + codePoints(shown) + 2, isLast ? allowance : 1)
      if (!isLast) this.add(`,\n${' '.repeat(indent + 1)}`)
    })
    this.add('}')
  }

  private list(start: string, items: readonly Value[], end: string, indent: number, allowance: number): void {
    this.add(start)
    if (this.compact && this.fill(items, end, indent, allowance)) return
    items.forEach((item, index) => {
      const isLast = index === items.length - 1
      this.format(item, indent + 1, isLast ? allowance + end.length - 1 : 1)
      if (!isLast) this.add(`,\n${' '.repeat(indent + 1)}`)
    })
    this.add(end)
  }

  /** Writes as many items into each line as it holds; false, and nothing written, when one needs several lines. */
  private fill(items: readonly Value[], end: string, indent: number, allowance: number): boolean {
    const room = lineWidth - indent
    const last = items.length - 1
    const shown = items.map(item => this.flat(item))
    // With the comma and space after it, or what closes the value.
    const widths = shown.map((text, at) => codePoints(text) + 2 + (at === last ? allowance + end.length - 1 : 0))
    if (widths.some(width => width > room)) return false
    let left = 0
    shown.forEach((text, index) => {
      const width = widths[index] ?? 0
      const fits = index > 0 && left >= width
      if (index > 0) this.add(fits ? ', ' : `,\n${' '.repeat(indent + 1)}`)
      left = (fits ? left : room) - width
      this.add(text)
    })
    this.add(end)
    return true
  }

  /** A long str as several literals, broken after white space. */
  private string(text: string, indent: number, allowance: number): void {
    const nested = indent > 0 || allowance > 0
    const at = nested ? indent : indent + 1
    const room = nested ? allowance : allowance + 1
    const chunks = stringChunks(this.context, text, lineWidth - at, room)
    if (chunks.length <= 1) {
      this.add(quote(text))
      return
    }
    this.add(`${nested ? '' : '('}${chunks.join(`\n${' '.repeat(at)}`)}${nested ? '' : ')'}`)
  }
}

function isContainer(value: Value): boolean {
  return Array.isArray(value) || value instanceof PyDict || value instanceof PyTuple
}

function stringChunks(context: Context, text: string, width: number, allowance: number): string[] {
  context.allocate(text.length * 2)
  const chunks: string[] = []
  const lines = text.split(/(?<=\n)/)
  lines.forEach((line, index) => {
    const lastLine = index === lines.length - 1
    const whole = quote(line)
    if (codePoints(whole) <= (lastLine ? width - allowance : width)) {
      chunks.push(whole)
      return
    }
    const parts = line.match(/\S*\s*/g)?.filter(part => part !== '') ?? []
    let current = ''
    parts.forEach((part, at) => {
      const candidate = current + part
      const room = lastLine && at === parts.length - 1 ? width - allowance : width
      if (codePoints(quote(candidate)) > room && current !== '') {
        chunks.push(quote(current))
        current = part
      } else current = candidate
    })
    if (current !== '') chunks.push(quote(current))
  })
  return chunks
}
