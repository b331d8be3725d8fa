import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../util/clock.ts'
import { withLock } from './lock.ts'

/** What a process that was killed left behind is removed at this age, in milliseconds: longer than any work takes. */
const leftOver = 24 * 60 * 60 * 1000

/** Removes the repositories used least recently beyond the store's number, and what dead processes left. */
export async function tidy(
  store: { folder: string; clock: Clock; maxRepositories: number },
  keep: string,
): Promise<void> {
  const { folder, clock, maxRepositories } = store
  const repositories = await agesIn(join(folder, 'repositories'))
  const checkouts = await agesIn(join(folder, 'checkouts'))
  const whole = repositories.filter(({ path }) => path.endsWith('.git'))
  const partial = repositories.filter(({ path }) => /\.git\.[0-9a-f-]{36}$/.test(path))
  for (const { path, at } of [...partial, ...checkouts]) {
    if (clock.now() - at > leftOver) await rm(path, { recursive: true, force: true })
  }
  const oldest = whole.filter(({ path }) => path !== keep).sort((a, b) => a.at - b.at)
  for (const { path } of oldest.slice(0, Math.max(0, whole.length - maxRepositories))) {
    await withLock(`${path}.lock`, { clock, deadline: 5000 }, () => removeFolder(path))
  }
}

/** Removes a folder: at once for whoever looks, then for good. */
export async function removeFolder(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw error
  }
  await rm(aside, { recursive: true, force: true })
}

async function agesIn(folder: string): Promise<{ path: string; at: number }[]> {
  const names = await readdir(folder).catch(() => [])
  return Promise.all(
    names.map(async name => {
      const path = join(folder, name)
      // Gone in between: as if it had just been used.
      return { path, at: (await stat(path).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY }
    }),
  )
}
