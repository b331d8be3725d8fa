import type { Meter } from '../meter.ts'
import type { Expr, Stmt, Target } from '../parser/ast.ts'
import { childrenOf } from './analyze.ts'

/** Which of the special names (`loop`, `self`, `caller`, …) a body reads without assigning them first. */
export function findUsed(body: readonly Stmt[], names: readonly string[], meter: Meter): Set<string> {
  const search: Search = { wanted: new Set(names), found: new Set(), meter }
  bodyUses(search, body)
  return search.found
}

/** The same for one expression. */
export function expressionUses(node: Expr, name: string, meter: Meter): boolean {
  const search: Search = { wanted: new Set([name]), found: new Set(), meter }
  exprUses(search, node)
  return search.found.has(name)
}

interface Search {
  readonly wanted: Set<string>
  readonly found: Set<string>
  readonly meter: Meter
}

function exprUses(search: Search, node: Expr): void {
  search.meter.step(1)
  if (node.kind === 'name') {
    if (search.wanted.has(node.name)) search.found.add(node.name)
  } else for (const child of childrenOf(node)) exprUses(search, child)
}

function targetHides(search: Search, target: Target): void {
  if (target.kind === 'name') search.wanted.delete(target.name)
  else if (target.kind === 'targets') for (const item of target.items) targetHides(search, item)
  else if (search.wanted.has(target.name)) search.found.add(target.name)
}

function bodyUses(search: Search, body: readonly Stmt[]): void {
  for (const node of body) statementUses(search, node)
}

function statementUses(search: Search, node: Stmt): void {
  search.meter.step(1)
  for (const part of partsOf(node)) {
    if ('expr' in part) exprUses(search, part.expr)
    else if ('target' in part) targetHides(search, part.target)
    else bodyUses(search, part.body)
  }
}

type Part = { expr: Expr } | { target: Target } | { body: readonly Stmt[] }

const exprs = (nodes: readonly Expr[]): Part[] => nodes.map(expr => ({ expr }))

/** Everything a statement holds, in order; blocks are scopes of their own and hold nothing here. */
function partsOf(node: Stmt): Part[] {
  switch (node.kind) {
    case 'output':
    case 'do':
      return [{ expr: node.node }]
    case 'for': {
      const test: Part[] = node.test === null ? [] : [{ expr: node.test }]
      return [{ target: node.target }, { expr: node.iter }, { body: node.body }, { body: node.otherwise }, ...test]
    }
    case 'if': {
      const branches = node.branches.flatMap(({ test, body }): Part[] => [{ expr: test }, { body }])
      return [...branches, { body: node.otherwise }]
    }
    case 'macro':
    case 'callblock': {
      const params = node.macro.params.map((name): Part => ({ target: { kind: 'name', name, line: node.line } }))
      const inner = [...params, ...exprs(node.macro.defaults), { body: node.macro.body }]
      return node.kind === 'macro' ? inner : [{ expr: node.call }, ...inner]
    }
    case 'filterblock':
      return [{ body: node.body }, { expr: node.filter }]
    case 'with':
      return [...node.targets.map((target): Part => ({ target })), ...exprs(node.values), { body: node.body }]
    case 'extends':
    case 'include':
    case 'import':
    case 'fromimport':
      return [{ expr: node.template }]
    case 'assign':
      return [{ target: node.target }, { expr: node.value }]
    case 'assignblock':
      return [{ target: node.target }, ...(node.filter === null ? [] : exprs([node.filter])), { body: node.body }]
    case 'autoescape':
      return [{ expr: node.value }, { body: node.body }]
    default:
      return []
  }
}

/** Whether a body holds a block that sees its surroundings. */
export function hasScopedBlock(body: readonly Stmt[]): boolean {
  return body.some(node => (node.kind === 'block' && node.scoped) || innerBodies(node).some(hasScopedBlock))
}

/** The bodies inside a statement, blocks included. */
export function innerBodies(node: Stmt): (readonly Stmt[])[] {
  if (node.kind === 'block') return [node.body]
  return partsOf(node).flatMap(part => ('body' in part ? [part.body] : []))
}
