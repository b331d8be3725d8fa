import { FilterArgumentError, TemplateRuntimeError } from '../errors.ts'
import { textOf } from '../python/compare.ts'
import { repr } from '../python/display.ts'
import { counted, PyIterator } from '../python/iterate.ts'
import { quote } from '../python/quote.ts'
import { truth } from '../python/truth.ts'
import type { Context, FilterFunction } from '../runtime/context.ts'
import type { Kwargs, Value } from '../values.ts'
import { attributeGetter, type Getter } from './attributes.ts'

/** Calls a filter by name. Throws TemplateRuntimeError when there is none. */
function callFilter(context: Context, name: Value, item: Value, args: Value[], kwargs: Kwargs): Value {
  const found = context.engine.filters.get(textOf(name) ?? '')
  if (found === undefined) throw new TemplateRuntimeError(`No filter named ${repr(context, name)}.`)
  return found(context, item, args.slice(), kwargs)
}

function callTest(context: Context, name: Value, item: Value, args: Value[], kwargs: Kwargs): boolean {
  const found = context.engine.tests.get(textOf(name) ?? '')
  if (found === undefined) throw new TemplateRuntimeError(`No test named ${repr(context, name)}.`)
  return found(context, item, args.slice(), kwargs)
}

function mapper(context: Context, args: Value[], kwargs: Kwargs): Getter {
  const attribute = kwargs.get('attribute')
  if (args.length === 0 && attribute !== undefined) {
    const unknown = [...kwargs.keys()].find(name => name !== 'attribute' && name !== 'default')
    if (unknown !== undefined) throw new FilterArgumentError(`Unexpected keyword argument ${quote(unknown)}`)
    return attributeGetter(context, attribute, kwargs.get('default') ?? null)
  }
  const [name, ...rest] = args
  if (name === undefined) throw new FilterArgumentError('map requires a filter argument')
  return item => callFilter(context, name, item, rest, kwargs)
}

function* mapped(context: Context, value: Value, args: Value[], kwargs: Kwargs): Generator<Value, undefined> {
  if (!truth(value)) return
  const map = mapper(context, args, kwargs)
  for (const item of counted(context, value)) yield map(item)
}

interface Selection {
  readonly byAttribute: boolean
  readonly keep: boolean
}

function* selected(
  context: Context,
  value: Value,
  args: Value[],
  kwargs: Kwargs,
  selection: Selection,
): Generator<Value, undefined> {
  if (!truth(value)) return
  const rest = args.slice()
  let getter: Getter = item => item
  if (selection.byAttribute) {
    const attribute = rest.shift()
    if (attribute === undefined) throw new FilterArgumentError('Missing parameter for attribute name')
    getter = attributeGetter(context, attribute)
  }
  const [name, ...testArgs] = rest
  for (const item of counted(context, value)) {
    const tested = getter(item)
    const holds = name === undefined ? truth(tested) : callTest(context, name, tested, testArgs, kwargs)
    if (holds === selection.keep) yield item
  }
}

function selecting(selection: Selection): FilterFunction {
  return (context, value, args, kwargs) => new PyIterator(selected(context, value, args, kwargs, selection))
}

/** Filters that apply filters and tests to every item. */
export const selectFilters: readonly [string, FilterFunction][] = [
  ['map', (context, value, args, kwargs) => new PyIterator(mapped(context, value, args, kwargs))],
  ['select', selecting({ byAttribute: false, keep: true })],
  ['reject', selecting({ byAttribute: false, keep: false })],
  ['selectattr', selecting({ byAttribute: true, keep: true })],
  ['rejectattr', selecting({ byAttribute: true, keep: false })],
]
