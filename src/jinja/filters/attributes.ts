import { lower } from '../methods/case.ts'
import { getItem } from '../python/access.ts'
import { isInt } from '../python/arith.ts'
import { textOf } from '../python/compare.ts'
import { str } from '../python/display.ts'
import type { Context } from '../runtime/context.ts'
import { Markup, Undefined, type Value } from '../values.ts'

/** Reads something from an item. */
export type Getter = (item: Value) => Value

function path(context: Context, attribute: Value): Value[] {
  if (attribute === null) return []
  if (isInt(attribute)) return [attribute]
  const parts = (textOf(attribute) ?? str(context, attribute)).split('.')
  return parts.map(part => (/^\d+$/.test(part) ? Number(part) : part))
}

/** Reads `a.b.0` of an item; `fallback` replaces what is undefined on the way. */
export function attributeGetter(context: Context, attribute: Value, fallback: Value = null): Getter {
  const parts = path(context, attribute)
  return item => {
    let value = item
    for (const part of parts) {
      value = getItem(context, value, part)
      if (fallback !== null && value instanceof Undefined) value = fallback
    }
    return value
  }
}

/** Reads several attributes, `a,b.c`, as a list to sort by. */
export function multiGetter(context: Context, attribute: Value, after: Getter): Getter {
  const text = textOf(attribute)
  const getters = (text === undefined ? [attribute] : text.split(',')).map(part => attributeGetter(context, part))
  return item => getters.map(getter => after(getter(item)))
}

/** A str in lower case, anything else as it is: the key of comparisons that ignore case. */
export function ignoreCase(value: Value): Value {
  if (typeof value === 'string') return lower(value)
  return value instanceof Markup ? new Markup(lower(value.text)) : value
}

/** The getter of an optional attribute, ignoring case unless told otherwise. */
export function keyGetter(context: Context, attribute: Value, caseSensitive: boolean, fallback: Value = null): Getter {
  const getter = attributeGetter(context, attribute, fallback)
  return caseSensitive ? getter : item => ignoreCase(getter(item))
}
