import { compareBytes } from '../values.ts'

/**
 * Order of the keys of a map as Go's yaml writes them, the one that people expect: runs of digits count as numbers
 * (`k9` before `k10`), and letters come after everything else.
 */
export function compareKeys(a: string, b: string): number {
  if (!/[^\x20-\x7e]/.test(a) && !/[^A-Za-z\x20]/.test(a) && !/[^A-Za-z\x20]/.test(b)) return compareLetters(a, b)
  const [left, right] = [Array.from(a), Array.from(b)]
  for (const [at, one] of left.entries()) {
    const other = right[at]
    if (other === undefined) return 1
    if (one !== other) return compareAt(left, right, at)
  }
  return left.length - right.length
}

/** Without digits and signs, letters beat blanks and the rest is the order of code points. */
function compareLetters(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    if (a[at] !== b[at]) return a[at] === ' ' ? -1 : b[at] === ' ' ? 1 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1
  }
  return a.length - b.length
}

function compareAt(left: readonly string[], right: readonly string[], at: number): number {
  const [one = '', other = ''] = [left[at], right[at]]
  const [letter, otherLetter] = [isLetter(one), isLetter(other)]
  if (letter && otherLetter) return compareBytes(one, other)
  if (letter || otherLetter) return letter ? 1 : -1
  // A zero that differs inside of a number counts for its place.
  const inNumber = (one === '0' || other === '0') && hasDigitBefore(left, at)
  const [a, b] = [numberAt(left, at, inNumber), numberAt(right, at, inNumber)]
  if (a.value !== b.value) return a.value < b.value ? -1 : 1
  return a.end === b.end ? compareBytes(one, other) : a.end - b.end
}

function hasDigitBefore(chars: readonly string[], at: number): boolean {
  for (let before = at - 1; before >= 0 && isDigit(chars[before] ?? ''); before--) {
    if (chars[before] !== '0') return true
  }
  return false
}

function numberAt(chars: readonly string[], at: number, inNumber: boolean): { value: bigint; end: number } {
  let end = at
  while (end < chars.length && isDigit(chars[end] ?? '')) end++
  const digits = chars.slice(at, end).join('')
  // Go counts in 64 bits; longer runs of digits are no numbers that anybody writes.
  return { value: BigInt.asIntN(64, BigInt(`${inNumber ? '1' : '0'}${digits}`)), end }
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9' && char.length === 1
}

function isLetter(char: string): boolean {
  return /^\p{L}$/u.test(char)
}
