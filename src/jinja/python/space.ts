/** Whether Python's `str.isspace` holds for a UTF-16 code unit. */
export function isSpaceCode(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 9 && code <= 13) || (code >= 0x1c && code <= 0x1f)
  if (code < 0x1680) return code === 0x85 || code === 0xa0
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  )
}

/** `str.lstrip()` of Python. */
export function stripStart(text: string): string {
  let start = 0
  while (start < text.length && isSpaceCode(text.charCodeAt(start))) start++
  return text.slice(start)
}

/** `str.rstrip()` of Python, in linear time. */
export function stripEnd(text: string): string {
  let end = text.length
  while (end > 0 && isSpaceCode(text.charCodeAt(end - 1))) end--
  return text.slice(0, end)
}

/** `str.strip()` of Python. */
export function strip(text: string): string {
  return stripEnd(stripStart(text))
}

/** `str.split()` of Python without a separator; at most `limit` splits when it is not negative. */
export function splitSpace(text: string, limit = -1): string[] {
  const words: string[] = []
  let at = 0
  while (true) {
    while (at < text.length && isSpaceCode(text.charCodeAt(at))) at++
    if (at >= text.length) return words
    if (limit >= 0 && words.length >= limit) {
      words.push(stripEnd(text.slice(at)))
      return words
    }
    const start = at
    while (at < text.length && !isSpaceCode(text.charCodeAt(at))) at++
    words.push(text.slice(start, at))
  }
}
