const width = 80

/** Escapes with a letter of their own (yaml.org/spec/1.1, 5.7). */
const short: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that need escapes.
const special = /[\x00-\x1f"\\\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/u

/**
 * A text in double quotes, with escapes for what YAML forbids, and broken at blanks like other long scalars; two
 * blanks there keep the second by an escape.
 * @param column where it begins; @param indent of its further lines
 */
export function doubleQuoted(text: string, column: number, indent: number): string {
  const chars = Array.from(text)
  let result = '"'
  let at = column + 1
  let afterBlank = false
  for (const [index, char] of chars.entries()) {
    const inside = index > 0 && index < chars.length - 1
    if (char === ' ' && inside && !afterBlank && at > width) {
      result += `\n${' '.repeat(indent)}${chars[index + 1] === ' ' ? '\\' : ''}`
      at = indent + (chars[index + 1] === ' ' ? 1 : 0)
    } else {
      const written = special.test(char) || char.length > 1 ? escaped(char) : char
      result += written
      at += written.length
    }
    afterBlank = char === ' '
  }
  return `${result}"`
}

function escaped(char: string): string {
  const known = short[char]
  if (known !== undefined) return known
  const code = char.codePointAt(0) ?? 0
  const hex = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
