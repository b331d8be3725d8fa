/** What looks like a credential; each keeps the part that says what it was. */
const credentials: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '***'],
  [/([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@]{1,1000}@/gi, '$1***@'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 ***'],
  [/\b(gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[A-Za-z0-9_-]{8,}/g, '$1***'],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?/g, '***'],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/g, '$1***'],
  [
    /((?:pass(?:word|wd|phrase)?|token|secret|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?["']?\s{0,3}[:=]\s{0,3})("[^"\n]{0,1000}"|'[^'\n]{0,1000}'|[^\s,;]{1,1000})/gi,
    '$1***',
  ],
]

/** Longest text that is looked through, in characters. */
const maxInput = 8 * 1024

/** Text of a foreign tool made fit for a status: credentials masked, control characters gone, at most `limit` long. */
export function presentable(text: string, limit = 512): string {
  let masked = text.slice(0, maxInput)
  for (const [pattern, replacement] of credentials) masked = masked.replace(pattern, replacement)
  const line = masked.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line
}
