import { valueError } from '../errors.ts'
import { failUndefined } from '../runtime/context.ts'
import {
  type ContextView,
  Markup,
  PyBytes,
  PyDict,
  PyFloat,
  PyObject,
  PyTuple,
  Undefined,
  type Value,
} from '../values.ts'
import { floatRepr } from './float.ts'
import { quote, quoteBytes } from './quote.ts'
import { undefinedMessage } from './undefined.ts'

const maxIntDigits = 4300
const maxIntText = 10n ** BigInt(maxIntDigits)

/** `str(x)`. Throws UndefinedError for a strict undefined. */
export function str(context: ContextView, value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (value instanceof Markup) return value.text
  if (value instanceof Undefined) return undefinedText(value)
  return isOwnPrinter(value) ? value.display() : repr(context, value)
}

/** Objects that are none of the built-in types print as they like. */
function isOwnPrinter(value: Value): value is PyObject {
  if (!(value instanceof PyObject)) return false
  return !(value instanceof PyFloat || value instanceof PyDict || value instanceof PyTuple || value instanceof PyBytes)
}

/** `repr(x)`. */
export function repr(context: ContextView, value: Value): string {
  switch (typeof value) {
    case 'string':
      context.allocate(value.length)
      return quote(value)
    case 'number':
      return String(value)
    case 'bigint':
      return intText(value)
    case 'boolean':
      return value ? 'True' : 'False'
    default:
      return value === null ? 'None' : objectRepr(context, value)
  }
}

/** The decimal digits of an int; as in Python, more than 4300 of them are a ValueError. */
export function intText(value: number | bigint): string {
  if (typeof value === 'bigint' && (value >= maxIntText || value <= -maxIntText)) {
    throw valueError(
      `Exceeds the limit (${maxIntDigits} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit`,
    )
  }
  return String(value)
}

function objectRepr(context: ContextView, value: Value[] | PyObject): string {
  if (value instanceof PyFloat) return floatRepr(value.value)
  if (value instanceof Markup) return `Markup(${quote(value.text)})`
  if (value instanceof PyBytes) return quoteBytes(value.bytes)
  if (value instanceof Undefined) return 'Undefined'
  if (Array.isArray(value) || value instanceof PyTuple || value instanceof PyDict) {
    const writer = new Writer(context)
    writer.write(value)
    return writer.text
  }
  return value.displayRepr()
}

function undefinedText(value: Undefined): string {
  if (value.kind === 'strict') return failUndefined(value, undefinedMessage(value))
  if (value.kind !== 'debug') return ''
  if (value.hint !== undefined) return `{{ undefined value printed: ${value.hint} }}`
  if (value.object === undefined) return `{{ ${typeof value.key === 'string' ? value.key : 'None'} }}`
  return `{{ ${undefinedMessage(value, true)} }}`
}

/** Writes nested containers; counts its work, as a small value can hold itself many times over. */
class Writer {
  text = ''
  private readonly context: ContextView
  private readonly open = new Set<Value>()

  constructor(context: ContextView) {
    this.context = context
  }

  write(value: Value): void {
    if (!(Array.isArray(value) || value instanceof PyTuple || value instanceof PyDict)) {
      this.add(repr(this.context, value))
    } else if (this.open.has(value)) {
      this.add(Array.isArray(value) ? '[...]' : value instanceof PyDict ? '{...}' : '(...)')
    } else {
      this.open.add(value)
      if (Array.isArray(value)) this.list(value)
      else if (value instanceof PyDict) this.dict(value)
      else this.tuple(value)
      this.open.delete(value)
    }
  }

  private add(text: string): void {
    this.context.step(1)
    this.text += text
    if (this.text.length > 1024) this.context.allocate(this.text.length >> 10)
  }

  private list(items: readonly Value[]): void {
    this.add('[')
    this.items(items)
    this.add(']')
  }

  private tuple(tuple: PyTuple): void {
    const { items, fields } = tuple
    if (fields !== undefined && tuple.typeName !== '_GroupTuple') {
      this.add(`${tuple.typeName}(`)
      items.forEach((item, index) => {
        this.add(`${index > 0 ? ', ' : ''}${fields[index]}=`)
        this.write(item)
      })
      this.add(')')
      return
    }
    this.add('(')
    this.items(items)
    this.add(items.length === 1 ? ',)' : ')')
  }

  private items(items: readonly Value[]): void {
    items.forEach((item, index) => {
      if (index > 0) this.add(', ')
      this.write(item)
    })
  }

  private dict(dict: PyDict): void {
    this.add('{')
    let first = true
    for (const [key, value] of dict.entries()) {
      if (!first) this.add(', ')
      first = false
      this.write(key)
      this.add(': ')
      this.write(value)
    }
    this.add('}')
  }
}
