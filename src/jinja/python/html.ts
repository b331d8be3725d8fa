import { bareEntities, entities } from './entities.ts'
import { splitSpace } from './space.ts'

const reference = /&(?:#(\d+);?|#[xX]([0-9a-fA-F]+);?|([^\t\n\f <&#;]{1,32})(;?))/g
/** What the numbers 128 to 159 mean: pages took them for Windows' code page 1252. */
const windows = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

/** Text with HTML's character references resolved as browsers do, those without a semicolon too. */
export function resolveEntities(text: string): string {
  return text.replace(
    reference,
    (whole, decimal: string | undefined, hex: string | undefined, name: string | undefined, end: string) => {
      if (name !== undefined) return named(name, end) ?? whole
      return numbered(decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal))
    },
  )
}

/** The longest beginning of the name that is one. */
function named(name: string, end: string): string | undefined {
  const whole = end === ';' || bareEntities.has(name) ? entities.get(name) : undefined
  if (whole !== undefined) return end === ';' ? whole : whole + end
  for (let length = name.length; length > 1; length--) {
    const start = name.slice(0, length)
    if (bareEntities.has(start)) return (entities.get(start) ?? '') + name.slice(length) + end
  }
  return undefined
}

function numbered(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return windows.charAt(code - 0x80)
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd'
  const control = code < 0x20 && code !== 9 && code !== 10 && code !== 13 && code !== 12
  const noncharacter = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe
  return control || noncharacter || code === 0x7f ? '' : String.fromCodePoint(code)
}

/** Text without HTML comments and tags, white space collapsed, references resolved. Takes linear time. */
export function stripTags(text: string): string {
  const bare = cutBetween(cutBetween(text, '<!--', '-->'), '<', '>')
  return resolveEntities(splitSpace(bare).join(' '))
}

function cutBetween(text: string, open: string, close: string): string {
  let result = ''
  let at = 0
  while (true) {
    const start = text.indexOf(open, at)
    const end = start < 0 ? -1 : text.indexOf(close, start)
    if (end < 0) return result + text.slice(at)
    result += text.slice(at, start)
    at = end + close.length
  }
}
