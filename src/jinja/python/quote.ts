const simple: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const special = /[\\\n\r\t]|[^\x20-\x7e]/u
const specials = /[\\\n\r\t]|[^\x20-\x7e]/gu
const unprintable = /[\p{C}\p{Z}]/u

/** `repr(str)` of Python. */
export function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  let body = special.test(text) ? text.replace(specials, escapeChar) : text
  if (mark === "'" && body.includes("'")) body = body.replaceAll("'", "\\'")
  return mark + body + mark
}

function escapeChar(char: string): string {
  const known = simple[char]
  if (known !== undefined) return known
  const code = char.codePointAt(0) ?? 0
  if (code > 0x7f && !unprintable.test(char)) return char
  return hexEscape(code)
}

/** `repr(bytes)` of Python. */
export function quoteBytes(bytes: Uint8Array): string {
  const text = Array.from(bytes, byte => String.fromCharCode(byte)).join('')
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = text.replace(/[\\\n\r\t]|[^\x20-\x7e]/g, char => {
    return simple[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return `b${mark}${mark === "'" ? body.replaceAll("'", "\\'") : body}${mark}`
}

/** Everything outside printable ASCII by code, as `ascii()` does to a repr. */
export function asciiOnly(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, char => hexEscape(char.codePointAt(0) ?? 0))
}

function hexEscape(code: number): string {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}
