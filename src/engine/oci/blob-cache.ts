import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const maxBytes = 2 * 1024 * 1024 * 1024
const maxAge = 30 * 24 * 3600 * 1000

/** Blobs by digest, shared by runs and processes; what does not fit its digest any more is as good as absent. */
export class BlobCache {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async get(digest: string): Promise<Buffer | undefined> {
    const file = this.#file(digest)
    const bytes = await readFile(file).catch(absent)
    if (bytes === undefined) return undefined
    const [algorithm = '', expected] = digest.split(':')
    if (createHash(algorithm).update(bytes).digest('hex') !== expected) return undefined
    const now = new Date()
    await utimes(file, now, now).catch(absent)
    return bytes
  }

  /** Others see all of a blob or nothing. A full disk loses the entry, not the run. */
  async put(digest: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const half = join(this.#folder, `.${randomUUID()}`)
    try {
      await writeFile(half, bytes, { mode: 0o600 })
      await rename(half, this.#file(digest))
    } catch (error) {
      await rm(half, { force: true })
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
    await this.#sweep()
  }

  #file(digest: string): string {
    return join(this.#folder, digest.replace(':', '-'))
  }

  /** Removes what was not used for a month, and the least used while there is too much. */
  async #sweep(): Promise<void> {
    const names = await readdir(this.#folder)
    const files = await Promise.all(
      names.map(async name => {
        const file = join(this.#folder, name)
        const info = await stat(file).catch(absent)
        return { file, size: info?.size ?? 0, used: info?.mtimeMs ?? 0 }
      }),
    )
    let total = 0
    for (const { file, size, used } of files.sort((a, b) => b.used - a.used)) {
      total += size
      if (total > maxBytes || Date.now() - used > maxAge) await rm(file, { force: true })
    }
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
