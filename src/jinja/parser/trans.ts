import { TemplateAssertionError } from '../errors.ts'
import { strip } from '../python/space.ts'
import type { CallNode, Expr, Stmt } from './ast.ts'
import type { Parser } from './parser.ts'

interface Message {
  context: string | undefined
  trimmed: boolean | undefined
  readonly variables: Map<string, Expr>
  countedBy: Expr | undefined
  countIsNum: boolean
  readonly before: Stmt[]
}

/** `{% trans %}…{% pluralize %}…{% endtrans %}`: becomes a call of the gettext function that fits. */
export function parseTrans(parser: Parser, line: number): Stmt[] {
  const { stream } = parser
  const message = parseHead(parser)
  const referenced = new Set<string>()
  const singular = parseText(parser, referenced, true)
  const [first] = referenced
  if (first !== undefined && message.countedBy === undefined) {
    message.countedBy = { kind: 'name', name: first, line }
    message.countIsNum = first === 'num'
  }
  const plural = stream.test('name:pluralize') ? parsePlural(parser, message, referenced) : undefined
  stream.next()
  for (const name of referenced) {
    if (!message.variables.has(name)) message.variables.set(name, { kind: 'name', name, line })
  }
  if (plural !== undefined && message.countedBy === undefined) stream.fail('pluralize without variables', line)
  const trim = (message.trimmed ?? parser.trimMessages) ? trimmed : (text: string) => text
  const texts = { singular: trim(singular), plural: plural === undefined ? undefined : trim(plural) }
  return [
    ...message.before,
    { kind: 'output', node: messageNode(parser, message, texts, referenced.size > 0, line), line },
  ]
}

function trimmed(text: string): string {
  const lines = strip(text).split('\n').map(strip)
  return lines.filter(line => line !== '').join(' ')
}

function parseHead(parser: Parser): Message {
  const { stream } = parser
  const message: Message = {
    context: stream.test('string') ? stream.next().text : undefined,
    trimmed: undefined,
    variables: new Map(),
    countedBy: undefined,
    countIsNum: false,
    before: [],
  }
  while (!stream.test('block_end')) {
    if (message.variables.size > 0) stream.expect('comma')
    if (stream.skipIf('colon')) break
    parseVariable(parser, message)
  }
  stream.expect('block_end')
  return message
}

function parseVariable(parser: Parser, message: Message): void {
  const { stream } = parser
  const { text: name, line } = stream.expect('name')
  if (message.variables.has(name)) {
    throw new TemplateAssertionError(`translatable variable '${name}' defined twice.`, line, parser.templateName)
  }
  let value: Expr = { kind: 'name', name, line }
  if (stream.skipIf('assign')) value = parser.expression()
  else if (message.trimmed === undefined && (name === 'trimmed' || name === 'notrimmed')) {
    message.trimmed = name === 'trimmed'
    return
  }
  if (message.countedBy === undefined) {
    if (value.kind === 'call') {
      message.before.push({ kind: 'assign', target: { kind: 'name', name: '_trans', line }, value, line })
      value = { kind: 'name', name: '_trans', line }
    }
    message.countedBy = value
    message.countIsNum = name === 'num'
  }
  message.variables.set(name, value)
}

function parsePlural(parser: Parser, message: Message, referenced: Set<string>): string {
  const { stream } = parser
  stream.next()
  if (!stream.test('block_end')) {
    const { text: name, line } = stream.expect('name')
    const counted = message.variables.get(name)
    if (counted === undefined) {
      throw new TemplateAssertionError(`unknown variable '${name}' for pluralization`, line, parser.templateName)
    }
    message.countedBy = counted
    message.countIsNum = name === 'num'
  }
  stream.expect('block_end')
  return parseText(parser, referenced, false)
}

/** The text up to the next tag, with variables as `%(name)s`. */
function parseText(parser: Parser, referenced: Set<string>, allowPlural: boolean): string {
  const { stream } = parser
  let text = ''
  while (true) {
    const token = stream.next()
    if (token.type === 'data') text += token.text.replaceAll('%', '%%')
    else if (token.type === 'variable_begin') {
      const name = stream.expect('name').text
      referenced.add(name)
      text += `%(${name})s`
      stream.expect('variable_end')
    } else if (token.type === 'block_begin') {
      const tag = stream.current.type === 'name' ? stream.current.text : undefined
      if (tag === 'endtrans' || (tag === 'pluralize' && allowPlural)) return text
      failInside(parser, tag)
    } else stream.fail('unclosed translation block')
  }
}

function failInside(parser: Parser, tag: string | undefined): never {
  const { stream } = parser
  if (tag === 'pluralize') stream.fail('a translatable section can have only one pluralize section')
  if (tag === 'trans') stream.fail("trans blocks can't be nested; did you mean `endtrans`?")
  return stream.fail(`control structures in translatable sections are not allowed; saw \`${tag}\``)
}

function messageNode(
  parser: Parser,
  message: Message,
  texts: { singular: string; plural: string | undefined },
  hasReferences: boolean,
  line: number,
): Expr {
  const newstyle = parser.newstyleGettext
  const plain = (text: string) => (hasReferences || newstyle ? text : text.replaceAll('%%', '%'))
  const constant = (value: string): Expr => ({ kind: 'const', value, line })
  const args: Expr[] = message.context === undefined ? [] : [constant(message.context)]
  args.push(constant(plain(texts.singular)))
  const counted = texts.plural !== undefined
  if (texts.plural !== undefined && message.countedBy !== undefined) {
    args.push(constant(plain(texts.plural)), message.countedBy)
  }
  const name = `${counted ? 'n' : ''}${message.context === undefined ? '' : 'p'}gettext`
  const variables = [...message.variables]
  const kwargs = newstyle ? variables.filter(([key]) => !(key === 'num' && counted && message.countIsNum)) : []
  const call: CallNode = {
    kind: 'call',
    node: { kind: 'name', name, line },
    arguments: { args, kwargs, dynArgs: null, dynKwargs: null },
    line,
  }
  return newstyle ? call : { kind: 'message', call, variables, fill: variables.length > 0, line }
}
