/** Takes secrets out of text that people will see. */
export type Mask = (text: string) => string

const replacement = '[hidden]'

/**
 * What looks like a credential, whoever it belongs to: GitHub and GitLab tokens, JSON web tokens, private keys,
 * passwords inside addresses, authorization headers, AWS key ids.
 */
const patterns: RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /(?<=\b(?:bearer|basic|token)\s+)[A-Za-z0-9._~+/=-]{16,}/gi,
  /(?<=:\/\/)[^\s/@:]{0,256}:[^\s/@]{1,1024}(?=@)/g,
  /(?<=\b(?:password|passwd|secret|token|api[-_]?key)["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"',;]{6,}/gi,
]

/** A mask for everything that looks like a credential, and for the given values wherever they occur. */
export function maskFor(secrets: readonly string[] = []): Mask {
  // Short values would tear holes into ordinary words.
  const values = secrets.filter(value => value.length >= 6).sort((a, b) => b.length - a.length)
  return text => {
    let masked = text
    for (const value of values) masked = masked.replaceAll(value, replacement)
    for (const pattern of patterns) masked = masked.replace(pattern, replacement)
    return masked
  }
}
