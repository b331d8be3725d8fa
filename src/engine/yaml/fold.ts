/** A line that has got this long ends at the next blank. */
const width = 80

/**
 * A scalar's text in one style, with the line breaks that Go's yaml puts into long ones: at single blanks, where a
 * reader makes a blank of the break again.
 * @param column where the text begins; @param indent of its further lines
 */
export function folded(text: string, column: number, indent: number, quote: '' | "'"): string {
  if (column + text.length <= width || !text.includes(' ')) return text
  const parts = text.split(' ')
  let result = ''
  let at = column
  for (const [index, part] of parts.entries()) {
    if (index > 0) {
      const single = part !== '' && parts[index - 1] !== ''
      // Quotes do not begin or end a line with a blank, nor does a break follow the first of two.
      const inside = quote === '' || (result.length > 1 && !(index === parts.length - 1 && part === quote))
      if (single && inside && at > width) {
        result += `\n${' '.repeat(indent)}`
        at = indent
      } else {
        result += ' '
        at++
      }
    }
    result += part
    at += lengthOf(part)
  }
  return result
}

/** Characters as people count them. */
function lengthOf(text: string): number {
  return /[\ud800-\udbff]/.test(text) ? Array.from(text).length : text.length
}
