import type { Stmt } from '../parser/ast.ts'
import type { Exec } from '../runtime/frame.ts'
import { isPrinting, type Printing } from './output.ts'
import { locate, type Scope, type Unit } from './scope.ts'

/** Runs compiled statements in order; an error gets the line of the statement it came from. */
export function sequence(execs: readonly Exec[], lines: readonly number[], unit: Unit): Exec {
  const count = execs.length
  if (count === 0) return () => 0
  return frame => {
    let at = 0
    try {
      frame.context.state.step(count)
      for (; at < count; at++) {
        const ended = (execs[at] as Exec)(frame)
        if (ended !== 0) return ended
      }
    } catch (error) {
      throw locate(error, unit, lines[at] ?? 1)
    }
    return 0
  }
}

/** Compiles the statements of a body; neighbours that only print are printed together. */
export function compileBody(
  nodes: readonly Stmt[],
  scope: Scope,
  statement: (node: Stmt, scope: Scope) => Exec | undefined,
  printing: (nodes: readonly Printing[], scope: Scope) => Exec | undefined,
): Exec {
  const execs: Exec[] = []
  const lines: number[] = []
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at] as Stmt
    const run: Printing[] = []
    for (let next: Stmt | undefined = node; next !== undefined && isPrinting(next); next = nodes[++at]) run.push(next)
    if (run.length > 0) at--
    const exec = run.length > 0 ? printing(joinData(run), scope) : statement(node, scope)
    if (exec === undefined) continue
    execs.push(exec)
    lines.push(node.line)
  }
  return sequence(execs, lines, scope.unit)
}

function joinData(nodes: readonly Printing[]): Printing[] {
  const joined: Printing[] = []
  for (const node of nodes) {
    const last = joined.at(-1)
    if (node.kind === 'data' && last?.kind === 'data') {
      joined[joined.length - 1] = { ...last, text: last.text + node.text }
    } else joined.push(node)
  }
  return joined
}
