/** What a bad escape in a string literal is refused with. */
export class EscapeError extends Error {}

const simple: Record<string, string> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const hexLengths: Record<string, number> = { x: 2, u: 4, U: 8 }

const escapePattern = /\\([0-7]{1,3}|x[0-9a-fA-F]{0,2}|u[0-9a-fA-F]{0,4}|U[0-9a-fA-F]{0,8}|N(?:\{[^}]*\})?|[\s\S])/g

/** The value of a string literal's inside, by Python's escapes. Throws EscapeError with Python's message. */
export function decodeEscapes(body: string): string {
  return body.includes('\\') ? body.replace(escapePattern, decodeOne) : body
}

function decodeOne(whole: string, body: string): string {
  const known = simple[body]
  if (known !== undefined) return known
  const first = body.charAt(0)
  if (first >= '0' && first <= '7') return String.fromCharCode(Number.parseInt(body, 8))
  if (first === 'N') {
    throw new EscapeError(body.length > 1 ? 'unknown Unicode character name' : 'malformed \\N character escape')
  }
  const length = hexLengths[first]
  if (length === undefined) return whole
  if (body.length !== length + 1) throw new EscapeError(`truncated \\${first}${'X'.repeat(length)} escape`)
  const code = Number.parseInt(body.slice(1), 16)
  if (code > 0x10ffff) throw new EscapeError('illegal Unicode character')
  return String.fromCodePoint(code)
}
