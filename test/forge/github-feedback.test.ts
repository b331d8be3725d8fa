import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Forge, ForgeError } from '../../src/forge/index.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { FakeRepository } from '../harness/forge/repository.ts'
import { githubForge, quickClock } from './harness.ts'

let host: FakeForge
let shop: FakeRepository
let forge: Forge
const marker = '<!-- offshoot:uid-1 -->'
const me = 'offshoot[bot]'

beforeEach(async () => {
  host = await startFakeForge()
  shop = await host.createRepository('acme/shop')
  await shop.openPullRequest()
  forge = githubForge(shop.url)
})
afterEach(() => host.close())

const texts = () => shop.commentsOf(1).map(({ author, body }) => `${author}: ${body}`)
const writes = () => host.requests.filter(({ method }) => method !== 'GET').map(({ method }) => method)

describe('attacks', () => {
  test("somebody else's comment with our marker is left alone", async () => {
    shop.comment(1, 'mallory', `${marker} look here`)
    await forge.upsertComment({ pullRequest: 1, marker, body: `${marker} ready` })
    expect(texts()).toEqual([`mallory: ${marker} look here`, `${me}: ${marker} ready`])
  })

  test('an id that is not ours, of another pull request, or without our marker, is not written to', async () => {
    await shop.openPullRequest()
    const others = [
      shop.comment(1, 'mallory', marker),
      shop.comment(2, me, marker),
      shop.comment(1, me, '<!-- offshoot:uid-10 -->'),
    ]
    for (const { id } of others) await forge.upsertComment({ pullRequest: 1, marker, body: `${marker} ready`, id })
    expect(others.every(({ history }) => history.length === 0)).toBe(true)
    expect(texts().filter(text => text.includes('ready'))).toHaveLength(1)
  })

  test('our own comment of another environment that only quotes the marker is not taken for this one', async () => {
    const other = `<!-- offshoot:uid-2 -->\n\`\`\`text\n.offshoot.yaml: ${marker}\n\`\`\``
    const { id } = shop.comment(1, me, other)
    expect(await forge.findOwnComment(1, marker)).toBeUndefined()
    await forge.upsertComment({ pullRequest: 1, marker, body: `${marker} ready`, id })
    expect(texts()).toEqual([`${me}: ${other}`, `${me}: ${marker} ready`])
  })

  test('a body without its marker is refused: it would be created again and again', async () => {
    await expect(forge.upsertComment({ pullRequest: 1, marker, body: 'ready' })).rejects.toMatchObject({
      kind: 'invalid',
    })
    expect(writes()).toEqual([])
  })

  test('comments that cannot all be read do not lead to a second one', async () => {
    for (let count = 0; count < 120; count++) shop.comment(1, 'ann', 'hello')
    shop.comment(1, me, marker)
    host.fail({ path: /comments\?.*page=2/, failure: 'truncated' })
    await expect(forge.upsertComment({ pullRequest: 1, marker, body: marker })).rejects.toMatchObject({
      kind: 'malformed',
    })
    expect(writes()).toEqual([])
  })
})

describe('the comment', () => {
  test('is created once, updated in place, and not sent again unchanged', async () => {
    const created = await forge.upsertComment({ pullRequest: 1, marker, body: `${marker} pending` })
    expect(created).toMatchObject({ action: 'created', url: expect.stringContaining('/acme/shop/pull/1#') })
    const { id } = created
    expect(await forge.upsertComment({ pullRequest: 1, marker, body: `${marker} ready`, id })).toMatchObject({
      action: 'updated',
      id,
    })
    expect(await forge.upsertComment({ pullRequest: 1, marker, body: `${marker} ready\r\n` })).toMatchObject({
      action: 'unchanged',
      id,
    })
    expect(writes()).toEqual(['POST', 'PATCH'])
    expect(shop.commentsOf(1)).toMatchObject([{ id, body: `${marker} ready`, history: [`${marker} pending`] }])
  })

  test('is found on a later page, and written anew when somebody deleted it', async () => {
    for (let count = 0; count < 120; count++) shop.comment(1, 'ann', 'hello')
    const { id } = shop.comment(1, me, marker)
    expect(await forge.findOwnComment(1, marker)).toMatchObject({ id })
    shop.comments.delete(id)
    expect(await forge.findOwnComment(1, marker)).toBeUndefined()
    expect(await forge.upsertComment({ pullRequest: 1, marker, body: marker, id })).toMatchObject({ action: 'created' })
  })

  test('written twice at the same time is one comment', async () => {
    await Promise.all(
      ['a', 'b', 'c'].map(text => forge.upsertComment({ pullRequest: 1, marker, body: `${marker} ${text}` })),
    )
    expect(shop.commentsOf(1)).toMatchObject([{ history: { length: 2 } }])
  })
})

