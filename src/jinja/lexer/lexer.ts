import { TemplateSyntaxError } from '../errors.ts'
import { stripEnd } from '../python/space.ts'
import type { LexerConfig } from './patterns.ts'
import { space } from './patterns.ts'
import { decodeEscapes, EscapeError } from './strings.ts'
import { operators, type Token } from './tokens.ts'

const blank = new RegExp(`${space}+`, 'y')
const onlySpace = new RegExp(`^${space}+$`)
const float = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy
const integer = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy
const name = /[\p{L}\p{N}\p{M}\p{Pc}\xb7]+/uy
const identifier = /^[\p{XID_Start}_][\p{XID_Continue}]*$/u
const string = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y
const operator = /\*\*|\/\/|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y
const closers: Record<string, string> = { '{': '}', '(': ')', '[': ']' }

/** Reads a template's source into tokens, one at a time, so that the first mistake is the one reported. */
export class Lexer {
  private readonly source: string
  private readonly config: LexerConfig
  private readonly templateName: string | undefined
  private position = 0
  private line = 1
  private nextNewline: number
  private lineStarting = true

  constructor(source: string, config: LexerConfig, templateName: string | undefined) {
    const lines = source.split(/\r\n|\r|\n/)
    if (!config.keepTrailingNewline && lines.at(-1) === '') lines.pop()
    this.source = lines.join('\n')
    this.nextNewline = newlineAfter(this.source, 0)
    this.config = config
    this.templateName = templateName
  }

  /** All tokens up to and with `eof`. Throws TemplateSyntaxError. */
  *tokens(): Generator<Token, undefined> {
    const { tag } = this.config
    while (this.position < this.source.length) {
      tag.lastIndex = this.position
      const match = tag.exec(this.source)
      if (match === null) {
        yield* this.data(this.source.slice(this.position), undefined, false)
        this.moveTo(this.source.length)
        break
      }
      const groups = match.groups ?? {}
      const sign = groups.raw === undefined ? groups.sign : groups.rawSign
      yield* this.data(this.source.slice(this.position, match.index), sign, groups.variable === undefined)
      this.moveTo(match.index + match[0].length)
      yield* this.inside(groups)
    }
    yield { type: 'eof', text: '', line: this.lineNow() }
  }

  /** Tokens of a single expression without delimiters, for `compileExpression`. */
  *expressionTokens(): Generator<Token, undefined> {
    yield { type: 'variable_begin', text: '', line: 1 }
    const end = /(?:)$/y
    yield* this.tag(end, undefined)
    yield { type: 'eof', text: '', line: this.lineNow() }
  }

  private *inside(groups: Record<string, string | undefined>): Generator<Token, undefined> {
    if (groups.raw !== undefined) yield* this.raw()
    else if (groups.comment !== undefined) this.comment()
    else if (groups.linecomment !== undefined) this.lineComment()
    else if (groups.variable !== undefined) {
      yield { type: 'variable_begin', text: groups.variable, line: this.lineNow() }
      yield* this.tag(this.config.variableEnd, 'variable_end')
    } else {
      yield { type: 'block_begin', text: groups.block ?? groups.linestatement ?? '', line: this.lineNow() }
      const end = groups.block === undefined ? this.config.lineStatementEnd : this.config.blockEnd
      yield* this.tag(end, 'block_end')
    }
  }

  private *data(text: string, sign: string | undefined, mayStrip: boolean): Generator<Token, undefined> {
    let kept = text
    if (sign === '-') kept = stripEnd(text)
    else if (sign !== '+' && mayStrip && this.config.lstripBlocks) {
      const start = text.lastIndexOf('\n') + 1
      if ((start > 0 || this.lineStarting) && onlySpace.test(text.slice(start))) kept = text.slice(0, start)
    }
    if (kept !== '') yield { type: 'data', text: this.newlines(kept), line: this.lineNow() }
  }

  private newlines(text: string): string {
    return this.config.newlineSequence === '\n' ? text : text.replaceAll('\n', this.config.newlineSequence)
  }

