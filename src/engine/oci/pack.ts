import { createHash } from 'node:crypto'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'
import { EngineError } from '../errors.ts'
import { type IgnorePattern, isIgnored, parseIgnoreFile, parseIgnorePattern } from '../templating/ignore.ts'
import { type UnpackLimits, unpackLimits } from './unpack.ts'

/** A folder as a gzipped tar. */
export interface PackedFolder {
  readonly archive: Buffer
  /** Digest of the tar before it was compressed. */
  readonly diffId: string
  /** What is neither file nor folder, such as links: archives of this kind do not hold it. */
  readonly leftOut: readonly string[]
}

type Meta = Parameters<Pack['entry']>[0]

interface Walk {
  readonly root: string
  readonly leftOut: string[]
  readonly signal: AbortSignal
}

/** Most bytes of a layer, for those who push and those who pull. */
export const maxLayer = 512 * 1024 * 1024

/**
 * Packs a folder but what its `.gitignore` files and those below it say, and `.git`. The same files give the same
 * archive: times and owners are not in it. @throws EngineError when a bound is passed that pulling has
 */
export async function packFolder(
  root: string,
  signal: AbortSignal,
  limits: UnpackLimits = unpackLimits,
): Promise<PackedFolder> {
  const walk: Walk = { root, leftOut: [], signal }
  const tar = pack()
  const hash = createHash('sha256')
  const chunks: Buffer[] = []
  const hashed = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      hash.update(chunk)
      yield chunk
    }
  }
  const collected = async (source: AsyncIterable<Buffer>) => {
    let size = 0
    for await (const chunk of source) {
      size += chunk.length
      if (size > maxLayer) throw new EngineError(`the archive of ${root} has more than ${maxLayer} bytes`)
      chunks.push(chunk)
    }
  }
  const filling = fill(tar, walk, limits).catch((error: unknown) => {
    tar.destroy(error as Error)
    throw error
  })
  // The first reason counts: what breaks the tar breaks the pipeline too.
  await Promise.all([filling, pipeline(Readable.from(tar), hashed, createGzip(), collected, { signal })])
  return { archive: Buffer.concat(chunks), diffId: `sha256:${hash.digest('hex')}`, leftOut: walk.leftOut }
}

async function fill(tar: Pack, walk: Walk, limits: UnpackLimits): Promise<void> {
  let count = 0
  let bytes = 0
  for await (const { path, mode, size } of entries(walk, [], [])) {
    walk.signal.throwIfAborted()
    bytes += size ?? 0
    if (++count > limits.maxEntries) throw new EngineError(`${walk.root} holds more than ${limits.maxEntries} files`)
    if (bytes > limits.maxBytes) throw new EngineError(`${walk.root} holds more than ${limits.maxBytes} bytes`)
    const header: Meta = { name: path.join('/'), mode, mtime: new Date(0) }
    if (size === undefined) await add(tar, { ...header, type: 'directory' })
    else await add(tar, header, await readFile(join(walk.root, ...path)))
  }
  tar.finalize()
}

function add(tar: Pack, header: Meta, content?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve())
    if (content === undefined) tar.entry(header, done)
    else tar.entry(header, content, done)
  })
}

/** Files, and folders before what is in them; folders have no size. */
async function* entries(
  walk: Walk,
  folder: readonly string[],
  outer: readonly IgnorePattern[],
): AsyncGenerator<{ path: string[]; mode: number; size?: number }> {
  const patterns = [...outer, ...(await ignoreFile(walk.root, folder))]
  // Whatever a project says, its repository's own folder is not part of it.
  const judged = [...patterns, parseIgnorePattern('.git', [])]
  const found = await readdir(join(walk.root, ...folder), { withFileTypes: true })
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = [...folder, entry.name]
    if (isIgnored(judged, path, entry.isDirectory())) continue
    if (!entry.isDirectory() && !entry.isFile()) {
      walk.leftOut.push(path.join('/'))
      continue
    }
    const { mode, size } = await lstat(join(walk.root, ...path))
    yield { path, mode: mode & 0o777, ...(entry.isFile() ? { size } : {}) }
    if (entry.isDirectory()) yield* entries(walk, path, patterns)
  }
}

async function ignoreFile(root: string, folder: readonly string[]): Promise<IgnorePattern[]> {
  try {
    return parseIgnoreFile(await readFile(join(root, ...folder, '.gitignore'), 'utf8'), folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
