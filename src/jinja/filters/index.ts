import { str } from '../python/display.ts'
import { truth } from '../python/truth.ts'
import type { FilterFunction } from '../runtime/context.ts'
import { Undefined } from '../values.ts'
import { filter } from './define.ts'

const defaultFilter = filter(
  'do_default',
  ['default_value', 'boolean'],
  0,
  (_context, value, fallback = '', boolean = false) =>
    value instanceof Undefined || (truth(boolean) && !truth(value)) ? fallback : value,
)

/** Jinja2's filters by name. */
export const builtinFilters: ReadonlyMap<string, FilterFunction> = new Map<string, FilterFunction>([
  ['default', defaultFilter],
  ['d', defaultFilter],
  ['lower', filter('do_lower', [], 0, (context, value) => str(context, value).toLowerCase())],
  ['upper', filter('do_upper', [], 0, (context, value) => str(context, value).toUpperCase())],
])
