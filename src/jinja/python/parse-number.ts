import { strip } from './space.ts'

const digits = '0123456789abcdefghijklmnopqrstuvwxyz'
const prefixes: Record<string, number> = { b: 2, o: 8, x: 16 }
const longest = 4300

/** `int(text, base)`, or undefined when Python raises ValueError. */
export function parseIntText(source: string, base: number): bigint | undefined {
  if (base !== 0 && (base < 2 || base > 36)) return undefined
  let text = strip(asciiDigits(source)).toLowerCase()
  let negative = false
  if (text.startsWith('-') || text.startsWith('+')) {
    negative = text.startsWith('-')
    text = text.slice(1)
  }
  let radix = base
  const prefix = text.startsWith('0') ? prefixes[text.charAt(1)] : undefined
  if (prefix !== undefined && (base === 0 || base === prefix)) {
    radix = prefix
    text = text.slice(2).replace(/^_/, '')
  } else if (base === 0) {
    if (/^0[_0]*[1-9]/.test(text)) return undefined
    radix = 10
  }
  if (!/^[0-9a-z]+(?:_[0-9a-z]+)*$/.test(text)) return undefined
  const bare = text.replaceAll('_', '')
  if (bare.length > longest) return undefined
  const magnitude = magnitudeOf(bare, radix)
  return magnitude === undefined || !negative ? magnitude : -magnitude
}

function magnitudeOf(text: string, radix: number): bigint | undefined {
  for (const char of text) if (digits.indexOf(char) >= radix) return undefined
  if (radix === 10) return BigInt(text)
  if (radix === 2 || radix === 8 || radix === 16)
    return BigInt(`0${radix === 2 ? 'b' : radix === 8 ? 'o' : 'x'}${text}`)
  let value = 0n
  for (const char of text) value = value * BigInt(radix) + BigInt(digits.indexOf(char))
  return value
}

/** Decimal digits of other scripts, which Python reads too, as ASCII ones. */
function asciiDigits(text: string): string {
  if (!/[\u0080-\uffff]/.test(text)) return text
  return text.replace(/\p{Nd}/gu, char => {
    const code = char.codePointAt(0) ?? 0
    let zero = code
    while (zero > code - 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--
    return String((code - zero) % 10)
  })
}

const floatPattern = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i
const specials: Record<string, number> = {
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  nan: Number.NaN,
}

/** `float(text)`, or undefined when Python raises ValueError. */
export function parseFloatText(source: string): number | undefined {
  const text = strip(asciiDigits(source))
  if (floatPattern.test(text)) return Number(text.replaceAll('_', ''))
  const special = specials[text.toLowerCase().replace(/^[+-]/, '')]
  if (special === undefined) return undefined
  return text.startsWith('-') ? -special : special
}
