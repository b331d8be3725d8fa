import type { EnvironmentOptions } from '../options.ts'
import { plainFilters } from './filters.ts'
import { globals, renderFilter } from './functions.ts'
import type { KluctlHost } from './host.ts'
import { searchPathLoader } from './search-path.ts'

export { type ConfinedReaderOptions, confinedReader } from './confined-reader.ts'
export type { KluctlHost } from './host.ts'
export { type FoundFile, findFile, searchPathLoader } from './search-path.ts'

/**
 * What kluctl 2.28 sets on its Jinja2 environment: strict undefined, `loopcontrols`, its filters, functions and search
 * path (documentation: kluctl, docs/kluctl/templating). Give it to `new Environment`, with `globals` of your own merged
 * into the ones here. Nothing is shared between two results except the host.
 */
export function kluctlExtensions(host: KluctlHost): {
  undefined: 'strict'
  extensions: NonNullable<EnvironmentOptions['extensions']>
  filters: NonNullable<EnvironmentOptions['filters']>
  globals: NonNullable<EnvironmentOptions['globals']>
  loader: NonNullable<EnvironmentOptions['loader']>
} {
  return {
    undefined: 'strict',
    extensions: ['loopcontrols'],
    filters: new Map([...plainFilters(), ['render', renderFilter]]),
    globals: globals(host),
    loader: searchPathLoader(host),
  }
}
