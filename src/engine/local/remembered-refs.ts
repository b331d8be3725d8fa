import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { RemoteRefs } from '../../git/index.ts'
import type { Clock } from '../../util/clock.ts'

/** Where refs are kept, and how long they are believed. */
export interface RememberedRefsOptions {
  readonly folder: string
  /** Milliseconds; 0 asks in each run anew. */
  readonly freshFor: number
  readonly clock: Clock
}

const form = z.object({ refs: z.array(z.tuple([z.string(), z.string()])), defaultRef: z.string().optional() })

/** Branches and tags of repositories: asked for once in a run, and between runs as often as the user wants. */
export class RememberedRefs {
  readonly #options: RememberedRefsOptions
  readonly #asked = new Map<string, Promise<RemoteRefs>>()

  constructor(options: RememberedRefsOptions) {
    this.#options = options
  }

  /** The refs of a repository; `key` names it and what opens it. */
  of(key: string, ask: () => Promise<RemoteRefs>): Promise<RemoteRefs> {
    let refs = this.#asked.get(key)
    if (refs === undefined) {
      refs = this.#find(key, ask)
      this.#asked.set(key, refs)
      refs.catch(() => this.#asked.delete(key))
    }
    return refs
  }

  async #find(key: string, ask: () => Promise<RemoteRefs>): Promise<RemoteRefs> {
    const { folder, freshFor, clock } = this.#options
    if (freshFor <= 0) return ask()
    const file = join(folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`)
    const info = await stat(file).catch(() => undefined)
    const known = info !== undefined && clock.now() - info.mtimeMs < freshFor ? await read(file) : undefined
    if (known !== undefined) return known
    const refs = await ask()
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const half = `${file}.${randomUUID()}`
    try {
      await writeFile(half, JSON.stringify({ ...refs, refs: [...refs.refs] }), { mode: 0o600 })
      const now = new Date(clock.now())
      await utimes(half, now, now)
      await rename(half, file)
    } finally {
      await rm(half, { force: true })
    }
    return refs
  }
}

/** Undefined for what is not of our form: then the repository is asked. */
async function read(file: string): Promise<RemoteRefs | undefined> {
  try {
    const { refs, defaultRef } = form.parse(JSON.parse(await readFile(file, 'utf8')))
    return { refs: new Map(refs), ...(defaultRef === undefined ? {} : { defaultRef }) }
  } catch {
    return undefined
  }
}
