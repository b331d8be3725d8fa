import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Forge, ForgeError, type ForgeErrorKind } from '../../src/forge/index.ts'
import type { Failure } from '../harness/forge/faults.ts'
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

/** Every way in which a forge fails, and what a caller is told. */
const failures: [Failure, ForgeErrorKind][] = [
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [500, 'unavailable'],
  [502, 'unavailable'],
  [451, 'forbidden'],
  [422, 'invalid'],
  [429, 'rateLimited'],
  ['timeout', 'unavailable'],
  ['reset', 'unavailable'],
  ['truncated', 'malformed'],
  ['html', 'malformed'],
]

describe('what fails is never taken for an end', () => {
  test.each([
    ...failures,
    ['empty', 'malformed'] as const,
  ])('a pull request when the forge answers %s', async (failure, kind) => {
    const { number } = await shop.openPullRequest()
    host.fail({ path: `/pulls/${number}`, failure })
    expect(await kindOf(forge.get({ pullRequest: number }))).toBe(kind)
  })

  test.each([301, 302, 307, 308, 404, 410] as const)('a pull request that is answered %i is unknown', async failure => {
    const { number } = await shop.openPullRequest()
    host.fail({ path: `/pulls/${number}`, failure })
    expect(await forge.get({ pullRequest: number })).toMatchObject({ state: 'unknown' })
  })

  test.each([
    ...failures,
    ['empty', 'malformed'] as const,
  ])('a branch when the forge answers %s', async (failure, kind) => {
    host.fail({ failure })
    expect(await kindOf(forge.get({ branch: 'feature/x' }))).toBe(kind)
  })

  test.each([301, 404, 410] as const)('a branch is unknown when everything is answered %i', async failure => {
    host.fail({ failure })
    expect(await forge.get({ branch: 'feature/x' })).toMatchObject({ state: 'unknown' })
  })

  test.each([
    ['/repos/acme/shop/git', 404],
    ['/repos/acme/shop/git', 'empty'],
    ['heads%2Fmain', 'empty'],
    [/shop$/, 404],
  ] as const)('a branch that is answered 404 is unknown when %s is answered %s', async (path, failure) => {
    host.fail({ path: 'branches', failure: 404 })
    host.fail({ path, failure })
    expect(await forge.get({ branch: 'feature/x' })).toMatchObject({ state: 'unknown' })
  })

  test('a branch that is answered 404 and yet listed is unknown', async () => {
    await shop.push('feature/x', { a: 'a' })
    host.fail({ path: 'branches', failure: 404 })
    expect(await forge.get({ branch: 'feature/x' })).toMatchObject({ state: 'unknown' })
  })

  test('the default branch is never absent', async () => {
    host.fail({ path: /branches|matching-refs/, failure: 404 })
    expect(await forge.get({ branch: 'main' })).toMatchObject({ state: 'unknown' })
  })

  test('nor is anything of a repository that the token cannot see', async () => {
    const { number } = await shop.openPullRequest()
    const blind = githubForge(shop.url, { token: 'unknown-token' })
    expect(await kindOf(blind.get({ pullRequest: number }))).toBe('unauthorized')
    expect(await kindOf(blind.get({ branch: 'x' }))).toBe('unauthorized')
    expect(await kindOf(blind.list({ pullRequests: true, branches: true }))).toBe('unauthorized')
  })

  test.each(failures)('a listing whose first page is answered %s throws', async (failure, kind) => {
    host.fail({ path: '/pulls', failure })
    expect(await kindOf(forge.list({ pullRequests: true }))).toBe(kind)
  })

  test.each([301, 404] as const)('a listing that is answered %i throws', async failure => {
    host.fail({ path: '/pulls', failure })
    expect(await kindOf(forge.list({ pullRequests: true }))).toBe(failure === 301 ? 'moved' : 'notFound')
  })

  test.each([
    ...failures.map(([failure]) => failure),
    'repeatedPage' as const,
  ])('a listing whose second page is answered %s is incomplete', async failure => {
    await shop.openPullRequests(Array.from({ length: 130 }, () => ({})))
    host.fail({ path: 'page=2', failure })
    const listing = await forge.list({ pullRequests: true })
    expect(listing).toMatchObject({ complete: false, incompleteReason: expect.stringContaining('page 2') })
    expect(listing.pullRequests).toHaveLength(100)
  })

  test.each([
    'empty',
    'shortPage',
    'lostLink',
  ] as const)('a cut listing (%s) is incomplete, or read on', async failure => {
    await shop.openPullRequests(Array.from({ length: 230 }, () => ({})))
    host.fail({ path: 'page=2', failure })
    const listing = await forge.list({ pullRequests: true })
    if (failure === 'lostLink') expect(listing.pullRequests).toHaveLength(230)
    else expect(listing).toMatchObject({ complete: false })
  })

  test('a list of branches without the default branch is incomplete', async () => {
    host.fail({ path: '/branches', failure: 'empty' })
    expect(await forge.list({ branches: true })).toMatchObject({
      complete: false,
      incompleteReason: expect.stringContaining('default branch main'),
    })
  })
})

describe('attacks', () => {
  test('a redirect is not followed: the token stays here', async () => {
    host.fail({ path: '/pulls', failure: 302, headers: { location: `${host.apiUrl}/elsewhere` } })
    expect(await kindOf(forge.list({ pullRequests: true }))).toBe('moved')
    expect(requests()).toHaveLength(1)
  })

  test.each([
    '..',
    '../..',
    'a/../../../user',
    '.git',
    'a//b',
    '-x',
    'a b',
    'a\nb',
    'x?per_page=1',
    'a..b',
    'x.lock',
    '@',
  ])('branch %j does not reach the forge', async branch => {
    expect(await kindOf(forge.get({ branch }))).toBe('invalid')
    expect(requests()).toEqual([])
  })

  test.each(['../../user', '/etc/passwd', 'a/../b', '', './x'])('file %j does not reach the forge', async path => {
    expect(await kindOf(forge.readFile(shop.branches.get('main') ?? '', path, 1000))).toBe('invalid')
    expect(requests()).toEqual([])
  })

  test("a file's name cannot add to the query", async () => {
    const sha = await shop.push('main', { 'a?ref=x&b#c': 'odd' })
    expect(await forge.readFile(sha, 'a?ref=x&b#c', 1000)).toBe('odd')
  })

  test('a body without end is cut off, and its connection closed', async () => {
    const endless = createServer((_, response) => {
      const more = () => {
        while (response.write('x'.repeat(100_000)));
      }
      response.writeHead(200, { 'content-type': 'application/json' })
      response.on('drain', more)
      more()
    })
    const closed = new Promise<void>(resolve => {
      endless.on('connection', socket => socket.on('error', () => undefined).on('close', () => resolve()))
    })
    await new Promise<void>(resolve => endless.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/acme/shop.git`
    expect(await kindOf(githubForge(url).get({ pullRequest: 1 }))).toBe('tooLarge')
    await closed
    endless.close()
  })

  test('errors do not tell the token', async () => {
    for (const failure of [401, 500, 'reset', 'timeout', 'html'] as const) {
      const fault = host.fail({ failure })
      const error: unknown = await forge.get({ pullRequest: 1 }).catch(caught => caught)
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('fake-token')
      fault.remove()
    }
  })
})
