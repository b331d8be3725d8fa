import type { Expr, Stmt } from '../parser/ast.ts'
import { str } from '../python/display.ts'
import { escapeValue } from '../python/escape.ts'
import { type Eval, type Exec, type Frame, normal } from '../runtime/frame.ts'
import { compileExpr } from './expressions.ts'
import { locate, type Scope } from './scope.ts'

/** A statement that only prints. */
export type Printing = Stmt & { kind: 'data' | 'output' }

/** Whether a statement only prints, so that its neighbours can be printed with it. */
export function isPrinting(node: Stmt): node is Printing {
  return node.kind === 'data' || node.kind === 'output'
}

function finalized(evaluate: Eval, scope: Scope): Eval {
  const { finalize } = scope.unit.engine
  return finalize === undefined ? evaluate : frame => finalize(evaluate(frame), frame.context)
}

/** The text that `{{ node }}` prints; a string is taken as it is unless it has to be escaped. */
function compileText(node: Expr, scope: Scope): (frame: Frame) => string {
  const evaluate = finalized(compileExpr(node, scope), scope)
  const autoescape = node.kind === 'const' ? scope.constantEscape : scope.autoescape
  if (autoescape === false) {
    return frame => {
      const value = evaluate(frame)
      return typeof value === 'string' ? value : str(frame.context, value)
    }
  }
  return frame => {
    const { context } = frame
    const value = evaluate(frame)
    return (autoescape ?? context.autoescape) ? escapeValue(context, value) : str(context, value)
  }
}

/** Text is handed on in pieces of about this size, so that the budget sees it before it is much. */
const pieceSize = 16_384

/** Prints neighbouring text and expressions together: one write instead of one for each. */
export function compilePrinting(nodes: readonly Printing[], scope: Scope): Exec {
  const { unit } = scope
  const [only] = nodes
  if (nodes.length === 1 && only?.kind === 'data') {
    const { text } = only
    return frame => {
      frame.context.state.write(text)
      return normal
    }
  }
  const parts = nodes.map(node => (node.kind === 'data' ? node.text : compileText(node.node, scope)))
  const count = parts.length
  return frame => {
    const { state } = frame.context
    let text = ''
    let at = 0
    try {
      for (; at < count; at++) {
        const part = parts[at] as string | ((frame: Frame) => string)
        text += typeof part === 'string' ? part : part(frame)
        if (text.length > pieceSize) {
          state.write(text)
          text = ''
        }
      }
      state.step(count)
    } catch (error) {
      throw locate(error, unit, nodes[at]?.line ?? 1)
    }
    state.write(text)
    return normal
  }
}
