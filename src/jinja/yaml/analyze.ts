/** Which notations can hold a scalar, as PyYAML decides it. */
export interface ScalarShape {
  readonly empty: boolean
  readonly multiline: boolean
  readonly plain: boolean
  readonly singleQuoted: boolean
  readonly block: boolean
}

const emptyShape: ScalarShape = { empty: true, multiline: false, plain: true, singleQuoted: true, block: false }

/** True for the characters that break a line in YAML 1.1. */
export function isBreak(char: string | undefined): boolean {
  return char === '\n' || char === '\x85' || char === '\u2028' || char === '\u2029'
}

function isBlank(char: string | undefined): boolean {
  return char === undefined || char === '\0' || char === ' ' || char === '\t' || char === '\r' || isBreak(char)
}

/** True when an indicator stands where it would give a plain scalar of a block another meaning. */
function hasIndicator(chars: readonly string[], text: string): boolean {
  if (text.startsWith('---') || text.startsWith('...')) return true
  return chars.some((char, index) => {
    const blankAfter = isBlank(chars[index + 1])
    if (index === 0) {
      return '#,[]{}&*!|>\'"%@`'.includes(char) || ('?:-'.includes(char) && blankAfter)
    }
    return (char === ':' && blankAfter) || (char === '#' && isBlank(chars[index - 1]))
  })
}

/** What spaces and line breaks lie next to. */
function spacing(chars: readonly string[]): { spaceThenBreak: boolean; breakThenSpace: boolean } {
  let spaceThenBreak = false
  let breakThenSpace = false
  for (let i = 1; i < chars.length; i++) {
    if (isBreak(chars[i]) && chars[i - 1] === ' ') spaceThenBreak = true
    if (chars[i] === ' ' && isBreak(chars[i - 1])) breakThenSpace = true
  }
  return { spaceThenBreak, breakThenSpace }
}

/** How a scalar (given by code points) may be written. Everything outside ASCII is escaped, so it needs double quotes. */
export function analyze(chars: readonly string[]): ScalarShape {
  if (chars.length === 0) return emptyShape
  const text = chars.join('')
  const multiline = chars.some(isBreak)
  const { spaceThenBreak, breakThenSpace } = spacing(chars)
  const special = spaceThenBreak || chars.some(char => char !== '\n' && (char < ' ' || char > '~'))
  const last = chars.at(-1)
  const edge = chars[0] === ' ' || isBreak(chars[0]) || last === ' ' || isBreak(last)
  return {
    empty: false,
    multiline,
    plain: !(special || multiline || edge || hasIndicator(chars, text)),
    singleQuoted: !(special || breakThenSpace),
    block: !special && last !== ' ',
  }
}
