import nock from 'nock'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createForges } from '../../src/forge/forges.ts'
import { deriveApiUrl } from '../../src/forge/github/context.ts'
import { silentLogger } from '../../src/util/log.ts'
import { waitFor } from '../harness/wait.ts'
import { githubForge, noGit, quickClock } from './harness.ts'

const forge = () => githubForge('https://github.com/acme/shop.git', { clock: quickClock() })
const github = () => nock('https://api.github.com')
beforeAll(() => nock.disableNetConnect())
afterAll(() => nock.enableNetConnect())
afterEach(() => nock.cleanAll())

const sha = 'a'.repeat(40)
const pull = {
  number: 7,
  state: 'open',
  title: 'A title',
  draft: false,
  html_url: 'https://github.com/acme/shop/pull/7',
  created_at: '2026-01-02T03:04:05Z',
  merged_at: null,
  user: { login: 'ann' },
  labels: [{ name: 'preview' }],
  head: { ref: 'feature/x', sha, repo: { id: 1, full_name: 'acme/shop' } },
  base: { ref: 'main', repo: { id: 1, full_name: 'acme/shop' } },
}

describe('odd answers', () => {
  test.each([
    ['another number', { ...pull, number: 8 }],
    ['another repository', { ...pull, base: { ref: 'main', repo: { id: 2, full_name: 'evil/shop' } } }],
    ['an unknown state', { ...pull, state: 'gone' }],
    ['no state', { ...pull, state: undefined }],
    ['no head', { ...pull, head: null }],
    ['a head without a repository field', { ...pull, head: { ref: 'feature/x', sha } }],
    ['a short commit', { ...pull, head: { ...pull.head, sha: 'abc' } }],
    ['labels that are none', { ...pull, labels: null }],
    ['a page that is a script', { ...pull, html_url: 'javascript:alert(1)' }],
    ['a list', [pull]],
    ['null', null],
    ['text', 'ok'],
    ['an error with status 200', { message: 'Not Found' }],
  ])('%s is malformed, not an end', async (_, answer) => {
    github().get('/repos/acme/shop/pulls/7').reply(200, JSON.stringify(answer), { 'content-type': 'application/json' })
    await expect(forge().get({ pullRequest: 7 })).rejects.toMatchObject({ kind: 'malformed' })
  })

  test.each([202, 203, 204, 205, 206, 304])('status %i is not an answer', async status => {
    github().get('/repos/acme/shop/pulls/7').times(3).reply(status)
    await expect(forge().get({ pullRequest: 7 })).rejects.toMatchObject({ name: 'ForgeError' })
  })

  test('an account that is gone, a fork that is gone, a very long title', async () => {
    const odd = { ...pull, user: null, head: { ...pull.head, repo: null }, title: 'x'.repeat(5000), unknown: 1 }
    github().get('/repos/acme/shop/pulls/7').reply(200, odd)
    const lookup = await forge().get({ pullRequest: 7 })
    expect(lookup).toMatchObject({ change: { fork: true, title: 'x'.repeat(1024) } })
    expect(lookup).not.toHaveProperty('change.author')
  })

  test('upper and lower case of a repository are the same', async () => {
    github()
      .get('/repos/acme/shop/pulls/7')
      .reply(200, { ...pull, base: { ref: 'main', repo: { id: 1, full_name: 'Acme/Shop' } } })
    expect(await forge().get({ pullRequest: 7 })).toMatchObject({ state: 'open', change: { fork: false } })
  })

  test('a link to another host is not followed, and sees no token', async () => {
    const page = Array.from({ length: 100 }, (_, index) => ({ ...pull, number: index + 1 }))
    const query = { state: 'open', sort: 'created', direction: 'asc', per_page: 100 }
    const elsewhere = nock('https://evil.example.com').get(/.*/).reply(200, [])
    const link = '<https://evil.example.com/pulls?page=2>; rel="next"'
    github()
      .get('/repos/acme/shop/pulls')
      .query({ ...query, page: 1 })
      .reply(200, page, { link })
    github()
      .get('/repos/acme/shop/pulls')
      .query({ ...query, page: 2 })
      .reply(200, [])
    expect(await forge().list({ pullRequests: true })).toMatchObject({ complete: true, pullRequests: { length: 100 } })
    expect(elsewhere.isDone()).toBe(false)
  })

  test('a long list is read several pages at a time, and an error in the middle of it is told', async () => {
    const pulls = (page: number) => Array.from({ length: 100 }, (_, index) => ({ ...pull, number: page * 100 + index }))
    const asked = new Set<number>()
    const isAsked = (page: number) => waitFor(() => asked.has(page), { describe: `page ${page} to be asked for` })
    for (const page of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const to = (number: number, rel: string) => `<https://api.github.com/x?page=${number}>; rel="${rel}"`
      github()
        .get('/repos/acme/shop/pulls')
        .query(query => query.page === String(page))
        .times(3)
        .reply(async () => {
          asked.add(page)
          if (page === 2) await isAsked(5)
          const link = `${to(page + 1, 'next')}, ${to(6, 'last')}`
          return page === 4 ? [502, ''] : [200, pulls(page), page < 6 ? { link } : {}]
        })
    }
    const listing = await forge().list({ pullRequests: true, branches: false })
    expect(listing).toMatchObject({ complete: false, incompleteReason: expect.stringMatching(/page 4: .*502/) })
    expect(asked).not.toContain(7)
    expect(listing.pullRequests.map(it => it.number)).toEqual(
      [1, 2, 3].flatMap(page => pulls(page).map(it => it.number)),
    )
  })

  test('a server that repeats its page for ever is left', async () => {
    const page = Array.from({ length: 100 }, (_, index) => ({ ...pull, number: index + 1 }))
    const link = '<https://api.github.com/x?page=999>; rel="next"'
    const scope = github().get('/repos/acme/shop/pulls').query(true).times(5).reply(200, page, { link })
    expect(await forge().list({ pullRequests: true })).toMatchObject({ complete: false })
    expect(scope.pendingMocks()).toHaveLength(1)
  })
})

