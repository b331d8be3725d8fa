import { FilterArgumentError, PythonError, typeError } from '../errors.ts'
import { needInt } from '../methods/define.ts'
import { joinTexts } from '../methods/string.ts'
import { binary } from '../python/arith.ts'
import { ordered, same, textOf } from '../python/compare.ts'
import { str } from '../python/display.ts'
import { escapeText, escapeValue } from '../python/escape.ts'
import { counted, length, PyIterator, toList } from '../python/iterate.ts'
import { sorted } from '../python/sort.ts'
import { truth } from '../python/truth.ts'
import { typeName } from '../python/types.ts'
import { failUse, refuseStrict } from '../python/undefined.ts'
import type { Context, FilterFunction } from '../runtime/context.ts'
import { hashText, Markup, PyDict, PyTuple, Undefined, type Value } from '../values.ts'
import { attributeGetter, ignoreCase, keyGetter, multiGetter } from './attributes.ts'
import { filter } from './define.ts'
import { first, last, random, reverse } from './ends.ts'

function* batches(context: Context, value: Value, size: number, fill: Value): Generator<Value, undefined> {
  let batch: Value[] = []
  for (const item of counted(context, value)) {
    if (batch.length === size) {
      yield batch
      batch = []
    }
    batch.push(item)
  }
  if (batch.length === 0) return
  if (fill !== null && batch.length < size) {
    context.allocate(size * 8)
    while (batch.length < size) batch.push(fill)
  }
  yield batch
}

function* slices(context: Context, value: Value, count: number, fill: Value): Generator<Value, undefined> {
  const items = toList(context, value)
  if (count === 0) throw new PythonError('ZeroDivisionError', 'integer division or modulo by zero')
  const size = Math.floor(items.length / count)
  const longer = items.length - size * count
  let at = 0
  for (let index = 0; index < count; index++) {
    context.step(1)
    const end = at + size + (index < longer ? 1 : 0)
    const slice = items.slice(at, end)
    if (fill !== null && index >= longer) slice.push(fill)
    yield slice
    at = end
  }
}

function groupBy(context: Context, value: Value, attribute: Value, fallback: Value, caseSensitive: boolean): Value {
  const key = keyGetter(context, attribute, caseSensitive, fallback)
  const shown = attributeGetter(context, attribute, fallback)
  const groups: { key: Value; items: Value[] }[] = []
  for (const item of sorted(context, toList(context, value), key)) {
    const itemKey = key(item)
    const last = groups.at(-1)
    if (last !== undefined && same(context, last.key, itemKey)) last.items.push(item)
    else groups.push({ key: itemKey, items: [item] })
  }
  return groups.map(({ key: groupKey, items }) => {
    const label = caseSensitive ? groupKey : shown(items[0] ?? null)
    return new PyTuple([label, items], ['grouper', 'list'], '_GroupTuple')
  })
}

function* uniques(
  context: Context,
  value: Value,
  caseSensitive: boolean,
  attribute: Value,
): Generator<Value, undefined> {
  const key = keyGetter(context, attribute, caseSensitive)
  const seen = new Set<string>()
  for (const item of counted(context, value)) {
    const unique = key(item)
    refuseStrict(unique)
    const text = hashText(unique)
    if (seen.has(text)) continue
    seen.add(text)
    yield item
  }
}

function extreme(context: Context, value: Value, caseSensitive: boolean, attribute: Value, most: boolean): Value {
  const key = keyGetter(context, attribute, caseSensitive)
  let best: { item: Value; key: Value } | undefined
  for (const item of counted(context, value)) {
    const itemKey = key(item)
    if (best === undefined || ordered(context, most ? '>' : '<', itemKey, best.key)) best = { item, key: itemKey }
  }
  return best === undefined ? context.undefinedHint('No aggregated item, sequence was empty.') : best.item
}

function join(context: Context, value: Value, separator: Value, attribute: Value): Value {
  const getter = attribute === null ? undefined : attributeGetter(context, attribute)
  const items = toList(context, value)
  const values = getter === undefined ? items : items.map(getter)
  if (!context.autoescape) {
    return joinTexts(
      context,
      str(context, separator),
      values.map(item => str(context, item)),
    )
  }
  const markup = separator instanceof Markup || values.some(item => item instanceof Markup)
  if (!markup)
    return joinTexts(
      context,
      str(context, separator),
      values.map(item => str(context, item)),
    )
  const escaped = values.map(item => escapeValue(context, item))
  const between = separator instanceof Markup ? separator.text : escapeText(str(context, separator))
  return new Markup(joinTexts(context, between, escaped))
}