  private comment(): void {
    if (this.position >= this.source.length) return
    const match = this.findEnd(this.config.commentEnd, 'Missing end of comment tag')
    this.moveTo(match.index + match[0].length)
  }

  private lineComment(): void {
    const end = this.source.indexOf('\n', this.position)
    this.moveTo(end < 0 ? this.source.length : end)
  }

  private *raw(): Generator<Token, undefined> {
    if (this.position >= this.source.length) return
    const match = this.findEnd(this.config.rawEnd, 'Missing end of raw directive')
    yield* this.data(this.source.slice(this.position, match.index), match.groups?.sign, true)
    this.moveTo(match.index + match[0].length)
  }

  private findEnd(pattern: RegExp, message: string): RegExpExecArray {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.source)
    if (match === null) throw this.error(message)
    return match
  }

  private *tag(end: RegExp, endType: 'variable_end' | 'block_end' | undefined): Generator<Token, undefined> {
    const open: string[] = []
    while (true) {
      const ended = open.length === 0 ? this.take(end) : undefined
      if (ended !== undefined) {
        yield { type: endType ?? 'variable_end', text: ended, line: this.lineNow() - newlinesIn(ended) }
        return
      }
      if (this.position >= this.source.length) return
      if (this.take(blank) !== undefined) continue
      yield this.word() ?? this.operator(open)
    }
  }

  private word(): Token | undefined {
    const line = this.lineNow()
    const floating = this.take(float)
    if (floating !== undefined)
      return { type: 'float', text: floating, line, number: Number(floating.replaceAll('_', '')) }
    const whole = this.take(integer)
    if (whole !== undefined) return { type: 'integer', text: whole, line, number: BigInt(whole.replaceAll('_', '')) }
    const named = this.take(name)
    if (named !== undefined) {
      if (!identifier.test(named)) throw this.error('Invalid character in identifier', line)
      return { type: 'name', text: named, line }
    }
    const quoted = this.take(string)
    return quoted === undefined ? undefined : { type: 'string', text: this.unquote(quoted, line), line }
  }

  private unquote(quoted: string, line: number): string {
    try {
      return decodeEscapes(this.newlines(quoted.slice(1, -1)))
    } catch (error) {
      if (error instanceof EscapeError) throw this.error(error.message, line)
      throw error
    }
  }

  private operator(open: string[]): Token {
    const text = this.take(operator)
    const type = text === undefined ? undefined : operators.get(text)
    if (text === undefined || type === undefined) {
      const char = String.fromCodePoint(this.source.codePointAt(this.position) ?? 0)
      const quote = char === "'" ? '"' : "'"
      throw this.error(`unexpected char ${quote}${char}${quote} at ${this.position}`)
    }
    const closer = closers[text]
    if (closer !== undefined) open.push(closer)
    else if (text === '}' || text === ')' || text === ']') {
      const expected = open.pop()
      if (expected === undefined) throw this.error(`unexpected '${text}'`)
      if (expected !== text) throw this.error(`unexpected '${text}', expected '${expected}'`)
    }
    return { type, text, line: this.lineNow() }
  }

  /** The text a sticky pattern matches here, and moves past it. */
  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.source)
    if (match === null) return undefined
    this.moveTo(this.position + match[0].length)
    return match[0]
  }

  private moveTo(position: number): void {
    if (position > this.position) this.lineStarting = this.source[position - 1] === '\n'
    this.position = position
  }

  private lineNow(): number {
    while (this.nextNewline < this.position) {
      this.line++
      this.nextNewline = newlineAfter(this.source, this.nextNewline + 1)
    }
    return this.line
  }

  private error(message: string, line = this.lineNow()): TemplateSyntaxError {
    return new TemplateSyntaxError(message, line, this.templateName)
  }
}

function newlineAfter(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at < 0 ? Number.POSITIVE_INFINITY : at
}

function newlinesIn(text: string): number {
  return text.split('\n').length - 1
}
