import { typeError, valueError } from '../errors.ts'
import type { Context } from '../runtime/context.ts'
import type { Value } from '../values.ts'
import { counted, isIterable } from './iterate.ts'
import { typeName } from './types.ts'
import { refuseUndefined } from './undefined.ts'

/** The items of `a, b = value`. Throws TypeError for what cannot be looped over, ValueError for another number of items. */
export function unpack(context: Context, value: Value, count: number): Value[] {
  if (!isIterable(value)) {
    refuseUndefined(value)
    throw typeError(`cannot unpack non-iterable ${typeName(value)} object`)
  }
  const items: Value[] = []
  for (const item of counted(context, value)) {
    if (items.length === count) throw valueError(`too many values to unpack (expected ${count})`)
    items.push(item)
  }
  if (items.length < count) {
    throw valueError(`not enough values to unpack (expected ${count}, got ${items.length})`)
  }
  return items
}
