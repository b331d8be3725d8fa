import type { Expr } from '../parser/ast.ts'
import { binary } from '../python/arith.ts'
import type { Eval } from '../runtime/frame.ts'

type BinaryNode = Expr & { kind: 'binary' }

/**
 * Compiles `a + b` and its kin. Each operator has a closure of its own with a short way for small ints: one closure for
 * all of them would have to look the operator up every time, and V8 could not tell what it is called with.
 */
export function compileBinary(node: BinaryNode, compile: (node: Expr) => Eval): Eval {
  const left = compile(node.left)
  const right = compile(node.right)
  switch (node.operator) {
    case '+':
      return compileAdd(left, right)
    case '-':
      return frame => {
        const a = left(frame)
        const b = right(frame)
        if (typeof a === 'number' && typeof b === 'number') {
          const result = a - b
          if (Number.isSafeInteger(result)) return result
        }
        return binary(frame.context, '-', a, b)
      }
    case '*':
      return frame => {
        const a = left(frame)
        const b = right(frame)
        if (typeof a === 'number' && typeof b === 'number') {
          const result = a * b
          // Adding 0 turns -0 into 0, which is the only zero an int has.
          if (Number.isSafeInteger(result)) return result + 0
        }
        return binary(frame.context, '*', a, b)
      }
    default:
      return compileDivision(node, left, right)
  }
}

function compileAdd(left: Eval, right: Eval): Eval {
  return frame => {
    const a = left(frame)
    const b = right(frame)
    if (typeof a === 'number' && typeof b === 'number') {
      const result = a + b
      if (Number.isSafeInteger(result)) return result
    }
    return binary(frame.context, '+', a, b)
  }
}

function compileDivision(node: BinaryNode, left: Eval, right: Eval): Eval {
  const { operator } = node
  if (operator === '//') {
    return frame => {
      const a = left(frame)
      const b = right(frame)
      if (typeof a === 'number' && typeof b === 'number' && b > 0 && Math.abs(a) < 2 ** 31) return Math.floor(a / b) + 0
      return binary(frame.context, operator, a, b)
    }
  }
  if (operator === '%') {
    return frame => {
      const a = left(frame)
      const b = right(frame)
      if (typeof a === 'number' && typeof b === 'number' && a >= 0 && b > 0) return a % b
      return binary(frame.context, operator, a, b)
    }
  }
  if (operator === '**') {
    return frame => {
      const a = left(frame)
      const b = right(frame)
      if (typeof a === 'number' && typeof b === 'number' && b >= 0) {
        const result = a ** b
        if (Number.isSafeInteger(result)) return result
      }
      return binary(frame.context, operator, a, b)
    }
  }
  return frame => binary(frame.context, operator, left(frame), right(frame))
}