function add(context: Context, a: Value, b: Value): Value {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b
  return binary(context, '+', a, b)
}

function sum(context: Context, value: Value, attribute: Value, start: Value): Value {
  const getter = attribute === null ? (item: Value) => item : attributeGetter(context, attribute)
  if (textOf(start) !== undefined) throw typeError("sum() can't sum strings [use ''.join(seq) instead]")
  let total = start
  if (Array.isArray(value)) {
    context.step(value.length)
    for (const item of value) total = add(context, total, getter(item))
    return total
  }
  for (const item of counted(context, value)) total = add(context, total, getter(item))
  return total
}

function dictSort(context: Context, value: Value, caseSensitive: boolean, by: Value, reversed: boolean): Value {
  if (by !== 'key' && by !== 'value') throw new FilterArgumentError('You can only sort by either "key" or "value"')
  if (!(value instanceof PyDict)) {
    if (value instanceof Undefined) failUse(value)
    throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute 'items'`)
  }
  const pairs = Array.from(value.entries(), pair => new PyTuple(pair))
  const at = by === 'key' ? 0 : 1
  const key = (pair: Value) => {
    const part = (pair as PyTuple).items[at] ?? null
    return caseSensitive ? part : ignoreCase(part)
  }
  return sorted(context, pairs, key, reversed)
}

function* items(context: Context, value: Value): Generator<Value, undefined> {
  if (value instanceof Undefined) return
  if (!(value instanceof PyDict)) throw typeError('Can only get item pairs from a mapping.')
  for (const pair of value.entries()) {
    context.step(1)
    yield new PyTuple(pair)
  }
}

const lengthFilter = filter('len', [], 0, (_context, value) => length(value))

function minMax(name: string, most: boolean): FilterFunction {
  return filter(name, ['case_sensitive', 'attribute'], 0, (context, value, caseSensitive = false, attribute = null) =>
    extreme(context, value, truth(caseSensitive), attribute, most),
  )
}

/** Filters on sequences and mappings. */
export const sequenceFilters: readonly [string, FilterFunction][] = [
  ['length', lengthFilter],
  ['count', lengthFilter],
  ['list', filter('do_list', [], 0, toList)],
  ['first', filter('do_first', [], 0, first)],
  ['last', filter('do_last', [], 0, last)],
  ['random', filter('do_random', [], 0, random)],
  ['reverse', filter('do_reverse', [], 0, reverse)],
  ['items', filter('do_items', [], 0, (context, value) => new PyIterator(items(context, value)))],
  [
    'batch',
    filter(
      'do_batch',
      ['linecount', 'fill_with'],
      1,
      (context, value, size = null, fill = null) => new PyIterator(batches(context, value, needInt(size), fill)),
    ),
  ],
  [
    'slice',
    filter(
      'do_slice',
      ['slices', 'fill_with'],
      1,
      (context, value, count = null, fill = null) => new PyIterator(slices(context, value, needInt(count), fill)),
    ),
  ],
  [
    'join',
    filter('do_join', ['d', 'attribute'], 0, (context, value, separator = '', attribute = null) =>
      join(context, value, separator, attribute),
    ),
  ],
  [
    'sum',
    filter('do_sum', ['attribute', 'start'], 0, (context, value, attribute = null, start = 0) =>
      sum(context, value, attribute, start),
    ),
  ],
  [
    'sort',
    filter(
      'do_sort',
      ['reverse', 'case_sensitive', 'attribute'],
      0,
      (context, value, reversed = false, caseSensitive = false, attribute = null) => {
        const after = truth(caseSensitive) ? (part: Value) => part : ignoreCase
        return sorted(context, toList(context, value), multiGetter(context, attribute, after), truth(reversed))
      },
    ),
  ],
  [
    'groupby',
    filter(
      'do_groupby',
      ['attribute', 'default', 'case_sensitive'],
      1,
      (context, value, attribute = null, fallback = null, caseSensitive = false) =>
        groupBy(context, value, attribute, fallback, truth(caseSensitive)),
    ),
  ],
  [
    'unique',
    filter(
      'do_unique',
      ['case_sensitive', 'attribute'],
      0,
      (context, value, caseSensitive = false, attribute = null) =>
        new PyIterator(uniques(context, value, truth(caseSensitive), attribute)),
    ),
  ],
  ['min', minMax('do_min', false)],
  ['max', minMax('do_max', true)],
  [
    'dictsort',
    filter(
      'do_dictsort',
      ['case_sensitive', 'by', 'reverse'],
      0,
      (context, value, caseSensitive = false, by = 'key', reversed = false) =>
        dictSort(context, value, truth(caseSensitive), by, truth(reversed)),
    ),
  ],
]
