import { pformat } from '../filters/pprint.ts'
import type { Stmt } from '../parser/ast.ts'
import { str } from '../python/display.ts'
import { truth } from '../python/truth.ts'
import { broke, continued, type Eval, type Exec, type Frame, normal } from '../runtime/frame.ts'
import { Markup, PyDict, type Value } from '../values.ts'
import { analyzeBody, analyzeExpr, analyzeTarget } from './analyze.ts'
import { compileAssign, compileTarget, exportNames } from './assign.ts'
import { compileExpr, compileFilterChain } from './expressions.ts'
import { compileFor } from './loops.ts'
import { compileCallBlock, compileMacro, printed } from './macros.ts'
import { compilePrinting, type Printing } from './output.ts'
import type { Scope } from './scope.ts'
import { compileBlock, compileExtends, compileFromImport, compileImport, compileInclude } from './templates.ts'

/** Compiles a statement; undefined when it can never do anything. */
export function compileStatement(node: Stmt, scope: Scope): Exec | undefined {
  switch (node.kind) {
    case 'data':
    case 'output':
      return compileRun([node], scope)
    case 'if':
      return compileIf(node, scope)
    case 'for':
      return compileFor(node, scope)
    case 'assign':
      return compileAssign(node, scope)
    case 'assignblock':
      return compileAssignBlock(node, scope)
    case 'with':
      return compileWith(node, scope)
    case 'filterblock':
      return compileFilterBlock(node, scope)
    case 'macro':
      return compileMacro(node, scope)
    case 'callblock':
      return compileCallBlock(node, scope)
    case 'block':
      return compileBlock(node, scope)
    case 'extends':
      return compileExtends(node, scope)
    case 'include':
      return compileInclude(node, scope)
    case 'import':
      return compileImport(node, scope)
    case 'fromimport':
      return compileFromImport(node, scope)
    default:
      return compileRest(node, scope)
  }
}

function compileRest(node: Stmt, scope: Scope): Exec {
  switch (node.kind) {
    case 'autoescape':
      return compileAutoescape(node, scope)
    case 'do': {
      const evaluate = compileExpr(node.node, scope)
      return frame => {
        evaluate(frame)
        return normal
      }
    }
    case 'debug':
      return compileDebug(scope)
    case 'break':
    case 'continue': {
      if (!scope.inLoop) scope.fail(`'${node.kind}' outside loop`, node.line)
      const ending = node.kind === 'break' ? broke : continued
      return () => ending
    }
    default:
      return scope.fail(`a ${node.kind} cannot stand here`, node.line)
  }
}

/** Compiles neighbouring text and expressions. */
export function compileRun(nodes: readonly Printing[], scope: Scope): Exec | undefined {
  return held(scope, () => compilePrinting(nodes, scope))
}

/** Output that a template with a parent does not make. */
function held(scope: Scope, compile: () => Exec): Exec | undefined {
  if (!scope.outputCheck) return compile()
  if (scope.unit.extendsForSure) return undefined
  const exec = compile()
  return frame => (frame.context.parentTemplate === undefined ? exec(frame) : normal)
}

function compileIf(node: Stmt & { kind: 'if' }, outer: Scope): Exec {
  const scope = outer.softened()
  const branches = node.branches.map(({ test, body }, index) => ({
    test: compileExpr(test, index === 0 ? outer : scope),
    body: scope.unit.body(body, scope),
  }))
  const otherwise = scope.unit.body(node.otherwise, scope)
  const [first, second] = branches
  if (first !== undefined && second === undefined) {
    const { test, body } = first
    return frame => (truth(test(frame)) ? body(frame) : otherwise(frame))
  }
  return frame => {
    for (const { test, body } of branches) if (truth(test(frame))) return body(frame)
    return otherwise(frame)
  }
}

/** What a scope's captured text is as a value: markup when output is escaped. */
function captured(scope: Scope, frame: Frame, text: string): Value {
  return (scope.autoescape ?? frame.context.autoescape) ? new Markup(text) : text
}

function compileAssignBlock(node: Stmt & { kind: 'assignblock' }, scope: Scope): Exec {
  const inner = scope.inner({ outputCheck: false })
  analyzeBody(inner.symbols, node.body)
  const entry = inner.symbols.entry()
  const body = scope.unit.body(node.body, inner)
  const filter = node.filter === null ? undefined : compileFilterChain(node.filter, inner)
  const assign = compileTarget(node.target, scope)
  const publish = exportNames(node.target, scope)
  return frame => {
    const { context } = frame
    entry?.(frame)
    const text = context.state.capture(() => body(frame))
    const input = captured(scope, frame, text)
    let value = filter === undefined ? input : filter(frame, input)
    if (context.autoescape && !(value instanceof Markup)) value = new Markup(str(context, value))
    assign(frame, value)
    publish?.(frame)
    return normal
  }
}

function compileWith(node: Stmt & { kind: 'with' }, scope: Scope): Exec {
  const inner = scope.inner()
  for (const target of node.targets) analyzeTarget(inner.symbols, target, true)
  analyzeBody(inner.symbols, node.body)
  const entry = inner.symbols.entry()
  const values = node.values.map(value => compileExpr(value, scope))
  const assigns = node.targets.map(target => compileTarget(target, inner))
  const body = scope.unit.body(node.body, inner)
  return frame => {
    entry?.(frame)
    for (const [index, value] of values.entries()) assigns[index]?.(frame, value(frame))
    return body(frame)
  }
}

function compileFilterBlock(node: Stmt & { kind: 'filterblock' }, scope: Scope): Exec {
  const inner = scope.inner()
  analyzeExpr(inner.symbols, node.filter)
  analyzeBody(inner.symbols, node.body)
  const entry = inner.symbols.entry()
  const body = scope.unit.body(node.body, inner)
  const filter = compileFilterChain(node.filter, inner)
  return frame => {
    entry?.(frame)
    const { context } = frame
    const text = context.state.capture(() => body(frame))
    context.state.write(printed(filter(frame, captured(scope, frame, text))))
    return normal
  }
}

function compileAutoescape(node: Stmt & { kind: 'autoescape' }, scope: Scope): Exec {
  const constant = node.value.kind === 'const' ? truth(node.value.value) : undefined
  const inner = scope.inner({ autoescape: constant })
  analyzeExpr(inner.symbols, node.value)
  analyzeBody(inner.symbols, node.body)
  const entry = inner.symbols.entry()
  const choice: Eval = compileExpr(node.value, inner)
  const body = scope.unit.body(node.body, inner)
  return frame => {
    const { context } = frame
    const before = context.autoescape
    entry?.(frame)
    context.autoescape = truth(choice(frame))
    const ended = body(frame)
    context.autoescape = before
    return ended
  }
}

/** `{% debug %}`: the context with the names of all filters and tests, pretty-printed. */
function compileDebug(scope: Scope): Exec {
  const locals = scope.localsReader()
  return frame => {
    const { context } = frame
    const names = (table: ReadonlyMap<string, unknown>) => [...table.keys()].sort()
    const shown = PyDict.of([
      ['context', PyDict.of(context.derived(locals(frame)).getAll())],
      ['filters', names(context.engine.filters)],
      ['tests', names(context.engine.tests)],
    ])
    context.state.write(pformat(context, shown, true))
    return normal
  }
}
