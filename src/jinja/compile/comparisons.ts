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

/** Compiles `a < b < c`: each operand once, as far as the chain holds. */
export function compileCompare(node: Expr & { kind: 'compare' }, compile: (node: Expr) => Eval): Eval {
  const first = compile(node.first)
  const rest = node.rest.map(([operator, operand]) => [comparisons[operator], compile(operand)] as const)
  const [only, second] = rest
  if (only !== undefined && second === undefined) {
    const [compare, operand] = only
    return frame => compare(frame.context, first(frame), operand(frame))
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
