import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BareGitForge } from '../../src/forge/bare-git/forge.ts'
import { ForgeError, type GitAccess } from '../../src/forge/index.ts'
import { GitStore } from '../../src/git/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { FakeRepository } from '../harness/forge/repository.ts'

let folder: string
let host: FakeForge
let shop: FakeRepository
let forge: BareGitForge

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-test-'))
  host = await startFakeForge()
  shop = await host.createRepository('acme/shop', { files: { '.offshoot.yaml': 'enabled: true\n' } })
  forge = new BareGitForge({ url: shop.url }, new GitStore({ folder, clock: systemClock }))
})
afterEach(async () => {
  await host.close()
  await rm(folder, { recursive: true, force: true })
})

/** Git that says what the test wants. */
const saying = (branches: Record<string, string>, defaultBranch?: string): GitAccess => ({
  listBranches: async () => ({
    branches: new Map(Object.entries(branches)),
    ...(defaultBranch ? { defaultBranch } : {}),
  }),
  readFile: async () => undefined,
})
const sha = 'a'.repeat(40)

describe('what fails is never taken for an end', () => {
  test.each([
    ['an empty list', saying({}, 'main')],
    ['a list without the default branch', saying({ other: sha }, 'main')],
    ['a server that does not tell its default branch', saying({ main: sha })],
  ])('%s', async (_, git) => {
    const odd = new BareGitForge({ url: 'https://git.example.com/shop' }, git)
    expect(await odd.get({ branch: 'feature/x' })).toMatchObject({ state: 'unknown' })
    expect(await odd.list({ branches: true })).toMatchObject({ complete: false, incompleteReason: expect.any(String) })
  })

  test('a server that is gone', async () => {
    await host.close()
    await expect(forge.get({ branch: 'x' })).rejects.toMatchObject({ name: 'ForgeError', kind: 'unavailable' })
    await expect(forge.list({ branches: true })).rejects.toMatchObject({ kind: 'unavailable' })
  })

  test('a repository that the credential does not open', async () => {
    const { url } = await host.createRepository('acme/hidden', { private: true })
    const hidden = new BareGitForge({ url }, new GitStore({ folder, clock: systemClock }))
    await expect(hidden.get({ branch: 'x' })).rejects.toMatchObject({ kind: 'unauthorized' })
  })

  test('a commit id that is none', async () => {
    const odd = new BareGitForge({ url: 'https://git.example.com/shop' }, saying({ main: sha, x: 'abc' }, 'main'))
    await expect(odd.get({ branch: 'x' })).rejects.toMatchObject({ kind: 'malformed' })
  })
})

test('branches are listed, found, and proven absent', async () => {
  const x = await shop.push('feature/x', { a: 'a' })
  expect(await forge.list({ branches: true })).toMatchObject({
    complete: true,
    notModified: false,
    branches: [
      { kind: 'branch', branch: 'feature/x', sha: x },
      { kind: 'branch', branch: 'main' },
    ],
  })
  expect(await forge.list({ branches: true })).toMatchObject({ notModified: true, branches: { length: 2 } })
  expect(await forge.get({ branch: 'feature/x' })).toMatchObject({ state: 'open', change: { sha: x, fork: false } })
  await shop.deleteBranch('feature/x')
  expect(await forge.get({ branch: 'feature/x' })).toMatchObject({ state: 'absent' })
})

test('files are read', async () => {
  const main = shop.branches.get('main') ?? ''
  expect(await forge.readFile(main, '.offshoot.yaml', 100)).toBe('enabled: true\n')
  expect(await forge.readFile(main, 'missing', 100)).toBeUndefined()
  await expect(forge.readFile(main, '.offshoot.yaml', 3)).rejects.toMatchObject({ kind: 'tooLarge' })
})

test('pull requests, comments and statuses are refused', async () => {
  for (const work of [
    forge.list({ pullRequests: true }),
    forge.get({ pullRequest: 1 }),
    forge.changedPaths(),
    forge.upsertComment(),
    forge.setCommitStatus(),
    forge.whoAmI(),
  ]) {
    await expect(work).rejects.toSatisfy(error => error instanceof ForgeError && error.kind === 'unsupported')
  }
})
