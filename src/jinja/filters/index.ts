import type { FilterFunction } from '../runtime/context.ts'
import { numberFilters } from './numbers.ts'
import { otherFilters } from './other.ts'
import { selectFilters } from './select.ts'
import { sequenceFilters } from './sequences.ts'
import { textFilters } from './text.ts'
import { urlFilters } from './urls.ts'
import { wordwrap } from './wrap.ts'

/** Jinja2's filters by name. */
export const builtinFilters: ReadonlyMap<string, FilterFunction> = new Map<string, FilterFunction>([
  ...textFilters,
  ...numberFilters,
  ...sequenceFilters,
  ...selectFilters,
  ...urlFilters,
  ...otherFilters,
  ['wordwrap', wordwrap],
])
