import { typeError } from '../errors.ts'
import type { MacroBody, Stmt } from '../parser/ast.ts'
import { textOf } from '../python/compare.ts'
import { typeName } from '../python/types.ts'
import { type Exec, Frame, normal } from '../runtime/frame.ts'
import { Macro, type MacroInput, type MacroSignature } from '../runtime/macro.ts'
import { Undefined, type Value } from '../values.ts'
import { analyzeMacro } from './analyze.ts'
import { compileCall } from './calls.ts'
import { compileExpr } from './expressions.ts'
import { locate, type Scope } from './scope.ts'
import { findUsed } from './usage.ts'

type MakeMacro = (frame: Frame) => Macro

/** Compiles a body that can be called; what comes out makes the macro where its definition runs. */
function compileMacroBody(node: MacroBody, name: string | undefined, scope: Scope): MakeMacro {
  const inner = scope.innerActivation()
  const { symbols } = inner
  const used = findUsed(node.body, ['caller', 'kwargs', 'varargs'], scope.unit.meter)
  const explicitCaller = node.params.includes('caller')
  if (explicitCaller && node.params.indexOf('caller') < node.params.length - node.defaults.length) {
    scope.fail(
      'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
      node.line,
    )
  }
  const params = node.params.map(param => ({ param, slot: symbols.parameter(param).slot }))
  const special = (wanted: string) =>
    used.has(wanted) && !node.params.includes(wanted) ? symbols.parameter(wanted).slot : undefined
  const callerSlot = special('caller')
  const kwargsSlot = special('kwargs')
  const varargsSlot = special('varargs')
  analyzeMacro(symbols, node)
  const entry = symbols.entry()
  const fills = compileDefaults(node, inner)
  const body = scope.unit.body(node.body, inner)
  const signature: MacroSignature = {
    name,
    params: node.params,
    catchKwargs: kwargsSlot !== undefined,
    catchVarargs: varargsSlot !== undefined,
    usesCaller: callerSlot !== undefined,
    explicitCaller,
  }
  const start = (frame: Frame, input: MacroInput) => {
    for (const [index, { slot }] of params.entries()) frame.slots[slot] = input.args[index]
    if (callerSlot !== undefined) frame.slots[callerSlot] = input.caller
    if (kwargsSlot !== undefined) frame.slots[kwargsSlot] = input.kwargs
    if (varargsSlot !== undefined) frame.slots[varargsSlot] = input.varargs
    entry?.(frame)
  }
  return outer => {
    const { context } = outer
    return new Macro(signature, context, input => {
      const frame = new Frame(context, outer)
      start(frame, input)
      return context.state.capture(() => {
        for (const fill of fills) fill(frame)
        body(frame)
      })
    })
  }
}

/** What gives absent parameters their defaults, in order; one without a default becomes undefined. */
function compileDefaults(node: MacroBody, scope: Scope): ((frame: Frame) => void)[] {
  const firstDefault = node.params.length - node.defaults.length
  return node.params.map((param, index) => {
    const slot = scope.slotOf(param)
    const given = node.defaults[index - firstDefault]
    const value = given === undefined ? undefined : compileExpr(given, scope)
    const hint = `parameter '${param}' was not provided`
    return frame => {
      if (frame.slots[slot] !== undefined) return
      try {
        frame.slots[slot] = value === undefined ? frame.context.undefinedHint(hint, param) : value(frame)
      } catch (error) {
        throw locate(error, scope.unit, node.line)
      }
    }
  })
}

/** `{% macro %}` */
export function compileMacro(node: Stmt & { kind: 'macro' }, scope: Scope): Exec {
  const make = compileMacroBody(node.macro, node.name, scope)
  const slot = scope.slotOf(node.name)
  const { toplevel } = scope
  const exported = toplevel && !node.name.startsWith('_')
  return frame => {
    const macro = make(frame)
    frame.slots[slot] = macro
    if (exported) frame.context.exported.add(node.name)
    if (toplevel) frame.context.vars.set(node.name, macro)
    return normal
  }
}

/** `{% call %}`: calls a macro that can call the block's body back. */
export function compileCallBlock(node: Stmt & { kind: 'callblock' }, scope: Scope): Exec {
  const make = compileMacroBody(node.macro, undefined, scope)
  const callerSlot = scope.symbols.activation.newSlot()
  const call = compileCall(
    node.call,
    scope,
    child => compileExpr(child, scope),
    frame => frame.slots[callerSlot] as Value,
  )
  return frame => {
    frame.slots[callerSlot] = make(frame)
    frame.context.state.write(printed(call(frame)))
    return normal
  }
}

/** Jinja2 joins what a call block's call or a block's filter returns without printing it, so it has to be text. */
export function printed(value: Value): string {
  const text = textOf(value)
  if (text !== undefined) return text
  if (value instanceof Undefined && value.kind !== 'strict') return ''
  throw typeError(`sequence item 0: expected str instance, ${typeName(value)} found`)
}
