import { Lexer } from '../lexer/lexer.ts'
import type { LexerConfig } from '../lexer/patterns.ts'
import type { Meter } from '../meter.ts'
import type { Expr, Stmt } from './ast.ts'
import { parseExpression } from './expressions.ts'
import { type Grammar, Parser } from './parser.ts'
import { parseStatement } from './statements.ts'
import { parseTrans } from './trans.ts'

/** What decides how a source is read. */
export interface Syntax {
  readonly lexer: LexerConfig
  readonly extensions: ReadonlySet<string>
  readonly trimMessages: boolean
  readonly newstyleGettext: boolean
}

const grammar: Grammar = {
  expression: parseExpression,
  statement: (parser, tag) => parseStatement(parser, tag, parseTrans),
}

/** A template's statements. Throws TemplateSyntaxError, BudgetError. */
export function parseTemplate(source: string, syntax: Syntax, templateName: string | undefined, meter: Meter): Stmt[] {
  meter.step(source.length >> 4)
  const lexer = new Lexer(source, syntax.lexer, templateName)
  return new Parser(lexer.tokens(), grammar, { ...syntax, templateName, meter }).template()
}

/** One expression that stands alone. Throws TemplateSyntaxError, BudgetError. */
export function parseLoneExpression(source: string, syntax: Syntax, meter: Meter): Expr {
  meter.step(source.length >> 4)
  const lexer = new Lexer(source, syntax.lexer, undefined)
  const parser = new Parser(lexer.expressionTokens(), grammar, { ...syntax, templateName: undefined, meter })
  parser.stream.next()
  const node = parser.expression()
  if (!parser.stream.test('variable_end')) parser.stream.fail('chunk after expression')
  return node
}
