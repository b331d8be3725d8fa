import { TemplateSyntaxError } from '../errors.ts'
import type { Token } from '../lexer/tokens.ts'
import type { Meter } from '../meter.ts'
import type { Expr, Stmt } from './ast.ts'
import { parseTuple } from './primary.ts'
import { TokenStream } from './stream.ts'

const maxNesting = 150

/** What the grammar's parts need of each other; given to the parser so that their files need no cycles. */
export interface Grammar {
  expression(parser: Parser, withCondition: boolean): Expr
  /** A statement tag, read after `block_begin`. Returns undefined for a tag that is not known. */
  statement(parser: Parser, tag: string): readonly Stmt[] | undefined
}

/** State of one parse: the tokens, the open tags and the extensions in force. */
export class Parser {
  readonly stream: TokenStream
  readonly templateName: string | undefined
  readonly extensions: ReadonlySet<string>
  /** Policy `ext.i18n.trimmed`. */
  readonly trimMessages: boolean
  readonly newstyleGettext: boolean
  private readonly grammar: Grammar
  private readonly tags: string[] = []
  private readonly ends: (readonly string[])[] = []
  private depth = 0

  constructor(
    tokens: Iterator<Token, undefined>,
    grammar: Grammar,
    options: {
      templateName: string | undefined
      extensions: ReadonlySet<string>
      trimMessages: boolean
      newstyleGettext: boolean
      meter: Meter
    },
  ) {
    this.templateName = options.templateName
    this.extensions = options.extensions
    this.trimMessages = options.trimMessages
    this.newstyleGettext = options.newstyleGettext
    this.grammar = grammar
    this.stream = new TokenStream(tokens, options.templateName, options.meter)
  }

  expression(withCondition = true): Expr {
    return this.grammar.expression(this, withCondition)
  }

  /** Runs a part one level deeper; deep nesting is a syntax error instead of a stack overflow. */
  nested<T>(part: () => T): T {
    if (++this.depth > maxNesting) this.stream.fail('too many nested expressions or statements')
    const result = part()
    this.depth--
    return result
  }

  /** The whole template. Throws TemplateSyntaxError. */
  template(): Stmt[] {
    return this.body(undefined)
  }

  /** Statements up to one of the end tags; the end tag's name stays the current token unless it is dropped. */
  until(ends: readonly string[], dropEnd = false): Stmt[] {
    const { stream } = this
    stream.skipIf('colon')
    stream.expect('block_end')
    const body = this.nested(() => this.body(ends))
    if (stream.current.type === 'eof') this.failEof(ends)
    if (dropEnd) stream.next()
    return body
  }

  private body(ends: readonly string[] | undefined): Stmt[] {
    const body: Stmt[] = []
    if (ends !== undefined) this.ends.push(ends)
    while (this.stream.current.type !== 'eof' && !this.bodyPart(body, ends));
    if (ends !== undefined) this.ends.pop()
    return body
  }

  /** Adds the next part to the body, or tells that an end tag stands next. */
  private bodyPart(body: Stmt[], ends: readonly string[] | undefined): boolean {
    const { stream } = this
    const token = stream.next()
    const { line } = token
    if (token.type === 'data') body.push({ kind: 'data', text: token.text, line })
    else if (token.type === 'variable_begin') {
      const node = parseTuple(this)
      body.push({ kind: 'output', node, line })
      stream.expect('variable_end')
    } else if (token.type === 'block_begin') {
      if (ends !== undefined && stream.current.type === 'name' && ends.includes(stream.current.text)) return true
      body.push(...this.statement())
      stream.expect('block_end')
    } else stream.fail(`unexpected token '${token.text}'`, line)
    return false
  }

  private statement(): readonly Stmt[] {
    const { stream } = this
    const token = stream.current
    if (token.type !== 'name') stream.fail('tag name expected')
    this.tags.push(token.text)
    const statements = this.grammar.statement(this, token.text)
    // A tag that is not known is no innermost block, so it leaves the list before the message is made.
    this.tags.pop()
    return statements ?? this.failTag(token.text, token.line)
  }

  private failTag(name: string, line: number): never {
    return this.failOpen(`Encountered unknown tag '${name}'.`, name, this.ends.at(-1), line)
  }

  private failEof(ends: readonly string[]): never {
    return this.failOpen('Unexpected end of template.', undefined, ends, this.stream.current.line)
  }

  private failOpen(start: string, name: string | undefined, ends: readonly string[] | undefined, line: number): never {
    const parts = [start]
    if (ends !== undefined) {
      const mistaken = name !== undefined && this.ends.flat().includes(name)
      parts.push(
        mistaken
          ? `You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for ${listed(ends)}.`
          : `Jinja was looking for the following tags: ${listed(ends)}.`,
      )
    }
    const open = this.tags.at(-1)
    if (open !== undefined) parts.push(`The innermost block that needs to be closed is '${open}'.`)
    throw new TemplateSyntaxError(parts.join(' '), line, this.templateName)
  }
}

function listed(ends: readonly string[]): string {
  return ends.map(end => `'${end}'`).join(' or ')
}
