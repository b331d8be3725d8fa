import type { CallNode, Expr } from '../parser/ast.ts'
import { callMethod } from '../python/access.ts'
import { callValue as call } from '../python/call.ts'
import type { Context } from '../runtime/context.ts'
import type { Eval, Frame } from '../runtime/frame.ts'
import { HostFunction, type Kwargs, type Value } from '../values.ts'
import { compileArguments } from './arguments.ts'
import type { Scope } from './scope.ts'

/** Compiles a call; `caller` is what a call block passes along. */
export function compileCall(node: CallNode, scope: Scope, compile: (node: Expr) => Eval, caller?: Eval): Eval {
  const args = compileArguments(node.arguments, compile, caller)
  if (node.node.kind === 'getattr') {
    const object = compile(node.node.node)
    const name = node.node.attribute
    return frame => {
      const target = object(frame)
      return callMethod(frame.context, target, name, args.positional(frame), args.keywords(frame))
    }
  }
  const callee = compile(node.node)
  const invoke = withTracked(scope)
  return frame => {
    const target = callee(frame)
    return invoke(frame, target, args.positional(frame), args.keywords(frame))
  }
}

type Invoke = (frame: Frame, callee: Value, args: Value[], kwargs: Kwargs) => Value

/** Host functions that are called in a loop or block also see what was assigned there before. */
function withTracked(scope: Scope): Invoke {
  const { tracked } = scope
  if (tracked === undefined) return (frame, callee, args, kwargs) => call(frame.context, callee, args, kwargs)
  const readers = new Map<string, (frame: Frame) => Value | undefined>()
  return (frame, callee, args, kwargs) => {
    if (!(callee instanceof HostFunction) || tracked.size === 0) return call(frame.context, callee, args, kwargs)
    for (const name of tracked) if (!readers.has(name)) readers.set(name, scope.reader(name))
    return call(contextWith(frame, readers), callee, args, kwargs)
  }
}

function contextWith(frame: Frame, readers: ReadonlyMap<string, (frame: Frame) => Value | undefined>): Context {
  const locals = new Map<string, Value>()
  for (const [name, read] of readers) {
    const value = read(frame)
    if (value !== undefined) locals.set(name, value)
  }
  return frame.context.derived(locals)
}
