import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { takeTempFolder } from '../../src/cli/temp-folder.ts'

const folders: string[] = []

afterEach(async () => {
  await Promise.all(folders.splice(0).map(folder => rm(folder, { recursive: true, force: true })))
})

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'offshoot-parent-'))
  folders.push(made)
  return made
}

test('what a killed process left goes when the next one starts, and nothing else does', async () => {
  const parent = join(await folder(), 'temp')
  const environment: NodeJS.ProcessEnv = {}
  await takeTempFolder(parent, environment)
  const left = environment.TMPDIR ?? ''
  await mkdir(join(left, 'offshoot-worker-a1B2c3'))
  await writeFile(join(left, 'offshoot-worker-a1B2c3', 'token'), 'secret')
  await writeFile(join(parent, 'notes'), 'mine')

  await takeTempFolder(parent, environment)
  expect(environment.TMPDIR).not.toBe(left)
  await expect(access(left)).rejects.toThrow('ENOENT')
  expect(await readdir(parent)).toContain('notes')
})

test('a process that ends takes its folder along', async () => {
  const parent = await folder()
  const environment: NodeJS.ProcessEnv = {}
  {
    await using _taken = await takeTempFolder(parent, environment)
    await writeFile(join(environment.TMPDIR ?? '', 'file'), '')
  }
  expect(await readdir(parent)).toEqual([])
})
