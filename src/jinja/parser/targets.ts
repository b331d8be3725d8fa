import { describeToken } from '../lexer/tokens.ts'
import type { Expr, NameNode, Target } from './ast.ts'
import type { Parser } from './parser.ts'
import { parsePrimary } from './primary.ts'

const reserved = new Set(['true', 'false', 'none', 'True', 'False', 'None'])

/** A single name that is being assigned. */
export function parseNameTarget(parser: Parser): NameNode {
  const token = parser.stream.expect('name')
  if (reserved.has(token.text)) parser.stream.fail("can't assign to 'name'", token.line)
  return { kind: 'name', name: token.text, line: token.line }
}

/** The left side of an assignment or of `in`: names, tuples of names, and attributes of namespaces if allowed. */
export function parseTarget(parser: Parser, withNamespace = false): Target {
  return parseTargetTuple(parser, withNamespace)
}

function namespaceRef(parser: Parser): Target {
  const { stream } = parser
  const token = stream.next()
  stream.expect('dot')
  return { kind: 'nsref', name: token.text, attribute: stream.expect('name').text, line: token.line }
}

function parseTargetTuple(parser: Parser, withNamespace: boolean): Target {
  const { stream } = parser
  const { line } = stream.current
  const items: Target[] = []
  let isTuple = false
  while (true) {
    if (items.length > 0) stream.expect('comma')
    if (stream.testAny(['variable_end', 'block_end', 'rparen'])) break
    items.push(parseTargetItem(parser, withNamespace))
    if (stream.test('comma')) isTuple = true
    else break
  }
  const [only] = items
  if (!isTuple && only !== undefined) return only
  if (!isTuple) stream.fail(`Expected an expression, got '${describeToken(stream.current)}'`)
  return { kind: 'targets', items, line }
}

function parseTargetItem(parser: Parser, withNamespace: boolean): Target {
  const { stream } = parser
  const { line } = stream.current
  if (withNamespace && stream.test('name') && stream.look().type === 'dot') return namespaceRef(parser)
  return targetOf(parser, parsePrimary(parser), line)
}

function targetOf(parser: Parser, node: Expr, line: number): Target {
  if (node.kind === 'name') return node
  if (node.kind !== 'tuple') return parser.stream.fail(`can't assign to '${node.kind}'`, line)
  return { kind: 'targets', items: node.items.map(item => targetOf(parser, item, line)), line }
}
