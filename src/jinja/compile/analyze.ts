import type { Arguments, Expr, FilterNode, IfNode, MacroBody, Stmt, Target } from '../parser/ast.ts'
import type { Symbols } from './symbols.ts'

/** Records which names a scope's statements read and assign, in the order in which they run. */
export function analyzeBody(symbols: Symbols, body: readonly Stmt[]): void {
  for (const statement of body) analyzeStatement(symbols, statement)
}

function analyzeStatement(symbols: Symbols, node: Stmt): void {
  symbols.step(1)
  switch (node.kind) {
    case 'output':
    case 'do':
      analyzeExpr(symbols, node.node)
      break
    case 'for':
      analyzeExpr(symbols, node.iter)
      break
    case 'if':
      analyzeIf(symbols, node)
      break
    case 'macro':
      symbols.store(node.name)
      break
    case 'callblock':
      analyzeExpr(symbols, node.call)
      break
    case 'filterblock':
      analyzeFilter(symbols, node.filter)
      break
    case 'with':
      for (const value of node.values) analyzeExpr(symbols, value)
      break
    case 'extends':
    case 'include':
      analyzeExpr(symbols, node.template)
      break
    case 'import':
      analyzeExpr(symbols, node.template)
      symbols.store(node.target)
      break
    case 'fromimport':
      analyzeExpr(symbols, node.template)
      for (const [, alias] of node.names) symbols.store(alias)
      break
    case 'assign':
      analyzeExpr(symbols, node.value)
      analyzeTarget(symbols, node.target)
      break
    case 'assignblock':
      analyzeTarget(symbols, node.target)
      break
    default:
  }
}

function analyzeIf(symbols: Symbols, node: IfNode): void {
  const [first, ...others] = node.branches
  if (first === undefined) return
  analyzeExpr(symbols, first.test)
  const original = symbols.branch()
  const branches: Symbols[] = []
  const run = (body: readonly Stmt[]) => {
    const branch = original.branch()
    analyzeBody(branch, body)
    branches.push(branch)
  }
  run(first.body)
  // Jinja2 reads all `elif` parts as one branch: what one of them assigns, the next may see.
  const elifs = original.branch()
  for (const other of others) {
    analyzeIf(elifs, { kind: 'if', branches: [other], otherwise: [], line: node.line })
  }
  branches.push(elifs)
  run(node.otherwise)
  symbols.join(branches)
}

/** Records an assignment's names; the object of `namespace.attribute` is read. */
export function analyzeTarget(symbols: Symbols, target: Target, asParameter = false): void {
  if (target.kind === 'name') {
    if (asParameter) symbols.parameter(target.name)
    else symbols.store(target.name)
  } else if (target.kind === 'nsref') symbols.load(target.name)
  else for (const item of target.items) analyzeTarget(symbols, item, asParameter)
}

/** Records a macro's own names: parameters, then defaults and body. */
export function analyzeMacro(symbols: Symbols, macro: MacroBody): void {
  for (const value of macro.defaults) analyzeExpr(symbols, value)
  analyzeBody(symbols, macro.body)
}

function analyzeFilter(symbols: Symbols, filter: FilterNode): void {
  if (filter.node !== null) analyzeExpr(symbols, filter.node)
  analyzeArguments(symbols, filter.arguments)
}

/** Records the names an expression reads. */
export function analyzeExpr(symbols: Symbols, node: Expr): void {
  symbols.step(1)
  if (node.kind === 'name') symbols.load(node.name)
  else for (const child of childrenOf(node)) analyzeExpr(symbols, child)
}

function analyzeArguments(symbols: Symbols, args: Arguments): void {
  for (const child of argumentNodes(args)) analyzeExpr(symbols, child)
}

function argumentNodes(args: Arguments): Expr[] {
  const nodes = [...args.args, ...args.kwargs.map(([, value]) => value)]
  if (args.dynArgs !== null) nodes.push(args.dynArgs)
  if (args.dynKwargs !== null) nodes.push(args.dynKwargs)
  return nodes
}

function present(...nodes: (Expr | null)[]): Expr[] {
  return nodes.filter(node => node !== null)
}

/** The expressions directly inside an expression, in the order in which they stand. */
export function childrenOf(node: Expr): readonly Expr[] {
  switch (node.kind) {
    case 'tuple':
    case 'list':
      return node.items
    case 'dict':
      return node.pairs.flat()
    case 'cond':
      return present(node.test, node.yes, node.otherwise)
    case 'binary':
    case 'and':
    case 'or':
      return [node.left, node.right]
    case 'not':
    case 'unary':
    case 'getattr':
      return [node.node]
    case 'concat':
      return node.nodes
    case 'compare':
      return [node.first, ...node.rest.map(([, operand]) => operand)]
    case 'getitem':
      return [node.node, node.argument]
    case 'slice':
      return present(node.start, node.stop, node.step)
    case 'filter':
    case 'test':
      return [...present(node.node), ...argumentNodes(node.arguments)]
    case 'call':
      return [node.node, ...argumentNodes(node.arguments)]
    case 'message':
      return [node.call, ...node.variables.map(([, value]) => value)]
    default:
      return []
  }
}

const contextual = new Set(['map', 'select', 'reject', 'selectattr', 'rejectattr', 'random'])

/** Whether Jinja2 works an expression out when it compiles it, with plain strings even under autoescape. */
export function isConstant(node: Expr): boolean {
  if (node.kind === 'name' || node.kind === 'call' || node.kind === 'message') return false
  if (node.kind === 'filter' && contextual.has(node.name)) return false
  return childrenOf(node).every(isConstant)
}
