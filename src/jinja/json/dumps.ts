import { typeError, valueError } from '../errors.ts'
import { floatRepr } from '../python/float.ts'
import { typeName } from '../python/types.ts'
import { Markup, PyDict, PyFloat, PyTuple, type Value } from '../values.ts'

/** Choices of Python's `json.dumps`. */
export interface JsonOptions {
  /** Sort the keys of every dict; keys of different types are then a TypeError. Default false. */
  readonly sortKeys?: boolean
  /** Columns (or text) per level; without it everything stands on one line. */
  readonly indent?: number | string | undefined
  /** Called with the number of values or characters about to be written; may throw to stop. */
  readonly step?: (count: number) => void
}

const maxDepth = 250
const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
}

function escapeChar(char: string): string {
  return short[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A str as JSON with everything outside printable ASCII escaped. */
export function jsonString(text: string): string {
  return `"${text.replaceAll(/[^ !#-[\]-~]/g, escapeChar)}"`
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  return floatRepr(value)
}

function scalar(value: Value): string | undefined {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof PyFloat) return jsonFloat(value.value)
  return undefined
}

function keyText(key: Value): string {
  if (typeof key === 'string') return key
  if (key instanceof Markup) return key.text
  const text = scalar(key)
  if (text !== undefined) return text
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`)
}

function sortable(key: Value): string | number | bigint {
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint') return key
  if (key instanceof Markup) return key.text
  if (key instanceof PyFloat) return key.value
  if (typeof key === 'boolean') return Number(key)
  throw typeError(`'<' not supported between instances of '${typeName(key)}' and 'str'`)
}

function compareKeys(left: Value, right: Value): number {
  const a = sortable(left)
  const b = sortable(right)
  if ((typeof a === 'string') !== (typeof b === 'string')) {
    throw typeError("'<' not supported between instances of keys of different types")
  }
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

function compareCodePoints(a: string, b: string): number {
  if (a === b) return 0
  const left = Array.from(a, char => char.codePointAt(0) ?? 0)
  const right = Array.from(b, char => char.codePointAt(0) ?? 0)
  const at = left.findIndex((point, index) => point !== right[index])
  return at < 0 ? -1 : (left[at] ?? 0) - (right[at] ?? -1)
}

class Writer {
  readonly #parts: string[] = []
  readonly #open = new Set<object>()
  readonly #unit: string | undefined
  readonly #sort: boolean
  readonly #step: (count: number) => void

  constructor(options: JsonOptions) {
    const { indent } = options
    this.#unit = typeof indent === 'number' ? ' '.repeat(Math.max(0, indent)) : indent
    this.#sort = options.sortKeys ?? false
    this.#step = options.step ?? (() => undefined)
  }

  toString(): string {
    return this.#parts.join('')
  }

  value(value: Value): void {
    this.#step(1)
    if (typeof value === 'string') this.#string(value)
    else if (value instanceof Markup) this.#string(value.text)
    else if (Array.isArray(value)) this.#list(value, value)
    else if (value instanceof PyTuple) this.#list(value, value.items)
    else if (value instanceof PyDict) this.#dict(value)
    else {
      const text = scalar(value)
      if (text === undefined) throw typeError(`Object of type ${typeName(value)} is not JSON serializable`)
      this.#parts.push(text)
    }
  }

  #string(text: string): void {
    this.#step(text.length >> 4)
    this.#parts.push(jsonString(text))
  }

  #enter(collection: object): void {
    if (this.#open.has(collection)) throw valueError('Circular reference detected')
    if (this.#open.size >= maxDepth) throw valueError(`JSON is nested deeper than ${maxDepth}`)
    this.#open.add(collection)
  }

  /** What stands before the first or a later item. */
  #separate(first: boolean): void {
    if (!first) this.#parts.push(this.#unit === undefined ? ', ' : ',')
    this.#newLine()
  }

  #newLine(): void {
    if (this.#unit !== undefined) this.#parts.push(`\n${this.#unit.repeat(this.#open.size)}`)
  }

  #list(owner: object, items: readonly Value[]): void {
    if (items.length === 0) {
      this.#parts.push('[]')
      return
    }
    this.#enter(owner)
    this.#parts.push('[')
    items.forEach((item, index) => {
      this.#separate(index === 0)
      this.value(item)
    })
    this.#open.delete(owner)
    this.#newLine()
    this.#parts.push(']')
  }

  #dict(dict: PyDict): void {
    if (dict.size === 0) {
      this.#parts.push('{}')
      return
    }
    this.#enter(dict)
    this.#parts.push('{')
    const pairs = [...dict.entries()]
    if (this.#sort) pairs.sort(([a], [b]) => compareKeys(a, b))
    pairs.forEach(([key, value], index) => {
      this.#separate(index === 0)
      this.#parts.push(jsonString(keyText(key)), ': ')
      this.value(value)
    })
    this.#open.delete(dict)
    this.#newLine()
    this.#parts.push('}')
  }
}

/**
 * JSON as Python's `json.dumps` prints it: a space after `,` and `:`, ASCII only, NaN and Infinity as such.
 * Throws TypeError for what JSON has no form for, ValueError for a cycle or nesting deeper than 250.
 */
export function dumpJson(value: Value, options: JsonOptions = {}): string {
  const writer = new Writer(options)
  writer.value(value)
  return writer.toString()
}
