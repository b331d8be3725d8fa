import { TemplateAssertionError } from '../errors.ts'
import type { CallNode, Expr, FilterNode, MacroBody, Stmt } from './ast.ts'
import { parseFilter } from './expressions.ts'
import type { Parser } from './parser.ts'
import { parseTuple } from './primary.ts'
import { parseNameTarget, parseTarget } from './targets.ts'

type StatementParser = (parser: Parser, line: number) => readonly Stmt[]

function parseFor(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const target = parseTarget(parser)
  stream.expect('name:in')
  const iter = parseTuple(parser, { withCondition: false })
  const test = stream.skipIf('name:if') ? parser.expression() : null
  const recursive = stream.skipIf('name:recursive')
  const body = parser.until(['endfor', 'else'])
  const otherwise = stream.next().text === 'endfor' ? [] : parser.until(['endfor'], true)
  return [{ kind: 'for', target, iter, test, recursive, body, otherwise, line }]
}

function parseIf(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const branches: { test: Expr; body: Stmt[] }[] = []
  while (true) {
    const test = parseTuple(parser, { withCondition: false })
    branches.push({ test, body: parser.until(['elif', 'else', 'endif']) })
    const token = stream.next()
    if (token.text === 'elif') continue
    const otherwise = token.text === 'else' ? parser.until(['endif'], true) : []
    return [{ kind: 'if', branches, otherwise, line }]
  }
}

function parseWith(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const targets: ReturnType<typeof parseTarget>[] = []
  const values: Expr[] = []
  while (!stream.test('block_end')) {
    if (targets.length > 0) stream.expect('comma')
    targets.push(parseTarget(parser))
    stream.expect('assign')
    values.push(parser.expression())
  }
  return [{ kind: 'with', targets, values, body: parser.until(['endwith'], true), line }]
}

function parseSet(parser: Parser, line: number): Stmt[] {
  const target = parseTarget(parser, true)
  if (parser.stream.skipIf('assign')) return [{ kind: 'assign', target, value: parseTuple(parser), line }]
  const filter = parseFilter(parser, null)
  return [{ kind: 'assignblock', target, filter, body: parser.until(['endset'], true), line }]
}

function parseBlock(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const name = stream.expect('name').text
  const scoped = stream.skipIf('name:scoped')
  const required = stream.skipIf('name:required')
  if (stream.test('sub')) {
    stream.fail(
      'Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.',
    )
  }
  const body = parser.until(['endblock'], true)
  if (required && body.some(part => part.kind !== 'data' || part.text.trim() !== '')) {
    stream.fail('Required blocks can only contain comments or whitespace')
  }
  stream.skipIf(`name:${name}`)
  return [{ kind: 'block', name, scoped, required, body, line }]
}

function parseExtends(parser: Parser, line: number): Stmt[] {
  return [{ kind: 'extends', template: parser.expression(), line }]
}

/** `with context` or `without context`, if either stands there. */
function contextChoice(parser: Parser): boolean | undefined {
  const { stream } = parser
  if (!stream.testAny(['name:with', 'name:without'])) return undefined
  const { type, text } = stream.look()
  if (type !== 'name' || text !== 'context') return undefined
  const choice = stream.next().text === 'with'
  stream.next()
  return choice
}

function parseInclude(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const template = parser.expression()
  let ignoreMissing = false
  if (stream.test('name:ignore')) {
    const { type, text } = stream.look()
    if (type === 'name' && text === 'missing') {
      ignoreMissing = true
      stream.next()
      stream.next()
    }
  }
  return [{ kind: 'include', template, ignoreMissing, withContext: contextChoice(parser) ?? true, line }]
}

function parseImport(parser: Parser, line: number): Stmt[] {
  const template = parser.expression()
  parser.stream.expect('name:as')
  const target = parseNameTarget(parser).name
  return [{ kind: 'import', template, target, withContext: contextChoice(parser) ?? false, line }]
}

