import type { CompareOperator, Expr } from '../parser/ast.ts'
import { contains, equal, ordered } from '../python/compare.ts'
import type { Context } from '../runtime/context.ts'
import type { Eval } from '../runtime/frame.ts'
import type { Value } from '../values.ts'

type Comparison = (context: Context, a: Value, b: Value) => boolean

const comparisons: Record<CompareOperator, Comparison> = {
  eq: equal,
  ne: (context, a, b) => !equal(context, a, b),
  lt: (context, a, b) => (typeof a === 'number' && typeof b === 'number' ? a < b : ordered(context, '<', a, b)),
  lteq: (context, a, b) => (typeof a === 'number' && typeof b === 'number' ? a <= b : ordered(context, '<=', a, b)),
  gt: (context, a, b) => (typeof a === 'number' && typeof b === 'number' ? a > b : ordered(context, '>', a, b)),
  gteq: (context, a, b) => (typeof a === 'number' && typeof b === 'number' ? a >= b : ordered(context, '>=', a, b)),
  in: (context, a, b) => contains(context, b, a),
  notin: (context, a, b) => !contains(context, b, a),
}

/** The comparisons that loops are made of, with a short way for small ints and strings. */
function quickCompare(node: Expr & { kind: 'compare' }, left: Eval, right: Eval): Eval | undefined {
  const [[operator, operand] = []] = node.rest
  if (operator === 'eq' || operator === 'ne') {
    const same = operator === 'eq'
    return frame => {
      const a = left(frame)
      const b = right(frame)
      if (typeof a === 'number' && typeof b === 'number') return (a === b) === same
      return equal(frame.context, a, b) === same
    }
  }
  if (operator === 'in' || operator === 'notin') return operand && quickMember(operand, left, right, operator === 'in')
  return undefined
}

/** `x in [1, 2, 3]`: a list of literals is looked into without being made. */
function quickMember(container: Expr, left: Eval, right: Eval, wanted: boolean): Eval | undefined {
  if (container.kind !== 'list' && container.kind !== 'tuple') return undefined
  const members = new Set<unknown>()
  for (const item of container.items) {
    const value = item.kind === 'const' ? item.value : undefined
    if (typeof value !== 'number' && typeof value !== 'string') return undefined
    members.add(value)
  }
  return frame => {
    const value = left(frame)
    if (typeof value === 'number' || typeof value === 'string') return members.has(value) === wanted
    return contains(frame.context, right(frame), value) === wanted
  }
}

/** Compiles `a < b < c`: each operand once, as far as the chain holds. */
export function compileCompare(node: Expr & { kind: 'compare' }, compile: (node: Expr) => Eval): Eval {
  const first = compile(node.first)
  const rest = node.rest.map(([operator, operand]) => [comparisons[operator], compile(operand)] as const)
  const [only, second] = rest
  if (only !== undefined && second === undefined) {
    const [compare, operand] = only
    return quickCompare(node, first, operand) ?? (frame => compare(frame.context, first(frame), operand(frame)))
  }
  return frame => {
    let left = first(frame)
    for (const [compare, operand] of rest) {
      const right = operand(frame)
      if (!compare(frame.context, left, right)) return false
      left = right
    }
    return true
  }
}
