import { repr } from '../python/display.ts'
import type { Context } from '../runtime/context.ts'
import type { Value } from '../values.ts'
export function pformat(context: Context, value: Value): string {
  return repr(context, value)
}
