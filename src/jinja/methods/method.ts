import { typeError } from '../errors.ts'
import { typeName } from '../python/types.ts'
import type { Context } from '../runtime/context.ts'
import { type ContextView, type Kwargs, PyCallable, type Value } from '../values.ts'

/** A method of a built-in type. */
export type Method<T extends Value = Value> = (context: Context, self: T, args: Value[], kwargs: Kwargs) => Value

/** The allow-listed methods of a type. */
export type MethodTable = ReadonlyMap<string, Method>

/** `x.method` as a value that can be called later. */
export class BoundMethod extends PyCallable {
  readonly self: Value
  readonly name: string
  private readonly method: Method

  constructor(self: Value, name: string, method: Method) {
    super()
    this.self = self
    this.name = name
    this.method = method
  }

  get typeName(): string {
    return 'builtin_function_or_method'
  }

  override invoke(context: ContextView, args: Value[], kwargs: Kwargs): Value {
    return this.method(context as Context, this.self, args, kwargs)
  }

  override display(): string {
    return `<built-in method ${this.name} of ${typeName(this.self)} object>`
  }
}

/**
 * Positional and keyword arguments in the order of `names`; absent ones are undefined. Names that begin with `/` are
 * positional only. Throws Python's TypeError for too many, unknown and missing arguments.
 */
export function bindArguments(
  owner: string,
  names: readonly string[],
  required: number,
  args: readonly Value[],
  kwargs: Kwargs,
): (Value | undefined)[] {
  if (args.length > names.length) throw typeError(tooMany(owner, names.length, required, args.length))
  const bound: (Value | undefined)[] = args.slice()
  for (const [name, value] of kwargs) {
    const at = names.indexOf(name)
    if (at < 0) throw typeError(`${owner}() got an unexpected keyword argument '${name}'`)
    if (bound[at] !== undefined) throw typeError(`${owner}() got multiple values for argument '${name}'`)
    bound[at] = value
  }
  for (let at = 0; at < required; at++) {
    if (bound[at] === undefined) throw typeError(missing(owner, names, required, bound))
  }
  return bound
}

function tooMany(owner: string, most: number, least: number, given: number): string {
  const range = least === most ? `${most}` : `from ${least} to ${most}`
  return `${owner}() takes ${range} positional argument${most === 1 ? '' : 's'} but ${given} ${given === 1 ? 'was' : 'were'} given`
}

function missing(
  owner: string,
  names: readonly string[],
  required: number,
  bound: readonly (Value | undefined)[],
): string {
  const absent = names.slice(0, required).filter((_, at) => bound[at] === undefined)
  const listed = absent.map(name => `'${name}'`).join(' and ')
  return `${owner}() missing ${absent.length} required positional argument${absent.length === 1 ? '' : 's'}: ${listed}`
}
