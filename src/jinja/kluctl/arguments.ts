import { typeError } from '../errors.ts'
import type { HostFilter } from '../options.ts'
import type { ContextView, HostCall, Kwargs, Value } from '../values.ts'

/** A parameter name; a trailing `?` makes it optional. */
type Parameter = string

/**
 * Sorts positional and keyword arguments into the order of `parameters`; absent optional ones are undefined.
 * Throws TypeError as Python does for a missing, unknown or doubled argument.
 */
export function bind(
  name: string,
  parameters: readonly Parameter[],
  args: readonly Value[],
  kwargs: Kwargs,
): (Value | undefined)[] {
  if (args.length > parameters.length) {
    throw typeError(`${name}() takes ${parameters.length} positional arguments but ${args.length} were given`)
  }
  const bound: (Value | undefined)[] = parameters.map((_, index) => args[index])
  for (const [key, value] of kwargs) {
    const at = parameters.findIndex(parameter => parameter === key || parameter === `${key}?`)
    if (at < 0) throw typeError(`${name}() got an unexpected keyword argument '${key}'`)
    if (bound[at] !== undefined) throw typeError(`${name}() got multiple values for argument '${key}'`)
    bound[at] = value
  }
  const missing = parameters.findIndex((parameter, at) => !parameter.endsWith('?') && bound[at] === undefined)
  if (missing >= 0) throw typeError(`${name}() missing 1 required positional argument: '${parameters[missing]}'`)
  return bound
}

type Body = (context: ContextView, args: (Value | undefined)[]) => Value

/** A function of the host with named parameters. */
export function callable(name: string, parameters: readonly Parameter[], body: Body): HostCall {
  return (context, args, kwargs) => body(context, bind(name, parameters, args, kwargs))
}

/** A filter of the host with named parameters after the filtered value. */
export function filter(
  name: string,
  parameters: readonly Parameter[],
  body: (context: ContextView, value: Value, args: (Value | undefined)[]) => Value,
): HostFilter {
  return (context, value, args, kwargs) => body(context, value, bind(name, parameters, args, kwargs))
}
