import { TemplateSyntaxError } from '../errors.ts'
import { describeToken, describeType, type Token, type TokenType } from '../lexer/tokens.ts'
import { type Meter, stepsPerToken } from '../meter.ts'

/** A kind of token, or a name with a certain text. */
export type TokenRule = TokenType | `name:${string}`

/** The tokens of a template with one or two tokens of foresight, and the mistakes it reports. */
export class TokenStream {
  current: Token
  private readonly source: Iterator<Token, undefined>
  private readonly pushed: Token[] = []
  private readonly templateName: string | undefined
  private readonly meter: Meter

  constructor(source: Iterator<Token, undefined>, templateName: string | undefined, meter: Meter) {
    this.source = source
    this.meter = meter
    this.templateName = templateName
    this.current = { type: 'eof', text: '', line: 1 }
    this.advance()
  }

  /** Returns the current token and moves on. */
  next(): Token {
    const token = this.current
    this.advance()
    return token
  }

  /** The token after the current one. */
  look(): Token {
    const current = this.next()
    const after = this.current
    this.pushed.push(after)
    this.current = current
    return after
  }

  test(rule: TokenRule): boolean {
    return matches(this.current, rule)
  }

  testAny(rules: readonly TokenRule[]): boolean {
    return rules.some(rule => this.test(rule))
  }

  /** Moves on and tells so if the current token fits. */
  skipIf(rule: TokenRule): boolean {
    if (!this.test(rule)) return false
    this.advance()
    return true
  }

  /** The current token, which must fit. Throws TemplateSyntaxError. */
  expect(rule: TokenRule): Token {
    if (this.test(rule)) return this.next()
    const wanted = describeType(rule)
    if (this.current.type === 'eof') this.fail(`unexpected end of template, expected '${wanted}'.`)
    return this.fail(`expected token '${wanted}', got '${describeToken(this.current)}'`)
  }

  /** Throws a TemplateSyntaxError at the given line, or at the current token. */
  fail(message: string, line = this.current.line): never {
    throw new TemplateSyntaxError(message, line, this.templateName)
  }

  private advance(): void {
    const pushed = this.pushed.pop()
    if (pushed !== undefined) this.current = pushed
    else {
      this.meter.step(stepsPerToken)
      const step = this.source.next()
      this.current = step.done === true ? { type: 'eof', text: '', line: this.current.line } : step.value
    }
  }
}

function matches(token: Token, rule: TokenRule): boolean {
  if (token.type === rule) return true
  return rule.startsWith('name:') && token.type === 'name' && rule === `name:${token.text}`
}
