import type { EncryptedFile } from '../file.ts'
import { unflatten } from '../metadata.ts'

type Line =
  | { readonly kind: 'other'; readonly text: string }
  | { readonly kind: 'comment'; readonly sign: string; readonly text: string; readonly section: string }
  | {
      readonly kind: 'value'
      readonly start: string
      readonly section: string
      readonly key: string
      readonly value: string
    }

const valueForm = /^(\s*(?:"([^"]*)"|`([^`]*)`|([^=:\s][^=:]*?))\s*[=:]\s*)(.*)$/

/** An INI file with SOPS metadata (a section `sops`), or undefined when it has none. Values stay where they are. */
export function openIni(text: string): EncryptedFile | undefined {
  const lines = parse(text)
  const metadata = new Map<string, string>()
  for (const line of lines) if (line.kind === 'value' && line.section === 'sops') metadata.set(line.key, line.value)
  if (!metadata.has('mac')) return undefined
  let written: string[] = []
  return {
    metadata: unflatten(metadata),
    replace: (value, comment) => {
      written = withoutMetadata(lines).map(line => {
        if (line.kind === 'other') return line.text
        if (line.kind === 'comment') return line.sign + (comment(line.text, [line.section]) ?? line.text)
        const { section, key } = line
        const plain = value({ path: [section, key], plain: { type: 'str', bytes: Buffer.from(line.value) } })
        return line.start + quoted(plain.bytes.toString('utf8'))
      })
    },
    write: () => Buffer.from(`${written.join('\n').trimEnd()}\n`),
  }
}

function parse(text: string): Line[] {
  const lines: Line[] = []
  // Keys before the first section belong to a section of this name.
  let section = 'DEFAULT'
  const source = text.split(/\r?\n/)
  for (let index = 0; index < source.length; index++) {
    const line = source[index] ?? ''
    const header = /^\s*\[(.+)\]\s*$/.exec(line)
    const note = /^(\s*[;#]+\s*)(.*)$/.exec(line)
    const found = valueForm.exec(line)
    if (header !== null) section = (header[1] ?? '').trim()
    if (note !== null) lines.push({ kind: 'comment', sign: note[1] ?? '', text: note[2] ?? '', section })
    else if (header !== null || found === null)
      lines.push({ kind: 'other', text: header === null ? line : `[${section}]` })
    else {
      let raw = found[5] ?? ''
      const quotes = /^(?:"""|'''|`)/.exec(raw)?.[0]
      while (quotes !== undefined && !raw.slice(quotes.length).includes(quotes) && index + 1 < source.length) {
        raw += `\n${source[++index]}`
      }
      const key = found[2] ?? found[3] ?? found[4] ?? ''
      lines.push({ kind: 'value', start: found[1] ?? '', section, key, value: unquoted(raw) })
    }
  }
  return lines.map((line, index) =>
    line.kind === 'comment' ? { ...line, section: sectionOf(line, lines, index) } : line,
  )
}

/** A comment above a section's header belongs to that section. */
function sectionOf(comment: { section: string }, lines: readonly Line[], index: number): string {
  const next = lines
    .slice(index + 1)
    .find(line => line.kind !== 'comment' && !(line.kind === 'other' && line.text.trim() === ''))
  return next?.kind === 'other' && next.text.startsWith('[') ? next.text.slice(1, -1) : comment.section
}

function withoutMetadata(lines: readonly Line[]): Line[] {
  let inside = false
  return lines.filter(line => {
    if (line.kind === 'other' && line.text.startsWith('[')) inside = line.text === '[sops]'
    return !inside
  })
}

function unquoted(raw: string): string {
  for (const quotes of ['"""', "'''", '`', '"', "'"]) {
    const end = raw.startsWith(quotes) ? raw.indexOf(quotes, quotes.length) : -1
    if (end >= 0) return raw.slice(quotes.length, end)
  }
  return raw.replace(/(?:^|\s)[#;].*$/, '').trim()
}

function quoted(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`
  if (/[#;]/.test(value)) return `\`${value}\``
  return value.trim() === value ? value : `"${value}"`
}
