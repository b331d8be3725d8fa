import type { Context } from '../runtime/context.ts'
import type { Value } from '../values.ts'
import { ordered } from './compare.ts'

/** `sorted(items, key=…, reverse=…)`: stable, comparing with `<` only. Throws TypeError for what has no order. */
export function sorted(
  context: Context,
  items: readonly Value[],
  keyOf: (item: Value) => Value = item => item,
  reverse = false,
): Value[] {
  context.allocate(items.length * 8)
  const keyed = items.map(item => ({ item, key: keyOf(item) }))
  if (reverse) keyed.reverse()
  keyed.sort((a, b) => {
    context.step(1)
    if (ordered(context, '<', a.key, b.key)) return -1
    return ordered(context, '<', b.key, a.key) ? 1 : 0
  })
  if (reverse) keyed.reverse()
  return keyed.map(({ item }) => item)
}