describe('the commit status', () => {
  test('is set, its description cut to what GitHub takes', async () => {
    const { sha } = shop.pull(1)
    const status = { context: 'offshoot/shop', state: 'success', description: '🚀'.repeat(200) } as const
    await forge.setCommitStatus(sha, { ...status, targetUrl: 'https://shop-1.example.com' })
    expect(shop.statusesOf(sha)).toMatchObject([
      { context: 'offshoot/shop', state: 'success', targetUrl: 'https://shop-1.example.com', author: me },
    ])
  })

  test('of a commit that is gone is refused', async () => {
    const status = { context: 'x', state: 'pending', description: '' } as const
    await expect(forge.setCommitStatus('a'.repeat(40), status)).rejects.toMatchObject({ kind: 'invalid', status: 422 })
  })
})

describe('limits', () => {
  const waitOf = async (work: Promise<unknown>) => {
    const error: unknown = await work.catch(caught => caught)
    expect(error).toBeInstanceOf(ForgeError)
    expect(error).toMatchObject({ kind: 'rateLimited' })
    return (error as ForgeError).retryAfter ?? 0
  }

  test('used up: asked no more until the reset, whatever this machine thinks the time is', async () => {
    const clock = quickClock()
    forge = githubForge(shop.url, { clock })
    Object.assign(host.rateLimit, { remaining: 1, reset: Math.floor(Date.now() / 1000) + 900 })
    await forge.get({ pullRequest: 1 })
    const asked = host.requests.length
    const wait = await waitOf(forge.get({ pullRequest: 1 }))
    expect(wait).toBeGreaterThan(890_000)
    expect(wait).toBeLessThanOrEqual(901_000)
    expect(host.requests.length).toBe(asked)
    host.rateLimit.remaining = 5000
    clock.advance(wait)
    expect(await forge.get({ pullRequest: 1 })).toMatchObject({ state: 'open' })
  })

  test.each([
    [403, { 'retry-after': '30' }, '', 30_000],
    [429, { 'retry-after': '30' }, '', 30_000],
    [403, {}, 'You have exceeded a secondary rate limit.', 60_000],
    [403, { 'retry-after': '99999999' }, '', 3_660_000],
  ] as const)('secondary: %i %j %s', async (failure, headers, message, expected) => {
    const clock = quickClock()
    forge = githubForge(shop.url, { clock })
    host.fail({ failure, headers, message, times: 1 })
    expect(await waitOf(forge.get({ pullRequest: 1 }))).toBe(expected)
    expect(
      await waitOf(forge.setCommitStatus(shop.pull(1).sha, { context: 'x', state: 'error', description: '' })),
    ).toBe(expected)
    expect(host.requests.length).toBe(1)
  })

  test('a 403 without a limit is a refusal, and stops nothing else', async () => {
    host.fail({ failure: 403, times: 1 })
    await expect(forge.get({ pullRequest: 1 })).rejects.toMatchObject({ kind: 'forbidden' })
    expect(await forge.get({ pullRequest: 1 })).toMatchObject({ state: 'open' })
  })

  test('a read is repeated after 5xx, a write is not', async () => {
    host.fail({ failure: 502, times: 2 })
    expect(await forge.get({ pullRequest: 1 })).toMatchObject({ state: 'open' })
    host.fail({ method: 'POST', failure: 502, times: 1 })
    await expect(forge.upsertComment({ pullRequest: 1, marker, body: marker })).rejects.toMatchObject({
      kind: 'unavailable',
    })
    expect(writes()).toEqual(['POST'])
  })

  test('requests are observed by route', async () => {
    const seen: string[] = []
    forge = githubForge(shop.url, {
      observe: ({ method, route, status }) => void seen.push(`${method} ${route} ${status}`),
    })
    await forge.get({ pullRequest: 1 })
    await forge.get({ pullRequest: 1 })
    await forge.get({ pullRequest: 99 })
    const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}'
    expect(seen).toEqual([`${route} 200`, `${route} 304`, `${route} 404`])
  })

  test('what is aborted ends with its reason', async () => {
    host.fail({ failure: 'timeout' })
    const controller = new AbortController()
    const work = forge.get({ pullRequest: 1 }, controller.signal)
    const reason = new Error('shutting down')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
  })
})
