import type { EncryptedFile } from '../file.ts'
import { unflatten } from '../metadata.ts'

const prefix = 'sops_'

type Line = { readonly comment: string } | { readonly key: string; readonly value: string }

/** A dotenv file with SOPS metadata (`sops_…` lines), or undefined when it has none. */
export function openDotenv(text: string): EncryptedFile | undefined {
  const lines = text.split('\n').filter(line => line !== '')
  if (lines.some(line => !line.startsWith('#') && !line.includes('='))) return undefined
  const parsed: Line[] = lines.map(line => {
    if (line.startsWith('#')) return { comment: line.slice(1) }
    const equals = line.indexOf('=')
    return { key: line.slice(0, equals), value: line.slice(equals + 1).replaceAll('\\n', '\n') }
  })
  const metadata = new Map<string, string>()
  const content: Line[] = []
  for (const line of parsed) {
    if ('key' in line && line.key.startsWith(prefix)) metadata.set(line.key.slice(prefix.length), line.value)
    else content.push(line)
  }
  if (!metadata.has('mac')) return undefined
  let written: string[] = []
  return {
    metadata: unflatten(metadata),
    replace: (value, comment) => {
      written = content.map(line => {
        if ('comment' in line) return `#${comment(line.comment, []) ?? line.comment}`
        const plain = value({ path: [line.key], plain: { type: 'str', bytes: Buffer.from(line.value) } })
        return `${line.key}=${plain.bytes.toString('utf8').replaceAll('\n', '\\n')}`
      })
    },
    write: () => Buffer.from(written.map(line => `${line}\n`).join('')),
  }
}