function parseFrom(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const template = parser.expression()
  stream.expect('name:import')
  const names: [string, string][] = []
  let withContext: boolean | undefined
  while (true) {
    if (names.length > 0) stream.expect('comma')
    if (!stream.test('name')) {
      stream.expect('name')
      break
    }
    withContext = contextChoice(parser)
    if (withContext !== undefined) break
    const { name, line: at } = parseNameTarget(parser)
    if (name.startsWith('_')) {
      throw new TemplateAssertionError('names starting with an underline can not be imported', at, parser.templateName)
    }
    names.push([name, stream.skipIf('name:as') ? parseNameTarget(parser).name : name])
    withContext = contextChoice(parser)
    if (withContext !== undefined || !stream.test('comma')) break
  }
  return [{ kind: 'fromimport', template, names, withContext: withContext ?? false, line }]
}

/** The parameters in the parentheses of a macro or call block. */
function parseSignature(parser: Parser): { params: string[]; defaults: Expr[] } {
  const { stream } = parser
  const params = new Set<string>()
  const defaults: Expr[] = []
  stream.expect('lparen')
  while (!stream.test('rparen')) {
    if (params.size > 0) stream.expect('comma')
    const { name, line } = parseNameTarget(parser)
    if (params.has(name)) stream.fail(`duplicate argument '${name}' in function definition`, line)
    params.add(name)
    if (stream.skipIf('assign')) defaults.push(parser.expression())
    else if (defaults.length > 0) stream.fail('non-default argument follows default argument')
  }
  stream.expect('rparen')
  return { params: [...params], defaults }
}

function parseMacro(parser: Parser, line: number): Stmt[] {
  const { name } = parseNameTarget(parser)
  const signature = parseSignature(parser)
  const macro: MacroBody = { ...signature, body: parser.until(['endmacro'], true), line }
  return [{ kind: 'macro', name, macro, line }]
}

function parseCallBlock(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const signature = stream.test('lparen') ? parseSignature(parser) : { params: [], defaults: [] }
  const call = parser.expression()
  if (call.kind !== 'call') stream.fail('expected call', line)
  const macro: MacroBody = { ...signature, body: parser.until(['endcall'], true), line }
  return [{ kind: 'callblock', call: call as CallNode, macro, line }]
}

function parseFilterBlock(parser: Parser, line: number): Stmt[] {
  const filter = parseFilter(parser, null, true) as FilterNode
  return [{ kind: 'filterblock', filter, body: parser.until(['endfilter'], true), line }]
}

function parsePrint(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const statements: Stmt[] = []
  while (!stream.test('block_end')) {
    if (statements.length > 0) stream.expect('comma')
    statements.push({ kind: 'output', node: parser.expression(), line })
  }
  return statements
}

function parseAutoescape(parser: Parser, line: number): Stmt[] {
  const value = parser.expression()
  return [{ kind: 'autoescape', value, body: parser.until(['endautoescape'], true), line }]
}

function parseDo(parser: Parser, line: number): Stmt[] {
  return [{ kind: 'do', node: parseTuple(parser), line }]
}

const builtin: ReadonlyMap<string, StatementParser> = new Map<string, StatementParser>([
  ['for', parseFor],
  ['if', parseIf],
  ['block', parseBlock],
  ['extends', parseExtends],
  ['print', parsePrint],
  ['macro', parseMacro],
  ['include', parseInclude],
  ['from', parseFrom],
  ['import', parseImport],
  ['set', parseSet],
  ['with', parseWith],
  ['autoescape', parseAutoescape],
  ['call', parseCallBlock],
  ['filter', parseFilterBlock],
])

const extensions: ReadonlyMap<string, readonly [extension: string, StatementParser]> = new Map([
  ['do', ['do', parseDo] as const],
  ['break', ['loopcontrols', (_, line) => [{ kind: 'break', line }]] as const],
  ['continue', ['loopcontrols', (_, line) => [{ kind: 'continue', line }]] as const],
  ['debug', ['debug', (_, line) => [{ kind: 'debug', line }]] as const],
])

/** The statement a tag begins; the tag's name is the current token. Undefined when no such tag is known. */
export function parseStatement(
  parser: Parser,
  tag: string,
  trans: (parser: Parser, line: number) => readonly Stmt[],
): readonly Stmt[] | undefined {
  const extension = extensions.get(tag)
  let parse = builtin.get(tag)
  if (extension !== undefined && parser.extensions.has(extension[0])) parse = extension[1]
  if (tag === 'trans' && parser.extensions.has('i18n')) parse = trans
  if (parse !== undefined) return parse(parser, parser.stream.next().line)
  return undefined
}
