import { escapeText, escapeValue } from '../python/escape.ts'
import { resolveEntities, stripTags } from '../python/html.ts'
import { counted } from '../python/iterate.ts'
import type { Context } from '../runtime/context.ts'
import { type Kwargs, Markup, PyTuple, type Value } from '../values.ts'
import { positional } from './define.ts'
import type { Method, MethodTable } from './method.ts'
import { stringMethods } from './string.ts'

/** Methods of str whose result is markup again. */
const wrapped = [
  'capitalize',
  'casefold',
  'center',
  'expandtabs',
  'ljust',
  'lower',
  'lstrip',
  'partition',
  'removeprefix',
  'removesuffix',
  'replace',
  'rjust',
  'rpartition',
  'rsplit',
  'rstrip',
  'split',
  'splitlines',
  'strip',
  'swapcase',
  'title',
  'translate',
  'upper',
  'zfill',
]

function asMarkup(value: Value): Value {
  if (typeof value === 'string') return new Markup(value)
  if (Array.isArray(value)) return value.map(asMarkup)
  return value instanceof PyTuple ? new PyTuple(value.items.map(asMarkup)) : value
}

/** The methods whose second argument (the new text, the fill character) is escaped. */
const escapesSecond = new Set(['replace', 'center', 'ljust', 'rjust'])

function wrap(name: string, method: Method): Method {
  if (!escapesSecond.has(name)) return (context, self, args, kwargs) => asMarkup(method(context, self, args, kwargs))
  const escaped = (value: Value, at: number) => (at === 1 && typeof value === 'string' ? escapeText(value) : value)
  return (context: Context, self: Value, args: Value[], kwargs: Kwargs) =>
    asMarkup(method(context, self, args.map(escaped), kwargs))
}

const own: [string, Method][] = [
  positional('join', 1, 1, (context, self: Markup, items = null) => {
    const parts: string[] = []
    let size = 0
    for (const item of counted(context, items)) {
      const text = escapeValue(context, item)
      size += text.length + self.text.length
      context.allocate(size > 65536 ? size : 0)
      parts.push(text)
    }
    return new Markup(parts.join(self.text))
  }),
  positional('unescape', 0, 0, (context, self: Markup) => {
    context.allocate(self.text.length)
    return resolveEntities(self.text)
  }),
  positional('striptags', 0, 0, (context, self: Markup) => {
    context.allocate(self.text.length)
    return stripTags(self.text)
  }),
]

/** The methods of Markup. */
export const markupMethods: MethodTable = new Map<string, Method>([
  ...stringMethods,
  ...wrapped.flatMap((name): [string, Method][] => {
    const method = stringMethods.get(name)
    return method === undefined ? [] : [[name, wrap(name, method)]]
  }),
  ...own,
])
