import { randomUUID } from 'node:crypto'
import { link, open, rename, rm, stat, utimes } from 'node:fs/promises'
import type { Clock } from '../util/clock.ts'
import { GitError } from './errors.ts'

/** A holder renews its mark this often; one that did not for `staleAfter` is dead. Milliseconds. */
const renewEvery = 2000
const staleAfter = 20_000

/** How to wait for a lock. */
export interface LockOptions {
  clock: Clock
  /** Milliseconds to wait for it at most. */
  deadline: number
  signal?: AbortSignal | undefined
}

/**
 * Runs the work while the file `path` is ours, among all processes of this machine (or volume). A holder that was
 * killed is noticed by its mark's age.
 * @throws GitError `unavailable` when the lock is not free within the deadline.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { clock, deadline, signal } = options
  const end = clock.now() + deadline
  while (!(await take(path))) {
    if (clock.now() > end) throw new GitError('unavailable', `the lock is held for more than ${deadline} ms`)
    await breakIfStale(path)
    await clock.sleep(25, signal)
  }
  const renewal = setInterval(() => void renew(path), renewEvery)
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    await rm(path, { force: true })
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function renew(path: string): Promise<void> {
  const now = new Date()
  // Gone only if someone took us for dead: then the work goes on, and git's own locks keep it from harm.
  await utimes(path, now, now).catch(ignoreMissing)
}

async function breakIfStale(path: string): Promise<void> {
  const seen = await stat(path).catch(ignoreMissing)
  if (seen === undefined || !isStale(seen)) return
  const aside = `${path}.${randomUUID()}`
  const moved = await rename(path, aside).then(() => true, ignoreMissing)
  if (!moved) return
  // Another waiter may have broken and taken it in between: then what was moved is its lock, and goes back.
  if (!isStale(await stat(aside))) await link(aside, path).catch(ignoreExisting)
  await rm(aside, { force: true })
}

function isStale({ mtimeMs }: { mtimeMs: number }): boolean {
  return Date.now() - mtimeMs >= staleAfter
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error
}

function ignoreExisting(error: unknown): undefined {
  if (codeOf(error) !== 'EEXIST') throw error
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
