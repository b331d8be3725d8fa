import { describe, expect, it } from 'vitest'
import { project, pullRequestBody, signed, testServer } from './harness.ts'

const shop = project('team', 'shop', 'https://github.com/acme/shop.git', 'shop-forge')
const twin = project('other', 'twin', 'https://github.com/acme/shop', 'twin-forge')
const setup = {
  projects: [shop, twin],
  secrets: { 'team/shop-forge': 'shop-secret', 'other/twin-forge': 'twin-secret' },
  installation: ['installation-secret'],
}
const body = pullRequestBody('acme/shop', 7)
const post = (url: string, headers: Record<string, string>, data: string | Buffer = body) =>
  fetch(url, { method: 'POST', headers, body: data })

describe('a webhook is believed only with a signature over its raw body', () => {
  it.each([
    ['no signature', { 'x-hub-signature-256': '' }],
    ['a wrong one', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }],
    ['one of another length', { 'x-hub-signature-256': 'sha256=00' }],
    ['SHA-1 only', { 'x-hub-signature-256': '', 'x-hub-signature': 'sha1=0000' }],
    ['no algorithm', { 'x-hub-signature-256': '0'.repeat(64) }],
  ])('%s: 401 and nothing enqueued', async (_name, headers) => {
    await using server = await testServer(setup)
    const answer = await post(`${server.url}/webhooks/github`, { ...signed(body, 'installation-secret'), ...headers })
    expect(answer.status).toBe(401)
    expect(server.enqueued).toEqual([])
  })

  it('refuses a body that differs from the signed one in white space only', async () => {
    await using server = await testServer(setup)
    const answer = await post(`${server.url}/webhooks/github`, signed(body, 'installation-secret'), `${body} `)
    expect(answer.status).toBe(401)
  })

  it('lets the path alone select the secrets', async () => {
    await using server = await testServer(setup)
    const sent = async (path: string, secret: string) => (await post(server.url + path, signed(body, secret))).status
    expect(await sent('/webhooks/github/team/shop', 'installation-secret')).toBe(401)
    expect(await sent('/webhooks/github/team/shop', 'twin-secret')).toBe(401)
    expect(await sent('/webhooks/github', 'shop-secret')).toBe(401)
    expect(await sent('/webhooks/git/team/shop', 'shop-secret')).toBe(401)
    expect(server.enqueued).toEqual([])
    expect(await sent('/webhooks/github/team/shop', 'shop-secret')).toBe(202)
    expect(server.enqueued).toEqual(['team/shop pr:7'])
  })

  it('lets a project’s secret speak for no repository but its own', async () => {
    await using server = await testServer(setup)
    const foreign = pullRequestBody('acme/bank', 7)
    const answer = await post(`${server.url}/webhooks/github/team/shop`, signed(foreign, 'shop-secret'), foreign)
    expect(answer.status).toBe(202)
    expect(server.enqueued).toEqual([])
  })

  it('believes nothing while no secret is configured, not even one signed with the empty secret', async () => {
    const bare = project('team', 'bare', 'https://github.com/acme/shop.git')
    const empty = project('team', 'empty', 'https://github.com/acme/shop.git', 'empty-forge')
    await using server = await testServer({ projects: [bare, empty], secrets: { 'team/empty-forge': '\n  \n' } })
    for (const path of ['/webhooks/github', '/webhooks/github/team/bare', '/webhooks/github/team/empty']) {
      expect((await post(server.url + path, signed(body, ''))).status).toBe(401)
    }
    expect(server.enqueued).toEqual([])
  })

  it('tells an unknown project, a project without secret and a wrong signature apart in no way', async () => {
    await using server = await testServer(setup)
    const paths = ['team/shop', 'team/unknown', 'nowhere/shop', 'UPPER/x', 'team/%2f..%00', `team/${'a'.repeat(255)}`]
    const answers = await Promise.all(
      paths.map(async path => {
        const answer = await post(`${server.url}/webhooks/github/${path}`, signed(body, 'guess'))
        const headers = Object.fromEntries(answer.headers)
        delete headers.date
        return { status: answer.status, text: await answer.text(), headers }
      }),
    )
    expect(answers[0]?.status).toBe(401)
    for (const answer of answers) expect(answer).toEqual(answers[0])
  })

  it('does not even parse what it does not believe', async () => {
    await using server = await testServer(setup)
    const bad = '{"bad json'
    const answer = (secret: string) => post(`${server.url}/webhooks/github`, signed(bad, secret), bad)
    expect((await answer('guess')).status).toBe(401)
    expect((await answer('installation-secret')).status).toBe(400)
  })
})

describe('secrets rotate', () => {
  it('takes the old and the new one, one per line', async () => {
    await using server = await testServer({
      ...setup,
      secrets: { 'team/shop-forge': '\nnew-secret\r\n old-secret \n' },
    })
    for (const secret of ['new-secret', 'old-secret']) {
      expect((await post(`${server.url}/webhooks/github/team/shop`, signed(body, secret))).status).toBe(202)
    }
    expect(server.enqueued).toEqual(['team/shop pr:7', 'team/shop pr:7'])
  })

  it('reads a project’s Secret once for a flood of forged deliveries', async () => {
    await using server = await testServer(setup)
    await Promise.all(
      Array.from({ length: 20 }, () => post(`${server.url}/webhooks/github/team/shop`, signed(body, 'guess'))),
    )
    expect(server.secretReads).toEqual(['team/shop-forge'])
  })
})

describe('what a delivery does', () => {
  it('asks every project of the repository to look at the change, and no other', async () => {
    await using server = await testServer({
      ...setup,
      projects: [...setup.projects, project('team', 'bank', 'https://github.com/acme/bank')],
    })
    const answer = await post(`${server.url}/webhooks/github`, signed(body, 'installation-secret'))
    expect(answer.status).toBe(202)
    expect(server.enqueued.sort()).toEqual(['other/twin pr:7', 'team/shop pr:7'])
  })

  it('answers a ping and ignores events it does not know, both with 202', async () => {
    await using server = await testServer(setup)
    for (const event of ['ping', 'star', 'something_new']) {
      const answer = await post(`${server.url}/webhooks/github`, signed(body, 'installation-secret', event))
      expect(answer.status).toBe(202)
    }
    expect(server.enqueued).toEqual([])
  })

  it('is asked for again while this replica does not lead', async () => {
    await using server = await testServer(setup)
    server.state.accepting = false
    const answer = await post(`${server.url}/webhooks/github`, signed(body, 'installation-secret'))
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('10')
    expect(server.enqueued).toEqual([])
  })

  it('is asked for again while the queue is full', async () => {
    await using server = await testServer(setup)
    server.state.queueFull = true
    expect((await post(`${server.url}/webhooks/github`, signed(body, 'installation-secret'))).status).toBe(503)
  })

  it('is asked for again when the Secret cannot be read, and the reason stays inside', async () => {
    await using server = await testServer({
      ...setup,
      secretsFail: new Error('connect 10.0.0.1: internal'),
    })
    const answer = await post(`${server.url}/webhooks/github/team/shop`, signed(body, 'shop-secret'))
    expect(answer.status).toBe(503)
    expect(await answer.text()).not.toContain('internal')
    expect(server.enqueued).toEqual([])
  })
})
