import { typeError } from '../errors.ts'
import type { Arguments, Expr } from '../parser/ast.ts'
import { str } from '../python/display.ts'
import { toList } from '../python/iterate.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import type { Eval, Frame } from '../runtime/frame.ts'
import { type Kwargs, noKwargs, PyDict, type Value } from '../values.ts'

/** Compiled arguments: each evaluated anew for every call. */
export interface CompiledArguments {
  positional(frame: Frame): Value[]
  keywords(frame: Frame): Kwargs
}

/** Compiles the arguments of a call, filter or test; `caller` adds the keyword that a call block passes. */
export function compileArguments(node: Arguments, compile: (node: Expr) => Eval, caller?: Eval): CompiledArguments {
  return { positional: compilePositional(node, compile), keywords: compileKeywords(node, compile, caller) }
}

function compilePositional(node: Arguments, compile: (node: Expr) => Eval): (frame: Frame) => Value[] {
  const args = node.args.map(compile)
  const rest = node.dynArgs === null ? undefined : compile(node.dynArgs)
  if (rest !== undefined) return frame => [...args.map(arg => arg(frame)), ...toList(frame.context, rest(frame))]
  const [first, second] = args
  if (first === undefined) return () => []
  if (second === undefined) return frame => [first(frame)]
  return frame => args.map(arg => arg(frame))
}

function compileKeywords(
  node: Arguments,
  compile: (node: Expr) => Eval,
  caller: Eval | undefined,
): (frame: Frame) => Kwargs {
  const named = node.kwargs.map(([name, value]) => [name, compile(value)] as const)
  if (caller !== undefined) named.push(['caller', caller])
  const rest = node.dynKwargs === null ? undefined : compile(node.dynKwargs)
  if (named.length === 0 && rest === undefined) return () => noKwargs
  return frame => {
    const kwargs = new Map<string, Value>()
    for (const [name, value] of named) kwargs.set(name, value(frame))
    if (rest !== undefined) spread(frame, rest(frame), kwargs)
    return kwargs
  }
}

function spread(frame: Frame, value: Value, kwargs: Map<string, Value>): void {
  refuseUndefined(value)
  if (!(value instanceof PyDict)) throw typeError(`argument after ** must be a mapping, not ${typeName(value)}`)
  for (const [key, item] of value.entries()) {
    if (typeof key !== 'string') throw typeError('keywords must be strings')
    frame.context.step(1)
    const name = str(frame.context, key)
    if (kwargs.has(name)) throw typeError(`got multiple values for keyword argument '${name}'`)
    kwargs.set(name, item)
  }
}
