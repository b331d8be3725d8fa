import type { Value } from '../values.ts'

/** Jinja2's globals by name. */
export const builtinGlobals: ReadonlyMap<string, Value> = new Map()
