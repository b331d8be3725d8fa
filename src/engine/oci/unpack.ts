import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type Extract, extract } from 'tar-stream'
import { messageOf } from '../../util/errors.ts'
import { EngineError } from '../errors.ts'

type Entry = Extract extends AsyncIterable<infer One> ? One : never

/** Bounds of what an archive may unpack to. */
export interface UnpackLimits {
  readonly maxBytes: number
  readonly maxEntries: number
}

/** Room for the largest projects, and an end for archives that are made to fill disks. */
export const unpackLimits: UnpackLimits = { maxBytes: 1024 * 1024 * 1024, maxEntries: 100_000 }

/**
 * Unpacks a gzipped tar into an existing folder: regular files and folders only; links and devices are left out, as
 * kluctl does. @throws EngineError for names that lead out of the folder and when a bound is passed
 */
export async function unpack(
  archive: Uint8Array,
  folder: string,
  signal: AbortSignal,
  limits: UnpackLimits = unpackLimits,
): Promise<void> {
  const entries = extract()
  const reading = pipeline(Readable.from([archive]), createGunzip(), entries, { signal })
  // Ending the loop early breaks the stream, whose error must not hide the reason.
  const reasons: unknown[] = []
  try {
    // A broken stream does not always end the loop over its entries.
    await Promise.all([reading, writeEntries(entries, folder, limits, reasons)])
  } catch (caught) {
    signal.throwIfAborted()
    const error = reasons[0] ?? caught
    if (error instanceof EngineError) throw error
    throw new EngineError(`the archive cannot be unpacked: ${messageOf(error)}`)
  }
}

async function writeEntries(entries: Extract, folder: string, limits: UnpackLimits, reasons: unknown[]): Promise<void> {
  let count = 0
  let bytes = 0
  for await (const entry of entries) {
    try {
      bytes += entry.header.size
      if (++count > limits.maxEntries) throw new EngineError(`the archive has more than ${limits.maxEntries} entries`)
      if (bytes > limits.maxBytes) throw new EngineError(`the archive unpacks to more than ${limits.maxBytes} bytes`)
      await writeEntry(entry, join(folder, safeName(entry.header.name)))
    } catch (error) {
      reasons.push(error)
      throw error
    }
  }
}

async function writeEntry(entry: Entry, path: string): Promise<void> {
  const { type, mode } = entry.header
  if (type === 'directory') await mkdir(path, { recursive: true })
  if (type !== 'file' && type !== 'contiguous-file') {
    entry.resume()
    return
  }
  await mkdir(dirname(path), { recursive: true })
  // `wx`: a name that comes twice cannot write through what stands there.
  await pipeline(entry, createWriteStream(path, { flags: 'wx', mode: (mode & 0o111) === 0 ? 0o644 : 0o755 }))
}

function safeName(name: string): string {
  const parts = name.split('/').filter(part => part !== '' && part !== '.')
  if (name.startsWith('/') || parts.includes('..') || name.includes('\0') || name.includes('\\')) {
    throw new EngineError(`the archive holds ${JSON.stringify(name)}, which leads out of it`)
  }
  return parts.join('/')
}
