import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const maxBytes = 512 * 1024 * 1024
const maxAge = 30 * 24 * 3600 * 1000
const touchAfter = 3600 * 1000

/** What a result was made of, digested. */
export class ContentKey {
  readonly #hash = createHash('sha256')

  /** Adds a part; parts cannot run into each other. */
  add(part: string | Uint8Array): this {
    this.#hash.update(`${typeof part === 'string' ? Buffer.byteLength(part) : part.length}:`)
    this.#hash.update(part)
    return this
  }

  /** All parts so far. */
  digest(): Buffer {
    return this.#hash.copy().digest()
  }
}

/**
 * Results of programs, by all that went into them; shared by runs and processes. An entry is encrypted with a key
 * that follows from its inputs, so what Secrets a result holds can only be read by who has the inputs anyway; and a
 * damaged entry is a missing one.
 */
export class ContentCache {
  readonly #folder: string
  #swept = false

  /** `cacheFolder` is the user's own; entries are kept in `kind` below it. */
  constructor(cacheFolder: string, kind: string) {
    this.#folder = join(cacheFolder, kind)
  }

  /** The stored result, or undefined. */
  async get(key: ContentKey): Promise<string | undefined> {
    const { file, secret } = this.#place(key)
    const entry = await readFile(file).catch(missing)
    const text = entry === undefined ? undefined : open(entry, secret)
    if (text !== undefined) await touch(file)
    return text
  }

  /** Stores a result; other processes see all of it or nothing. A full disk loses the entry, not the run. */
  async put(key: ContentKey, text: string): Promise<void> {
    const { file, secret } = this.#place(key)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const half = `${file}.${randomUUID()}`
    try {
      await writeFile(half, seal(text, secret), { mode: 0o600 })
      await rename(half, file)
    } catch (error) {
      await rm(half, { force: true })
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
    if (!this.#swept) await this.#sweep()
  }

  #place(key: ContentKey): { file: string; secret: Buffer } {
    const digest = key.digest()
    const name = createHash('sha256').update('name').update(digest).digest('hex').slice(0, 40)
    return { file: join(this.#folder, name), secret: createHash('sha256').update('secret').update(digest).digest() }
  }

  /** Removes what was not used for a month, and the least used while there is too much; once per process. */
  async #sweep(): Promise<void> {
    this.#swept = true
    const names = await readdir(this.#folder)
    const found = await Promise.all(
      names.map(async name => {
        const file = join(this.#folder, name)
        const info = await stat(file).catch(missing)
        return info === undefined ? undefined : { file, size: info.size, used: info.mtimeMs }
      }),
    )
    const entries = found.filter(entry => entry !== undefined).sort((a, b) => b.used - a.used)
    let total = 0
    for (const { file, size, used } of entries) {
      total += size
      if (total > maxBytes || Date.now() - used > maxAge) await rm(file, { force: true })
    }
  }
}

async function touch(file: string): Promise<void> {
  const info = await stat(file).catch(missing)
  if (info === undefined || Date.now() - info.mtimeMs < touchAfter) return
  const now = new Date()
  await utimes(file, now, now).catch(missing)
}

function seal(text: string, secret: Buffer): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', secret, nonce)
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

function open(entry: Buffer, secret: Buffer): string | undefined {
  if (entry.length < 28) return undefined
  const decipher = createDecipheriv('aes-256-gcm', secret, entry.subarray(0, 12))
  decipher.setAuthTag(entry.subarray(12, 28))
  try {
    return Buffer.concat([decipher.update(entry.subarray(28)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

function missing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
