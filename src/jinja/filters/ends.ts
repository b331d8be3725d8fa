import { FilterArgumentError, typeError } from '../errors.ts'
import { textOf } from '../python/compare.ts'
import { isIterable, iterate, length, PyIterator, toList } from '../python/iterate.ts'
import { PyRange } from '../python/range.ts'
import { typeName } from '../python/types.ts'
import { failUse } from '../python/undefined.ts'
import { DictView } from '../python/views.ts'
import type { Context } from '../runtime/context.ts'
import { Markup, PyDict, PyTuple, Undefined, type Value } from '../values.ts'

/** The values of something that `reversed` takes, last first; undefined when it does not. */
function backwards(context: Context, value: Value): Value[] | undefined {
  if (value instanceof Undefined) return value.kind === 'strict' ? failUse(value) : []
  const reversible =
    Array.isArray(value) ||
    textOf(value) !== undefined ||
    value instanceof PyTuple ||
    value instanceof PyDict ||
    value instanceof DictView ||
    value instanceof PyRange
  return reversible ? toList(context, value).reverse() : undefined
}

/** What Python calls the iterator that `reversed` gives. */
function reversedName(value: Value): string {
  if (Array.isArray(value)) return 'list_reverseiterator'
  return value instanceof PyDict ? 'dict_reversekeyiterator' : 'reversed'
}

/** The `reverse` filter: text for text, an iterator for what `reversed` takes, else a list. */
export function reverse(context: Context, value: Value): Value {
  const text = textOf(value)
  if (text !== undefined) {
    context.allocate(text.length)
    const reversed = Array.from(text).reverse().join('')
    return value instanceof Markup ? new Markup(reversed) : reversed
  }
  if (value instanceof PyRange && value.length > 0) {
    const range = value.slice({ start: value.length - 1, stop: -1, step: -1 })
    return new PyIterator(range.iterate(), 'range_iterator')
  }
  const items = backwards(context, value)
  if (items !== undefined) return new PyIterator(items[Symbol.iterator](), reversedName(value))
  if (!isIterable(value)) throw new FilterArgumentError('argument must be iterable')
  return toList(context, value).reverse()
}

/** The `last` filter. Throws TypeError for what has no end to begin with. */
export function last(context: Context, value: Value): Value {
  if (value instanceof PyRange && value.length > 0) return value.at(value.length - 1)
  const items = backwards(context, value)
  if (items === undefined) throw typeError(`'${typeName(value)}' object is not reversible`)
  if (items.length === 0) return context.undefinedHint('No last item, sequence was empty.')
  const item = items[0] ?? null
  return value instanceof Markup && typeof item === 'string' ? new Markup(item) : item
}

/** The `first` filter. */
export function first(context: Context, value: Value): Value {
  for (const item of iterate(value)) return item
  return context.undefinedHint('No first item, sequence was empty.')
}

/** The `random` filter, by the engine's own source of chance. */
export function random(context: Context, value: Value): Value {
  const items = Array.isArray(value) ? value : toList(context, value)
  length(value)
  if (items.length === 0) return context.undefinedHint('No random item, sequence was empty.')
  return items[Math.floor(context.engine.random() * items.length)] ?? null
}
