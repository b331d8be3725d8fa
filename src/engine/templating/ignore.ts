/** One line of a `.templateignore` or `.gitignore`, bound to the folder that it stands in. */
export interface IgnorePattern {
  readonly domain: readonly string[]
  readonly negated: boolean
  readonly folderOnly: boolean
  readonly parts: readonly string[]
}

/** Reads a pattern in `.gitignore` syntax; `domain` is the folder it stands in, as path elements. */
export function parseIgnorePattern(line: string, domain: readonly string[]): IgnorePattern {
  const negated = line.startsWith('!')
  let text = negated ? line.slice(1) : line
  if (!text.endsWith('\\ ')) text = text.replace(/ +$/, '')
  const folderOnly = text.endsWith('/')
  if (folderOnly) text = text.slice(0, -1)
  return { domain, negated, folderOnly, parts: text.split('/') }
}

/** The patterns of such a file: all lines but empty ones and comments. */
export function parseIgnoreFile(text: string, domain: readonly string[]): IgnorePattern[] {
  const lines = text.split(/\r?\n/).filter(line => !line.startsWith('#') && line.trim() !== '')
  return lines.map(line => parseIgnorePattern(line, domain))
}

/** Whether a file (or folder) is ignored: the last pattern that matches decides. */
export function isIgnored(patterns: readonly IgnorePattern[], path: readonly string[], isFolder = false): boolean {
  for (let at = patterns.length - 1; at >= 0; at--) {
    const pattern = patterns[at]
    if (pattern !== undefined && matches(pattern, path, isFolder)) return !pattern.negated
  }
  return false
}

function matches(pattern: IgnorePattern, path: readonly string[], isFolder: boolean): boolean {
  const { domain, parts } = pattern
  const folderOnly = pattern.folderOnly && !isFolder
  if (path.length <= domain.length || domain.some((part, index) => path[index] !== part)) return false
  const rest = path.slice(domain.length)
  if (parts.length > 1) return matchesPath(parts, rest, folderOnly)
  return rest.some((name, index) => matchesName(parts[0] ?? '', name) && !(folderOnly && index === rest.length - 1))
}

/** A pattern with slashes: `**` stands for any folders; what lies below a matching folder matches too. */
function matchesPath(parts: readonly string[], path: readonly string[], folderOnly: boolean): boolean {
  let rest = path
  let matched = false
  let skips = false
  for (const [index, part] of parts.entries()) {
    if (part === '') continue
    if (part === '**') {
      if (index === parts.length - 1) break
      skips = true
      continue
    }
    if (part.includes('**') || rest.length === 0) return false
    const found = skips ? rest.findIndex(name => matchesName(part, name)) : matchesName(part, rest[0] ?? '') ? 0 : -1
    if (found < 0) return false
    skips = false
    matched = true
    rest = rest.slice(found + 1)
  }
  return matched && !(folderOnly && rest.length === 0)
}

/** A glob of one path element: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a character. Time is length by length. */
export function matchesName(pattern: string, name: string): boolean {
  const tokens = tokenize(pattern)
  if (tokens === undefined) return false
  const chars = Array.from(name)
  let at = 0
  let token = 0
  let star = -1
  let resume = 0
  while (at < chars.length) {
    const current = tokens[token]
    if (current === '*') {
      star = token++
      resume = at
    } else if (current?.(chars[at] ?? '') === true) {
      token++
      at++
    } else if (star >= 0) {
      token = star + 1
      at = ++resume
    } else return false
  }
  while (tokens[token] === '*') token++
  return token === tokens.length
}

type Token = '*' | ((char: string) => boolean)

/** Undefined for a broken pattern, which matches nothing. */
function tokenize(pattern: string): Token[] | undefined {
  const tokens: Token[] = []
  const chars = Array.from(pattern)
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]
    if (char === '*') tokens.push('*')
    else if (char === '?') tokens.push(() => true)
    else if (char === '[') {
      const end = chars.indexOf(']', chars[at + 1] === '^' ? at + 3 : at + 2)
      if (end < 0) return undefined
      tokens.push(charClass(chars.slice(at + 1, end)))
      at = end
    } else {
      const wanted = char === '\\' ? chars[++at] : char
      if (wanted === undefined) return undefined
      tokens.push(found => found === wanted)
    }
  }
  return tokens
}

function charClass(chars: readonly string[]): (char: string) => boolean {
  const negated = chars[0] === '^'
  const ranges: [string, string][] = []
  for (let at = negated ? 1 : 0; at < chars.length; at++) {
    const from = (chars[at] === '\\' ? chars[++at] : chars[at]) ?? ''
    if (chars[at + 1] === '-' && chars[at + 2] !== undefined) {
      at += 2
      ranges.push([from, (chars[at] === '\\' ? chars[++at] : chars[at]) ?? ''])
    } else ranges.push([from, from])
  }
  return char => ranges.some(([from, to]) => from <= char && char <= to) !== negated
}
