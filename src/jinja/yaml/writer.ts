import { isBreak } from './analyze.ts'

/** Column after which PyYAML folds a line at the next space. */
const bestWidth = 80

const escapes: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\x85': 'N',
  '\xa0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
}

function escaped(char: string): string {
  const short = escapes[char]
  if (short !== undefined) return `\\${short}`
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase()
  if (code.length <= 2) return `\\x${code.padStart(2, '0')}`
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
}

/** Collects YAML text and knows where in the line it stands, so that indentation and folding come out as PyYAML's. */
export class YamlWriter {
  readonly #parts: string[] = []
  #column = 0
  /** True after a blank or at the start of a line. */
  #whitespace = true
  /** True while the line holds nothing but indentation and indicators such as `-`. */
  indention = true
  /** True when the text so far would swallow a following document. */
  openEnded = false
  /** Current indentation in columns. */
  indent = 0

  toString(): string {
    return this.#parts.join('')
  }

  write(text: string): void {
    this.#parts.push(text)
    this.#column += text.length
    this.#whitespace = false
    this.indention = false
  }

  lineBreak(text = '\n'): void {
    this.#parts.push(text)
    this.#column = 0
    this.#whitespace = true
    this.indention = true
  }

  /** Starts a new line at the current indentation unless the line is still free up to there. */
  writeIndent(): void {
    const { indent } = this
    if (!this.indention || this.#column > indent || (this.#column === indent && !this.#whitespace)) {
      this.lineBreak()
    }
    if (this.#column >= indent) return
    this.#parts.push(' '.repeat(indent - this.#column))
    this.#column = indent
    this.#whitespace = true
  }

  /** An indicator such as `-`, `:`, `&a`; `keepsIndention` for those that a nested block may follow on the line. */
  indicator(text: string, needsSpace: boolean, keepsIndention = false): void {
    const { indention } = this
    this.write(this.#whitespace || !needsSpace ? text : ` ${text}`)
    this.indention = indention && keepsIndention
    this.openEnded = false
  }

  plain(text: string, split: boolean): void {
    if (text === '') return
    if (!this.#whitespace) this.write(' ')
    this.#folded(text, split, false)
  }

  singleQuoted(text: string, split: boolean): void {
    this.indicator("'", true)
    this.#folded(text.replaceAll("'", "''"), split, true)
    this.indicator("'", false)
  }

  /** Runs of spaces, of breaks and of other characters; a single space past the width becomes a line break. */
  #folded(text: string, split: boolean, quoted: boolean): void {
    const runs = text.match(/ +|[\n\x85\u2028\u2029]+|[^ \n\x85\u2028\u2029]+/g) ?? []
    runs.forEach((run, index) => {
      const inner = !quoted || (index > 0 && index < runs.length - 1)
      if (run === ' ' && this.#column > bestWidth && split && inner) {
        this.writeIndent()
        this.indention = false
        this.#whitespace = false
      } else if (isBreak(run[0])) {
        if (run[0] === '\n') this.lineBreak()
        for (const char of run) this.lineBreak(char)
        this.writeIndent()
      } else {
        this.write(run)
      }
    })
  }

  doubleQuoted(chars: readonly string[], split: boolean): void {
    this.indicator('"', true)
    let run = ''
    chars.forEach((char, index) => {
      const folds = (pending: number) =>
        split && index > 0 && index < chars.length - 1 && this.#column + pending > bestWidth
      if (char < ' ' || char > '~' || char === '"' || char === '\\') {
        this.write(run + escaped(char))
        run = ''
        if (folds(-1)) this.#continueLine('', chars[index + 1])
        return
      }
      if ((char === ' ' || run === '') && folds(run.length)) {
        this.#continueLine(run, char)
        run = ''
      }
      run += char
    })
    this.write(run)
    this.indicator('"', false)
  }

  /** Ends the line with a backslash; a space at the start of the next one needs a backslash of its own. */
  #continueLine(run: string, next: string | undefined): void {
    this.write(`${run}\\`)
    this.writeIndent()
    this.#whitespace = false
    this.indention = false
    if (next === ' ') this.write('\\')
  }

  literal(text: string): void {
    const hints = blockHints(text)
    this.indicator(`|${hints}`, true)
    if (hints.endsWith('+')) this.openEnded = true
    this.lineBreak()
    const runs = text.match(/[\n\x85\u2028\u2029]+|[^\n\x85\u2028\u2029]+/g) ?? []
    for (const run of runs) {
      if (isBreak(run[0])) for (const char of run) this.lineBreak(char)
      else {
        this.writeIndent()
        this.write(run)
      }
    }
    if (!isBreak(text.at(-1))) this.lineBreak()
  }
}

function blockHints(text: string): string {
  const indentation = text[0] === ' ' || isBreak(text[0]) ? '2' : ''
  if (!isBreak(text.at(-1))) return `${indentation}-`
  return text.length === 1 || isBreak(text.at(-2)) ? `${indentation}+` : indentation
}
