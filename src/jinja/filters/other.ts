import { PythonError, typeError, valueError } from '../errors.ts'
import { dumpJson } from '../json/dumps.ts'
import { getOnlyAttribute } from '../python/access.ts'
import { textOf } from '../python/compare.ts'
import { str } from '../python/display.ts'
import { escapeValue } from '../python/escape.ts'
import { quote } from '../python/quote.ts'
import { truth } from '../python/truth.ts'
import { typeName } from '../python/types.ts'
import { failUse } from '../python/undefined.ts'
import type { Context, FilterFunction } from '../runtime/context.ts'
import { Markup, PyDict, Undefined, type Value } from '../values.ts'
import { filter } from './define.ts'
import { pformat } from './pprint.ts'

const defaultFilter = filter(
  'do_default',
  ['default_value', 'boolean'],
  0,
  (_context, value, fallback = '', boolean = false) =>
    value instanceof Undefined || (truth(boolean) && !truth(value)) ? fallback : value,
)

const unsafeInHtml: Record<string, string> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', "'": '\\u0027' }

function toJson(context: Context, value: Value, indent: Value): Value {
  const text = dumpJson(value, {
    sortKeys: context.engine.policies.jsonSortKeys,
    indent: indent === null ? undefined : typeof indent === 'number' ? indent : (textOf(indent) ?? 0),
    step: count => context.step(count),
  })
  context.allocate(text.length)
  return new Markup(text.replace(/[<>&']/g, char => unsafeInHtml[char] ?? char))
}

function xmlAttributes(context: Context, value: Value, spaced: boolean): Value {
  if (value instanceof Undefined) failUse(value)
  if (!(value instanceof PyDict)) {
    throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute 'items'`)
  }
  const parts: string[] = []
  for (const [key, item] of value.entries()) {
    context.step(1)
    if (item === null || item instanceof Undefined) continue
    const name = textOf(key)
    if (name === undefined) throw typeError(`expected string or bytes-like object, got '${typeName(key)}'`)
    if (/[\s/>=]/.test(name)) throw valueError(`Invalid character in attribute name: ${quote(name)}`)
    parts.push(`${escapeValue(context, key)}="${escapeValue(context, item)}"`)
  }
  const text = (spaced && parts.length > 0 ? ' ' : '') + parts.join(' ')
  context.allocate(text.length)
  return context.autoescape ? new Markup(text) : text
}

/** Filters that are about neither text nor sequences. */
export const otherFilters: readonly [string, FilterFunction][] = [
  ['default', defaultFilter],
  ['d', defaultFilter],
  [
    'attr',
    filter('do_attr', ['name'], 1, (context, value, name = null) =>
      getOnlyAttribute(context, value, str(context, name)),
    ),
  ],
  ['pprint', filter('do_pprint', [], 0, (context, value) => pformat(context, value))],
  ['tojson', filter('do_tojson', ['indent'], 0, (context, value, indent = null) => toJson(context, value, indent))],
  [
    'xmlattr',
    filter('do_xmlattr', ['autospace'], 0, (context, value, autospace = true) =>
      xmlAttributes(context, value, truth(autospace)),
    ),
  ],
]
