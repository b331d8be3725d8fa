/** `str.lower()` */
export function lower(text: string): string {
  return text.toLowerCase()
}

/** `str.upper()` */
export function upper(text: string): string {
  return text.toUpperCase()
}

const cased = /\p{Lu}|\p{Ll}|\p{Lt}/u
const upperOrTitle = /\p{Lu}|\p{Lt}/u
const ligatures: Record<string, string> = { ß: 'Ss', ﬀ: 'Ff', ﬁ: 'Fi', ﬂ: 'Fl', ﬃ: 'Ffi', ﬄ: 'Ffl', ﬅ: 'St', ﬆ: 'St' }

/** A character as the first of a word. */
export function titleChar(char: string): string {
  if (char >= 'ა' && char <= 'ჿ') return char
  const special = ligatures[char]
  if (special !== undefined) return special
  if (/[ǄǅǆǇǈǉǊǋǌǱǲǳ]/.test(char)) {
    const pairs: Record<string, string> = { Ǆ: 'ǅ', ǆ: 'ǅ', Ǉ: 'ǈ', ǉ: 'ǈ', Ǌ: 'ǋ', ǌ: 'ǋ', Ǳ: 'ǲ', ǳ: 'ǲ' }
    return pairs[char] ?? char
  }
  return char.toUpperCase()
}

/** `str.capitalize()` */
export function capitalize(text: string): string {
  const [first] = text
  return first === undefined ? '' : titleChar(first) + text.slice(first.length).toLowerCase()
}

/** `str.title()` */
export function title(text: string): string {
  let inWord = false
  let result = ''
  for (const char of text) {
    const isCased = cased.test(char)
    result += isCased ? (inWord ? char.toLowerCase() : titleChar(char)) : char
    inWord = isCased
  }
  return result
}

/** `str.swapcase()` */
export function swapcase(text: string): string {
  let result = ''
  for (const char of text) {
    result += upperOrTitle.test(char) ? char.toLowerCase() : char.toUpperCase()
  }
  return result
}

/** `str.istitle()` */
export function isTitle(text: string): boolean {
  let inWord = false
  let any = false
  for (const char of text) {
    if (upperOrTitle.test(char)) {
      if (inWord) return false
      inWord = true
      any = true
    } else if (cased.test(char)) {
      if (!inWord) return false
      any = true
    } else inWord = false
  }
  return any
}

/** `str.isupper()` */
export function isUpper(text: string): boolean {
  return /\p{Uppercase}/u.test(text) && !/\p{Lowercase}|\p{Lt}/u.test(text)
}

/** `str.islower()` */
export function isLower(text: string): boolean {
  return /\p{Lowercase}/u.test(text) && !/\p{Uppercase}|\p{Lt}/u.test(text)
}
