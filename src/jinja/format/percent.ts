import type { Context } from '../runtime/context.ts'
import type { Value } from '../values.ts'
export function formatPercent(_context: Context, text: string, _args: Value, _markup: boolean): string {
  return text
}
