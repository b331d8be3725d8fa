import { open, readFile, rm, stat } from 'node:fs/promises'
import { systemClock } from '../../../src/util/clock.ts'
import { OffshootError } from '../../../src/util/errors.ts'

const maxWait = 30 * 60_000

/**
 * Runs `work` while holding a lock file that other processes of this machine respect. The lock of a process that is
 * gone is taken over.
 * @throws OffshootError after half an hour of waiting
 */
export async function withLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const deadline = Date.now() + maxWait
  while (!(await acquire(path))) {
    if (Date.now() > deadline) throw new OffshootError(`${path} is still held: remove it if nobody is building`)
    await systemClock.sleep(500, signal)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(String(process.pid))
    await file.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if (await isStale(path)) await breakLock(path)
    return false
  }
}

/** Removes a stale lock; a second file keeps a slower waiter from removing the lock of whoever came next. */
async function breakLock(path: string): Promise<void> {
  const breaking = `${path}.breaking`
  try {
    await (await open(breaking, 'wx')).close()
  } catch {
    const age = Date.now() - (await stat(breaking).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs
    if (age > 10_000) await rm(breaking, { force: true })
    return
  }
  try {
    if (await isStale(path)) await rm(path, { force: true })
  } finally {
    await rm(breaking, { force: true })
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(path, 'utf8'))
    // The holder creates the file first and writes its pid right after.
    if (!Number.isInteger(pid) || pid <= 0) return Date.now() - (await stat(path)).mtimeMs > 10_000
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
