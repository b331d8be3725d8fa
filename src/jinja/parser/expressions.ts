import { parseArguments } from './arguments.ts'
import type { Arguments, BinaryOperator, CompareOperator, Expr, FilterNode } from './ast.ts'
import type { Parser } from './parser.ts'
import { parsePrimary, parseSubscript } from './primary.ts'

const compareOperators: Record<string, CompareOperator> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'lt',
  lteq: 'lteq',
  gt: 'gt',
  gteq: 'gteq',
}
const additive: Record<string, BinaryOperator> = { add: '+', sub: '-' }
const multiplicative: Record<string, BinaryOperator> = { mul: '*', div: '/', floordiv: '//', mod: '%' }
const noArguments: Arguments = { args: [], kwargs: [], dynArgs: null, dynKwargs: null }

/** A full expression; without `withCondition` an inline `if` ends it. */
export function parseExpression(parser: Parser, withCondition = true): Expr {
  return parser.nested(() => (withCondition ? parseCondition(parser) : parseOr(parser)))
}

function parseCondition(parser: Parser): Expr {
  const { stream } = parser
  let line = stream.current.line
  let node = parseOr(parser)
  while (stream.skipIf('name:if')) {
    const test = parseOr(parser)
    const otherwise = stream.skipIf('name:else') ? parser.nested(() => parseCondition(parser)) : null
    node = { kind: 'cond', test, yes: node, otherwise, line }
    line = stream.current.line
  }
  return node
}

function parseOr(parser: Parser): Expr {
  const { stream } = parser
  const line = stream.current.line
  let left = parseAnd(parser)
  while (stream.skipIf('name:or')) left = { kind: 'or', left, right: parseAnd(parser), line }
  return left
}

function parseAnd(parser: Parser): Expr {
  const { stream } = parser
  const line = stream.current.line
  let left = parseNot(parser)
  while (stream.skipIf('name:and')) left = { kind: 'and', left, right: parseNot(parser), line }
  return left
}

function parseNot(parser: Parser): Expr {
  const { stream } = parser
  if (!stream.test('name:not')) return parseCompare(parser)
  const { line } = stream.next()
  return { kind: 'not', node: parser.nested(() => parseNot(parser)), line }
}

function parseCompare(parser: Parser): Expr {
  const { stream } = parser
  const line = stream.current.line
  const first = parseSum(parser)
  const rest: [CompareOperator, Expr][] = []
  while (true) {
    const operator = compareOperators[stream.current.type]
    if (operator !== undefined) {
      stream.next()
      rest.push([operator, parseSum(parser)])
    } else if (stream.skipIf('name:in')) rest.push(['in', parseSum(parser)])
    else if (stream.test('name:not') && isName(stream.look(), 'in')) {
      stream.next()
      stream.next()
      rest.push(['notin', parseSum(parser)])
    } else break
  }
  return rest.length === 0 ? first : { kind: 'compare', first, rest, line }
}

function isName(token: { type: string; text: string }, text: string): boolean {
  return token.type === 'name' && token.text === text
}

function parseSum(parser: Parser): Expr {
  return parseBinary(parser, additive, parseConcat)
}

function parseConcat(parser: Parser): Expr {
  const { stream } = parser
  const line = stream.current.line
  const nodes = [parseProduct(parser)]
  while (stream.skipIf('tilde')) nodes.push(parseProduct(parser))
  const [only] = nodes
  return nodes.length === 1 && only !== undefined ? only : { kind: 'concat', nodes, line }
}

function parseProduct(parser: Parser): Expr {
  return parseBinary(parser, multiplicative, parsePower)
}

function parsePower(parser: Parser): Expr {
  return parseBinary(parser, { pow: '**' }, p => parseUnary(p))
}

function parseBinary(parser: Parser, table: Record<string, BinaryOperator>, operand: (parser: Parser) => Expr): Expr {
  const { stream } = parser
  const line = stream.current.line
  let left = operand(parser)
  for (let operator = table[stream.current.type]; operator !== undefined; operator = table[stream.current.type]) {
    stream.next()
    left = { kind: 'binary', operator, left, right: operand(parser), line }
  }
  return left
}

/** A signed operand with its attributes, calls and, unless told otherwise, filters and tests. */
export function parseUnary(parser: Parser, withFilter = true): Expr {
  const { stream } = parser
  const { line, type } = stream.current
  let node: Expr
  if (type === 'sub' || type === 'add') {
    stream.next()
    const operand = parser.nested(() => parseUnary(parser, false))
    node = { kind: 'unary', operator: type === 'sub' ? '-' : '+', node: operand, line }
  } else node = parsePrimary(parser)
  node = parsePostfix(parser, node)
  return withFilter ? parseFilterExpression(parser, node) : node
}

/** Attributes, subscripts and calls that follow a primary. */
export function parsePostfix(parser: Parser, start: Expr): Expr {
  const { stream } = parser
  let node = start
  while (true) {
    const { type } = stream.current
    if (type === 'dot' || type === 'lbracket') node = parseSubscript(parser, node)
    else if (type === 'lparen') node = parseCall(parser, node)
    else return node
  }
}

function parseFilterExpression(parser: Parser, start: Expr): Expr {
  const { stream } = parser
  let node = start
  while (true) {
    if (stream.test('pipe')) node = parseFilter(parser, node) ?? node
    else if (stream.test('name:is')) node = parseTest(parser, node)
    else if (stream.test('lparen')) node = parseCall(parser, node)
    else return node
  }
}

/** A call's parentheses after what is called. */
export function parseCall(parser: Parser, node: Expr): Expr & { kind: 'call' } {
  const { line } = parser.stream.current
  return { kind: 'call', node, arguments: parseArguments(parser), line }
}

/** `|name(...)|name…`; with `inline` the first pipe is left out, as in `{% filter name %}`. */
export function parseFilter(parser: Parser, start: Expr | null, inline = false): FilterNode | null {
  const { stream } = parser
  let node: FilterNode | null = null
  for (let first = inline; first || stream.test('pipe'); first = false) {
    if (!first) stream.next()
    const { line } = stream.current
    const name = dottedName(parser)
    const args = stream.test('lparen') ? parseArguments(parser) : noArguments
    node = { kind: 'filter', node: node ?? start, name, arguments: args, line }
  }
  return node
}

function dottedName(parser: Parser): string {
  let name = parser.stream.expect('name').text
  while (parser.stream.skipIf('dot')) name += `.${parser.stream.expect('name').text}`
  return name
}

const argumentStarts = new Set(['name', 'string', 'integer', 'float', 'lparen', 'lbracket', 'lbrace'])

function parseTest(parser: Parser, node: Expr): Expr {
  const { stream } = parser
  const { line } = stream.next()
  const negated = stream.skipIf('name:not')
  const name = dottedName(parser)
  let args: Arguments = noArguments
  if (stream.test('lparen')) args = parseArguments(parser)
  else if (argumentStarts.has(stream.current.type) && !stream.testAny(['name:else', 'name:or', 'name:and'])) {
    if (stream.test('name:is')) stream.fail('You cannot chain multiple tests with is')
    args = { ...noArguments, args: [parsePostfix(parser, parsePrimary(parser))] }
  }
  const test = testNode(node, name, args, line)
  return negated ? { kind: 'not', node: test, line } : test
}

function testNode(node: Expr, name: string, args: Arguments, line: number): Expr {
  return { kind: 'test', node, name, arguments: args, line }
}
