/**
 * Text from outside (titles, branches, messages of other systems) made harmless inside GitHub-flavoured Markdown.
 * https://github.github.com/gfm/ : any ASCII punctuation may be escaped by a backslash; mentions, references and
 * bare addresses are turned into links after that, so they are cut by an invisible character as well.
 */

const invisible = '\u200b'

/** Characters that hide, reorder or break text: C0, C1, zero-width, bidirectional controls, line separators. */
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/** `text` without control and invisible characters; tabs and line breaks become spaces. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(hidden, '').trim()
}

/** At most `max` characters, an ellipsis saying that there was more; never half a surrogate pair. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  const kept = text.slice(0, Math.max(0, max - 1))
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}

/** Plain words in running text or a table's cell: shown as they are, linking and pinging nobody. */
export function escapeText(text: string): string {
  return oneLine(text)
    .replace(/[!-/:-@[-`{-~]/g, character => escapes[character] ?? `\\${character}`)
    .replace(/\bwww\\\./gi, word => `${word.slice(0, 3)}${invisible}\\.`)
    .replace(/\b(GH)\\-(?=\d)/gi, `$1\\-${invisible}`)
}

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '@': `@${invisible}`,
  '#': `\\#${invisible}`,
  ':': `\\:${invisible}`,
}

/** A code span, also inside a table: nothing in it is markup, and nobody is mentioned from it. */
export function codeSpan(text: string): string {
  const line = oneLine(text)
  if (line === '') return ''
  // A backslash before | is the only escape that a table's cell knows inside a code span.
  const inner = line.replace(/\|/g, '\\|')
  const fence = '`'.repeat(longestRun(inner) + 1)
  const pad = inner.startsWith('`') || inner.endsWith('`') ? ' ' : ''
  return `${fence}${pad}${inner}${pad}${fence}`
}

/** A fenced block of at most `max` characters: line breaks stay, nothing in it is markup. */
export function codeBlock(text: string, max = 4000): string {
  const lines = cut(text.replace(/\r\n?/g, '\n').replace(hidden, ''), max)
  const fence = '`'.repeat(Math.max(3, longestRun(lines) + 1))
  return `${fence}text\n${lines}\n${fence}`
}

/** An http(s) address as a link; empty for anything else, so that no other scheme gets clickable. */
export function link(address: string): string {
  if (!URL.canParse(address)) return ''
  const url = new URL(address)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return ''
  if (url.username !== '' || url.password !== '') return ''
  return `<${url.href.replace(/[<>`\s]/g, encodeURIComponent)}>`
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
}
