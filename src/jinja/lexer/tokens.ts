/** Kinds of tokens; operators have a kind each, named as in Jinja2's error messages and grammar. */
export type TokenType =
  | 'data'
  | 'variable_begin'
  | 'variable_end'
  | 'block_begin'
  | 'block_end'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'eof'
  | OperatorType

/** The operators' token kinds. */
export type OperatorType =
  | 'add'
  | 'assign'
  | 'colon'
  | 'comma'
  | 'div'
  | 'dot'
  | 'eq'
  | 'floordiv'
  | 'gt'
  | 'gteq'
  | 'lbrace'
  | 'lbracket'
  | 'lparen'
  | 'lt'
  | 'lteq'
  | 'mod'
  | 'mul'
  | 'ne'
  | 'pipe'
  | 'pow'
  | 'rbrace'
  | 'rbracket'
  | 'rparen'
  | 'semicolon'
  | 'sub'
  | 'tilde'

/** One token. `text` is the source text (decoded for strings); `number` is set for number literals. */
export interface Token {
  readonly type: TokenType
  readonly text: string
  readonly line: number
  readonly number?: number | bigint
}

/** Operators by their text. */
export const operators: ReadonlyMap<string, OperatorType> = new Map([
  ['+', 'add'],
  ['-', 'sub'],
  ['/', 'div'],
  ['//', 'floordiv'],
  ['*', 'mul'],
  ['%', 'mod'],
  ['**', 'pow'],
  ['~', 'tilde'],
  ['[', 'lbracket'],
  [']', 'rbracket'],
  ['(', 'lparen'],
  [')', 'rparen'],
  ['{', 'lbrace'],
  ['}', 'rbrace'],
  ['==', 'eq'],
  ['!=', 'ne'],
  ['>', 'gt'],
  ['>=', 'gteq'],
  ['<', 'lt'],
  ['<=', 'lteq'],
  ['=', 'assign'],
  ['.', 'dot'],
  [':', 'colon'],
  ['|', 'pipe'],
  [',', 'comma'],
  [';', 'semicolon'],
])

const texts = new Map<TokenType, string>([...operators].map(([text, type]) => [type, text]))

const descriptions: Partial<Record<TokenType, string>> = {
  data: 'template data / text',
  eof: 'end of template',
  variable_begin: 'begin of print statement',
  variable_end: 'end of print statement',
  block_begin: 'begin of statement block',
  block_end: 'end of statement block',
}

/** A kind of token, or `name:word` for one word, as messages name it. */
export function describeType(type: TokenType | `name:${string}`): string {
  if (type.startsWith('name:')) return type.slice(5)
  const known = type as TokenType
  return descriptions[known] ?? texts.get(known) ?? known
}

/** A token as messages name it. */
export function describeToken(token: Token): string {
  return token.type === 'name' ? token.text : describeType(token.type)
}
