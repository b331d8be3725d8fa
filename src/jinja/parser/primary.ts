import { normalizeInt } from '../host.ts'
import { describeToken, type Token } from '../lexer/tokens.ts'
import { PyFloat, type Value } from '../values.ts'
import type { Expr } from './ast.ts'
import type { Parser } from './parser.ts'

const constants: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['True', true],
  ['False', false],
  ['none', null],
  ['None', null],
])

/** A literal, a name, or something in brackets. */
export function parsePrimary(parser: Parser): Expr {
  const { stream } = parser
  const token = stream.current
  switch (token.type) {
    case 'name':
      return parseName(parser)
    case 'string':
      return parseString(parser)
    case 'integer':
    case 'float':
      stream.next()
      return { kind: 'const', value: numberOf(token), line: token.line }
    case 'lparen': {
      stream.next()
      const node = parseTuple(parser, { explicitParentheses: true })
      stream.expect('rparen')
      return node
    }
    case 'lbracket':
      return parseList(parser)
    case 'lbrace':
      return parseDict(parser)
    default:
      return stream.fail(`unexpected '${describeToken(token)}'`)
  }
}

function numberOf(token: Token): Value {
  return token.type === 'float' ? new PyFloat(Number(token.number)) : normalizeInt(BigInt(token.number ?? 0))
}

function parseName(parser: Parser): Expr {
  const { text, line } = parser.stream.next()
  const constant = constants.get(text)
  return constant === undefined ? { kind: 'name', name: text, line } : { kind: 'const', value: constant, line }
}

function parseString(parser: Parser): Expr {
  const { stream } = parser
  const { line } = stream.current
  let value = stream.next().text
  while (stream.test('string')) value += stream.next().text
  return { kind: 'const', value, line }
}

/** How a tuple may be written where it stands. */
export interface TupleForm {
  /** Without inline `if`. */
  readonly withCondition?: boolean
  /** Inside parentheses, where nothing is an empty tuple. */
  readonly explicitParentheses?: boolean
}

/** One expression, or several as a tuple. */
export function parseTuple(parser: Parser, form: TupleForm = {}): Expr {
  const { stream } = parser
  const { line } = stream.current
  const items: Expr[] = []
  let isTuple = false
  while (true) {
    if (items.length > 0) stream.expect('comma')
    if (stream.testAny(['variable_end', 'block_end', 'rparen'])) break
    items.push(parser.expression(form.withCondition ?? true))
    if (stream.test('comma')) isTuple = true
    else break
  }
  const [only] = items
  if (!isTuple && only !== undefined) return only
  if (!isTuple && form.explicitParentheses !== true) {
    stream.fail(`Expected an expression, got '${describeToken(stream.current)}'`)
  }
  return { kind: 'tuple', items, line }
}

function parseList(parser: Parser): Expr {
  const { stream } = parser
  const { line } = stream.expect('lbracket')
  const items: Expr[] = []
  while (!stream.test('rbracket')) {
    if (items.length > 0) stream.expect('comma')
    if (stream.test('rbracket')) break
    items.push(parser.expression())
  }
  stream.expect('rbracket')
  return { kind: 'list', items, line }
}

function parseDict(parser: Parser): Expr {
  const { stream } = parser
  const { line } = stream.expect('lbrace')
  const pairs: [Expr, Expr][] = []
  while (!stream.test('rbrace')) {
    if (pairs.length > 0) stream.expect('comma')
    if (stream.test('rbrace')) break
    const key = parser.expression()
    stream.expect('colon')
    pairs.push([key, parser.expression()])
  }
  stream.expect('rbrace')
  return { kind: 'dict', pairs, line }
}

/** `.name`, `.0` or `[…]` after an expression. */
export function parseSubscript(parser: Parser, node: Expr): Expr {
  const { stream } = parser
  const token = stream.next()
  if (token.type === 'dot') {
    const attribute = stream.next()
    if (attribute.type === 'name') return { kind: 'getattr', node, attribute: attribute.text, line: token.line }
    if (attribute.type !== 'integer') stream.fail('expected name or number', attribute.line)
    const argument: Expr = { kind: 'const', value: numberOf(attribute), line: attribute.line }
    return { kind: 'getitem', node, argument, line: token.line }
  }
  const items: Expr[] = []
  let commas = 0
  while (!stream.test('rbracket')) {
    if (items.length > 0) {
      stream.expect('comma')
      commas++
    }
    items.push(parseSubscribed(parser))
  }
  stream.expect('rbracket')
  const [only] = items
  const argument: Expr = only !== undefined && commas === 0 ? only : { kind: 'tuple', items, line: token.line }
  return { kind: 'getitem', node, argument, line: token.line }
}

function parseSubscribed(parser: Parser): Expr {
  const { stream } = parser
  const { line } = stream.current
  let start: Expr | null = null
  if (!stream.test('colon')) {
    const node = parser.expression()
    if (!stream.test('colon')) return node
    start = node
  }
  stream.next()
  const stop = slicePart(parser, stream.test('colon'))
  const step = stream.skipIf('colon') ? slicePart(parser, false) : null
  return { kind: 'slice', start, stop, step, line }
}

function slicePart(parser: Parser, absent: boolean): Expr | null {
  const { stream } = parser
  return absent || stream.test('rbracket') || stream.test('comma') ? null : parser.expression()
}
