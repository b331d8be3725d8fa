import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Forge, ForgeError } from '../../src/forge/index.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { FakeRepository } from '../harness/forge/repository.ts'
import { githubForge } from './harness.ts'

let host: FakeForge
let shop: FakeRepository
let forge: Forge

beforeEach(async () => {
  host = await startFakeForge()
  shop = await host.createRepository('acme/shop', {
    private: true,
    files: { 'README.md': 'x', '.offshoot.yaml': 'enabled: true\n' },
  })
  forge = githubForge(shop.url, { deadline: 400 })
})
afterEach(() => host.close())

const kindOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    value => `no error: ${JSON.stringify(value)}`,
    error => (error instanceof ForgeError ? error.kind : String(error)),
  )
const requests = () => host.requests.splice(0).map(({ method, path, status }) => `${method} ${path} ${status}`)

describe('lookups', () => {
  test('a pull request, with one request', async () => {
    const pull = await shop.openPullRequest({
      title: 'Ünïcode 🚀',
      labels: ['preview', 'x y'],
      draft: true,
      author: 'ann',
    })
    expect(await forge.get({ pullRequest: pull.number })).toEqual({
      state: 'open',
      change: {
        kind: 'pullRequest',
        number: pull.number,
        branch: pull.branch,
        base: 'main',
        author: 'ann',
        title: 'Ünïcode 🚀',
        labels: ['preview', 'x y'],
        draft: true,
        fork: false,
        sha: pull.sha,
        url: `${host.origin}/acme/shop/pull/${pull.number}`,
        createdAt: pull.createdAt,
      },
    })
    expect(requests()).toEqual([`GET /repos/acme/shop/pulls/${pull.number} 200`])
  })

  test('forks are told, also after they are gone', async () => {
    const { number } = await shop.openPullRequest({ fork: true, author: 'mallory' })
    expect(await forge.get({ pullRequest: number })).toMatchObject({ change: { fork: true } })
    await shop.deleteFork(number)
    expect(await forge.get({ pullRequest: number })).toMatchObject({ state: 'open', change: { fork: true } })
  })

  test('closed and merged', async () => {
    const [one, two] = await shop.openPullRequests([{}, {}])
    await shop.close(one?.number ?? 0)
    await shop.merge(two?.number ?? 0)
    expect(await forge.get({ pullRequest: one?.number ?? 0 })).toMatchObject({ state: 'closed', merged: false })
    expect(await forge.get({ pullRequest: two?.number ?? 0 })).toMatchObject({ state: 'closed', merged: true })
  })

  test('a branch, with one request', async () => {
    const sha = await shop.push('feature/ä b#1'.replace(' ', '-'), { a: 'a' })
    requests()
    expect(await forge.get({ branch: 'feature/ä-b#1' })).toMatchObject({
      state: 'open',
      change: { kind: 'branch', sha },
    })
    expect(requests()).toHaveLength(1)
  })

  test('a deleted branch is absent, with evidence, at a cost that does not grow', async () => {
    for (const name of ['feature/x', 'feature/xy', 'z']) await shop.push(name, { a: name })
    await shop.deleteBranch('feature/x')
    requests()
    expect(await forge.get({ branch: 'feature/x' })).toMatchObject({
      state: 'absent',
      evidence: expect.stringContaining('default branch main'),
    })
    expect(requests()).toHaveLength(4)
  })
})

describe('listings', () => {
  test('all open pull requests, oldest first, and branches', async () => {
    await shop.openPullRequests(Array.from({ length: 205 }, () => ({})))
    await shop.close(3)
    const listing = await forge.list({ pullRequests: true, branches: true })
    expect(listing).toMatchObject({ complete: true, notModified: false })
    expect(listing.pullRequests.map(pull => pull.number)).toEqual(
      Array.from({ length: 205 }, (_, index) => index + 1).filter(number => number !== 3),
    )
    expect(listing.branches).toHaveLength(206)
  })

  test('exactly a full page is proven to be all', async () => {
    await shop.openPullRequests(Array.from({ length: 100 }, () => ({})))
    expect(await forge.list({ pullRequests: true })).toMatchObject({ complete: true })
  })

  test('nothing new is answered 304 and costs nothing; changes are given all the same', async () => {
    await shop.openPullRequests(Array.from({ length: 120 }, () => ({})))
    const first = await forge.list({ pullRequests: true, branches: true })
    requests()
    const left = host.rateLimit.remaining
    const second = await forge.list({ pullRequests: true, branches: true })
    expect(second).toEqual({ ...first, notModified: true })
    expect(host.rateLimit.remaining).toBe(left)
    expect(requests().every(request => request.endsWith(' 304'))).toBe(true)
    await shop.label(7, 'preview')
    expect((await forge.list({ pullRequests: true })).notModified).toBe(false)
  })

  test('pages that come and go behind unchanged ones are noticed', async () => {
    await shop.openPullRequests(Array.from({ length: 100 }, () => ({})))
    await forge.list({ pullRequests: true })
    await shop.openPullRequest()
    expect(await forge.list({ pullRequests: true })).toMatchObject({ complete: true, pullRequests: { length: 101 } })
    await shop.close(101)
    expect(await forge.list({ pullRequests: true })).toMatchObject({ complete: true, pullRequests: { length: 100 } })
  })
})

describe('files', () => {
  test('paths of a pull request, both names of a renamed file', async () => {
    await shop.push('main', { 'old.txt': 'a long line that stays the same\n'.repeat(20) })
    const files = { 'old.txt': null, 'new.txt': 'a long line that stays the same\n'.repeat(20), 'docs/x.md': 'x' }
    const { number } = await shop.openPullRequest({ files })
    expect(new Set(await forge.changedPaths(number))).toEqual(new Set(['docs/x.md', 'new.txt', 'old.txt']))
  })

  test('more files than GitHub lists are too many', async () => {
    const files = Object.fromEntries(Array.from({ length: 3001 }, (_, index) => [`f/${index}`, 'x']))
    const { number } = await shop.openPullRequest({ files })
    expect(await forge.changedPaths(number)).toBe('tooMany')
  })

  test.each(['truncated', 'shortPage', 500] as const)('paths are never half known (%s)', async failure => {
    const files = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`f/${index}`, 'x']))
    const { number } = await shop.openPullRequest({ files })
    host.fail({ path: /files.*page=1/, failure })
    expect(await kindOf(forge.changedPaths(number))).toMatch(/malformed|unavailable/)
  })

  test('a file at a commit: its text, nothing, too large, a folder, no text', async () => {
    const sha = await shop.push('x', { 'd/f.txt': 'é', 'large.txt': 'x'.repeat(2000) })
    expect(await forge.readFile(sha, '.offshoot.yaml', 1000)).toBe('enabled: true\n')
    expect(await forge.readFile(sha, 'd/f.txt', 1000)).toBe('é')
    expect(await forge.readFile(sha, 'missing', 1000)).toBeUndefined()
    expect(await kindOf(forge.readFile(sha, 'large.txt', 1999))).toBe('tooLarge')
    expect(await kindOf(forge.readFile(sha, 'd', 1000))).toBe('invalid')
  })

  test('a file that is hidden is not a file that is missing', async () => {
    host.fail({ failure: 404 })
    expect(await kindOf(forge.readFile(shop.branches.get('main') ?? '', '.offshoot.yaml', 1000))).toBe('notFound')
  })
})
