import type { TestFunction } from '../runtime/context.ts'
import { Undefined } from '../values.ts'

/** Jinja2's tests by name. */
export const builtinTests: ReadonlyMap<string, TestFunction> = new Map<string, TestFunction>([
  ['defined', (_context, value) => !(value instanceof Undefined)],
  ['undefined', (_context, value) => value instanceof Undefined],
])
