import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GitError } from './errors.ts'
import { removeFolder } from './tidy.ts'

/** Milliseconds between two looks at what has come. */
const interval = 250

/**
 * Lets a fetch bring so many bytes and no more: git itself has no such limit, and a remote may send for ever. What is
 * over the limit is removed with the repository, which holds nothing that cannot be fetched again.
 * @throws GitError `tooLarge`
 */
export async function withinSize(
  gitDir: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
  fetch: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const before = await packedBytes(gitDir)
  const tooLarge = new GitError('tooLarge', `the fetch brings more than ${maxBytes} bytes`)
  const over = new AbortController()
  const look = async () => {
    if ((await packedBytes(gitDir)) - before > maxBytes) over.abort(tooLarge)
  }
  const timer = setInterval(() => void look().catch(error => over.abort(error)), interval)
  try {
    await fetch(signal ? AbortSignal.any([signal, over.signal]) : over.signal)
    await look()
    over.signal.throwIfAborted()
  } catch (error) {
    if (over.signal.aborted) await removeFolder(gitDir)
    throw error
  } finally {
    clearInterval(timer)
  }
}

/** Size of all packs, those still being received among them. */
async function packedBytes(gitDir: string): Promise<number> {
  const folder = join(gitDir, 'objects', 'pack')
  const names = await readdir(folder)
  // Renamed or removed in between: it is seen under its new name next time.
  const sizes = await Promise.all(
    names.map(async name => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
