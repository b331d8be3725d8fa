import type { FileHandle } from 'node:fs/promises'
import { inflateRawSync } from 'node:zlib'
import { EngineError } from '../errors.ts'

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string
  readonly method: number
  readonly packed: number
  readonly size: number
  readonly offset: number
}

const endMark = 0x06054b50
const entryMark = 0x02014b50

/**
 * The files of a ZIP archive, from its central directory (APPNOTE.TXT 4.3.12; no ZIP64, no encryption).
 * @throws EngineError when it is not such an archive
 */
export async function zipEntries(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat()
  const tail = await read(file, Math.max(0, size - 65_557), Math.min(size, 65_557))
  let end = tail.length - 22
  while (end >= 0 && tail.readUInt32LE(end) !== endMark) end--
  if (end < 0) throw new EngineError('not a ZIP archive')
  const directory = await read(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
  const entries: ZipEntry[] = []
  for (let at = 0; at + 46 <= directory.length; ) {
    if (directory.readUInt32LE(at) !== entryMark) throw new EngineError('the ZIP archive is damaged')
    const nameLength = directory.readUInt16LE(at + 28)
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    })
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries
}

/** The content of one file. @throws EngineError when it is packed in an unknown way or damaged */
export async function zipContent(file: FileHandle, entry: ZipEntry): Promise<Buffer> {
  const head = await read(file, entry.offset, 30)
  const start = entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28)
  const packed = await read(file, start, entry.packed)
  if (entry.method !== 0 && entry.method !== 8) throw new EngineError(`${entry.name}: packed in an unknown way`)
  const content = entry.method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) })
  if (content.length !== entry.size) throw new EngineError(`${entry.name}: the ZIP archive is damaged`)
  return content
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  if (bytesRead !== length) throw new EngineError('the ZIP archive is cut short')
  return buffer
}
