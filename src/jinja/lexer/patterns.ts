import type { EnvironmentOptions } from '../options.ts'

/** Python's idea of white space, as a regular expression class. */
export const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'

/** How the lexer treats text; made once per environment. */
export interface LexerConfig {
  /** Finds the next tag in text; its named groups tell which. */
  readonly tag: RegExp
  readonly variableEnd: RegExp
  readonly blockEnd: RegExp
  readonly lineStatementEnd: RegExp
  readonly commentEnd: RegExp
  readonly rawEnd: RegExp
  readonly lstripBlocks: boolean
  readonly keepTrailingNewline: boolean
  readonly newlineSequence: string
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** The start patterns in Jinja2's order: longer delimiters first, then by name backwards. */
function tagPattern(options: EnvironmentOptions, blockStart: string, blockEnd: string): RegExp {
  const variable = options.variableStart ?? '{{'
  const comment = options.commentStart ?? '{#'
  const rules: [number, string, string][] = [
    [variable.length, 'variable', literal(variable)],
    [comment.length, 'comment', literal(comment)],
    [blockStart.length, 'block', literal(blockStart)],
  ]
  const statement = options.lineStatementPrefix
  if (statement !== undefined) {
    rules.push([statement.length, 'linestatement', `(?<![^\\n])[ \\t\\v]*${literal(statement)}`])
  }
  const lineComment = options.lineCommentPrefix
  if (lineComment !== undefined) {
    const before = `(?:(?<![^\\n])|(?<!${space}))(?:(?![\\r\\n])${space})*`
    rules.push([lineComment.length, 'linecomment', `${before}${literal(lineComment)}`])
  }
  rules.sort((a, b) => b[0] - a[0] || (a[1] < b[1] ? 1 : -1))
  const start = literal(blockStart)
  const end = literal(blockEnd)
  const raw = `(?<raw>${start}(?<rawSign>[-+]?)${space}*raw${space}*(?:-${end}${space}*|${end}))`
  const others = rules.map(([, name, pattern]) => `(?<${name}>${pattern})`).join('|')
  return new RegExp(`${raw}|(?:${others})(?<sign>[-+]?)`, 'g')
}

/** The patterns for an environment's delimiters and white space choices. */
export function lexerConfig(options: EnvironmentOptions): LexerConfig {
  const blockStart = options.blockStart ?? '{%'
  const blockEnd = options.blockEnd ?? '%}'
  const end = literal(blockEnd)
  const newline = options.trimBlocks === true ? '\\n?' : ''
  const blockClose = `(?:\\+${end}|-${end}${space}*|${end}${newline})`
  const comment = literal(options.commentEnd ?? '#}')
  const variable = literal(options.variableEnd ?? '}}')
  return {
    tag: tagPattern(options, blockStart, blockEnd),
    variableEnd: new RegExp(`-${variable}${space}*|${variable}`, 'y'),
    blockEnd: new RegExp(blockClose, 'y'),
    lineStatementEnd: new RegExp(`${space}*(?:\\n|$)`, 'y'),
    commentEnd: new RegExp(`\\+${comment}|-${comment}${space}*|${comment}${newline}`, 'g'),
    rawEnd: new RegExp(`${literal(blockStart)}(?<sign>[-+]?)${space}*endraw${space}*${blockClose}`, 'g'),
    lstripBlocks: options.lstripBlocks ?? false,
    keepTrailingNewline: options.keepTrailingNewline ?? false,
    newlineSequence: options.newlineSequence ?? '\n',
  }
}
