import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withLock } from '../../src/git/lock.ts'
import { systemClock } from '../../src/util/clock.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-test-'))
  path = join(folder, 'x.lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const options = { clock: systemClock, deadline: 10_000 }

test('one holder at a time, also when a dead one is in the way of many', async () => {
  let inside = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++inside)
    await new Promise(resolve => setImmediate(resolve))
    inside--
  }
  for (let round = 0; round < 20; round++) {
    await writeFile(path, '')
    const old = new Date(Date.now() - 60_000)
    await utimes(path, old, old)
    await Promise.all(Array.from({ length: 8 }, () => withLock(path, options, work)))
  }
  expect(most).toBe(1)
  expect(await readdir(folder)).toEqual([])
})

test('is free again after a failure', async () => {
  await expect(withLock(path, options, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await withLock(path, options, async () => 'yes')).toBe('yes')
})

test('a living holder is not disturbed, and waiting has an end', async () => {
  await withLock(path, options, async () => {
    await expect(withLock(path, { ...options, deadline: 100 }, async () => undefined)).rejects.toMatchObject({
      kind: 'unavailable',
    })
    await expect(
      withLock(path, { ...options, signal: AbortSignal.timeout(50) }, async () => undefined),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})
