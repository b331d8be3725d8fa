import { TemplateRuntimeError } from '../errors.ts'
import type { Stmt, Target } from '../parser/ast.ts'
import { unpack } from '../python/unpack.ts'
import { type Exec, type Frame, normal } from '../runtime/frame.ts'
import { Namespace } from '../runtime/namespace.ts'
import type { Value } from '../values.ts'
import { compileExpr } from './expressions.ts'
import type { Scope } from './scope.ts'

/** Puts a value into the names of a target. */
export type Assign = (frame: Frame, value: Value) => void

/** Compiles an assignment's left side; tuples unpack as in Python. */
export function compileTarget(target: Target, scope: Scope): Assign {
  if (target.kind === 'name') {
    const slot = scope.slotOf(target.name)
    return (frame, value) => {
      frame.slots[slot] = value
    }
  }
  if (target.kind === 'nsref') return compileNamespace(target, scope)
  const assigns = target.items.map(item => compileTarget(item, scope))
  return (frame, value) => {
    const items = unpack(frame.context, value, assigns.length)
    for (const [index, assign] of assigns.entries()) assign(frame, items[index] ?? null)
  }
}

function compileNamespace(target: Target & { kind: 'nsref' }, scope: Scope): Assign {
  const read = compileExpr({ kind: 'name', name: target.name, line: target.line }, scope)
  return (frame, value) => {
    const namespace = read(frame)
    if (!(namespace instanceof Namespace)) {
      throw new TemplateRuntimeError('cannot assign attribute on non-namespace object')
    }
    namespace.set(target.attribute, value)
  }
}

function namesOf(target: Target): string[] {
  if (target.kind === 'name') return [target.name]
  return target.kind === 'targets' ? target.items.flatMap(namesOf) : []
}

/** What makes an assignment known outside: at the top level it goes into the context. */
export function exportNames(target: Target, scope: Scope): ((frame: Frame) => void) | undefined {
  const names = namesOf(target)
  if (scope.tracked !== undefined) for (const name of names) scope.tracked.add(name)
  if (!scope.toplevel) return undefined
  const exported = names.map(name => [name, scope.reader(name)] as const)
  return frame => {
    const { context } = frame
    for (const [name, read] of exported) {
      const value = read(frame)
      if (value !== undefined) context.vars.set(name, value)
      if (!name.startsWith('_')) context.exported.add(name)
    }
  }
}

/** `{% set target = value %}` */
export function compileAssign(node: Stmt & { kind: 'assign' }, scope: Scope): Exec {
  const value = compileExpr(node.value, scope)
  const assign = compileTarget(node.target, scope)
  const publish = exportNames(node.target, scope)
  if (publish === undefined) {
    return frame => {
      assign(frame, value(frame))
      return normal
    }
  }
  return frame => {
    assign(frame, value(frame))
    publish(frame)
    return normal
  }
}