describe('an App', () => {
  test('may not ask who it is, and learns it by GraphQL', async () => {
    github().get('/user').reply(403, { message: 'Resource not accessible by integration' })
    github()
      .post('/graphql')
      .reply(200, { data: { viewer: { login: 'offshoot[bot]', databaseId: 42 } } })
    const app = forge()
    expect(await app.whoAmI()).toEqual({ id: 42, login: 'offshoot[bot]' })
    expect(await app.whoAmI()).toEqual({ id: 42, login: 'offshoot[bot]' })
  })

  test('GraphQL that answers with errors is malformed', async () => {
    github().get('/user').reply(403, {})
    github()
      .post('/graphql')
      .reply(200, { errors: [{ message: 'no' }] })
    await expect(forge().whoAmI()).rejects.toMatchObject({ kind: 'malformed' })
  })
})

describe('addresses', () => {
  test.each([
    ['https://github.com/acme/shop.git', 'https://api.github.com'],
    ['git@github.com:acme/shop.git', 'https://api.github.com'],
    ['https://acme.ghe.com/acme/shop', 'https://api.acme.ghe.com'],
    ['ssh://git@ghe.example.com:2222/acme/shop', 'https://ghe.example.com/api/v3'],
    ['https://ghe.example.com:8443/acme/shop', 'https://ghe.example.com:8443/api/v3'],
    ['http://127.0.0.1:3000/acme/shop', 'http://127.0.0.1:3000/api/v3'],
  ])('of %s', (url, apiUrl) => {
    expect(deriveApiUrl(url)).toBe(apiUrl)
  })

  const forges = createForges({ clock: quickClock(), logger: silentLogger, git: noGit })
  const url = 'https://ghe.example.com/acme/shop'
  test.each([
    ['http://ghe.example.com/api/v3', 'unencrypted'],
    ['http://127.0.0.1.example.com/api/v3', 'unencrypted'],
    ['ftp://ghe.example.com', 'expected the base'],
    ['https://me:secret@ghe.example.com/api/v3', 'expected the base'],
    ['not a url', 'expected the base'],
  ])('a credential is not sent to %s', (apiUrl, message) => {
    expect(() => forges.get({ type: 'github', url, apiUrl, credential: { token: 't' } })).toThrow(message)
  })

  test.each([
    'https://github.com/acme',
    'https://github.com/a/b/c',
    'https://github.com/a/%2e%2e',
    '/srv/git/shop.git',
  ])('%s is no repository at GitHub', bad => {
    expect(() => forges.get({ type: 'github', url: bad })).toThrow()
  })

  test('equal options share a forge; another credential does not', () => {
    const one = forges.get({ type: 'github', url, credential: { token: 'a' } })
    expect(forges.get({ type: 'github', url, credential: { token: 'a' } })).toBe(one)
    expect(forges.get({ type: 'github', url, credential: { token: 'b' } })).not.toBe(one)
  })
})

test('writes at github.com are a second apart', async () => {
  const clock = quickClock()
  github().post(`/repos/acme/shop/statuses/${sha}`).times(3).reply(201, {})
  const shop = githubForge('https://github.com/acme/shop', { clock })
  const status = { context: 'x', state: 'pending', description: '' } as const
  await Promise.all([1, 2, 3].map(() => shop.setCommitStatus(sha, status)))
  expect(clock.slept).toEqual([1000, 1000])
})
