import { bindArguments } from '../methods/method.ts'
import type { Context, FilterFunction } from '../runtime/context.ts'
import type { Value } from '../values.ts'

/** A filter's work: its value and its arguments in the order they were declared in, undefined when absent. */
export type FilterBody = (context: Context, value: Value, ...args: (Value | undefined)[]) => Value

/**
 * A filter with named parameters. `required` of them have to be given.
 * `owner` is the name that Python's messages use.
 */
export function filter(owner: string, params: readonly string[], required: number, body: FilterBody): FilterFunction {
  const named = ['value', ...params]
  if (params.length === 0) {
    return (context, value, args, kwargs) => {
      if (args.length > 0 || kwargs.size > 0) bindArguments(owner, named, 1, [value, ...args], kwargs)
      return body(context, value)
    }
  }
  return (context, value, args, kwargs) => {
    if (kwargs.size === 0 && args.length <= params.length && args.length >= required) {
      // Spreading costs more than many a filter does.
      if (args.length === 0) return body(context, value)
      if (args.length === 1) return body(context, value, args[0])
      return args.length === 2 ? body(context, value, args[0], args[1]) : body(context, value, ...args)
    }
    return body(context, value, ...bindArguments(owner, named, required + 1, [value, ...args], kwargs).slice(1))
  }
}
