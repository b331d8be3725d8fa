import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { ForgeError } from '../../src/forge/errors.ts'
import { appEvents, appPermissions } from '../../src/forge/github/app-needs.ts'
import { createForges } from '../../src/forge/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import { noGit } from './harness.ts'

const day = 86_400_000
let forge: FakeForge
/** What our server answers. */
let answer = 503
const received: string[] = []
const server = createServer((request, response) => {
  received.push(String(request.headers['x-github-delivery']))
  request.resume()
  response.writeHead(answer).end()
})

beforeEach(async () => {
  answer = 503
  received.length = 0
  forge = await startFakeForge()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
})

afterEach(async () => {
  await forge.close()
  server.closeAllConnections()
  await new Promise(done => server.close(done))
})

const ours = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const since = () => Date.now() - day

describe.each(['app', 'repository'] as const)('the webhook of the %s', type => {
  async function setup() {
    const repository = await forge.createRepository('acme/shop')
    const url = `${ours()}/webhooks/github`
    const app = forge.apps.create('offshoot', {
      permissions: { ...appPermissions },
      events: [...appEvents],
      ...(type === 'app' ? { hook: { url, secret: 's' } } : {}),
    })
    app.install('acme')
    if (type === 'repository') repository.hook(url, 's')
    const credential =
      type === 'app' ? { app: { id: String(app.id), privateKey: app.privateKey } } : { token: 'fake-token' }
    const options = { type: 'github', url: repository.url, apiUrl: forge.apiUrl, credential } as const
    const limits = { retries: 0 }
    const log = createForges({ clock: systemClock, logger: silentLogger, git: noGit }, limits).webhooks(options)
    if (log === undefined) throw new Error('expected one')
    return { repository, log }
  }

  it('tells what was not taken, and asks for it again until it is', async () => {
    const { repository, log } = await setup()
    await repository.openPullRequest()
    await forge.deliveries.settled()
    const failed = await log.failed(ours(), since())
    expect(failed.map(({ event, status, attempts }) => ({ event, status, attempts }))).toContainEqual({
      event: 'pull_request',
      status: 503,
      attempts: 1,
    })
    for (const delivery of failed) await log.redeliver(delivery)
    await forge.deliveries.settled()
    expect((await log.failed(ours(), since())).map(({ attempts }) => attempts)).toEqual(failed.map(() => 2))
    answer = 202
    for (const delivery of await log.failed(ours(), since())) await log.redeliver(delivery)
    await forge.deliveries.settled()
    expect(await log.failed(ours(), since())).toEqual([])
    // An attempt has the event's own id, so that it is known for the same.
    expect(new Set(received).size).toBe(failed.length)
    expect(received).toHaveLength(3 * failed.length)
  })

  it('tells which repository was meant, where it may be any of several', async () => {
    const { repository, log } = await setup()
    await repository.openPullRequest()
    await forge.deliveries.settled()
    const meant = (await log.failed(ours(), since())).map(delivery => delivery.repository)
    expect(new Set(meant)).toEqual(new Set([type === 'app' ? repository.place.id : undefined]))
  })

  it('tells nothing of other addresses, of old attempts, and of what would be refused again', async () => {
    const { repository, log } = await setup()
    answer = 413
    await repository.openPullRequest()
    await forge.deliveries.settled()
    expect(await log.failed(ours(), since())).toEqual([])
    answer = 503
    await repository.openPullRequest()
    await forge.deliveries.settled()
    expect(await log.failed('https://offshoot.example.com', since())).toEqual([])
    expect(await log.failed(`${ours()}/staging`, since())).toEqual([])
    expect(await log.failed(ours(), Date.now() + 1_000)).toEqual([])
    expect(await log.failed(`${ours()}/`, since())).not.toEqual([])
  })

  it('reads on over many pages, and costs nothing while nothing happens', async () => {
    const { repository, log } = await setup()
    await repository.openPullRequests(Array.from({ length: 130 }, () => ({})))
    await forge.deliveries.settled()
    const failed = await log.failed(ours(), since())
    const opened = forge.deliveries.log.filter(
      ({ event, hook }) => appEvents.includes(event as never) && hook.url.startsWith(ours()),
    )
    expect(failed.filter(({ event }) => appEvents.includes(event as never))).toHaveLength(opened.length)
    expect(new Set(failed.map(({ id }) => id)).size).toBe(failed.length)
    const before = forge.requests.length
    await log.failed(ours(), Date.now() + 1_000)
    expect(forge.requests.slice(before).map(({ status }) => status)).toEqual([304, 304])
  })
})

it.each([
  [
    'more webhooks than a page has',
    { hooks: Array.from({ length: 101 }, (_, id) => ({ id, active: true, config: {} })), guid: 'g' },
  ],
  ['a delivery with an endless name', { hooks: [{ id: 1, active: true }], guid: 'x'.repeat(100_000) }],
])('an answer with %s is refused', async (_, { hooks, guid }) => {
  const url = `${ours()}/webhooks/github`
  const attempt = {
    id: 1,
    guid,
    delivered_at: new Date().toISOString(),
    redelivery: false,
    status_code: 500,
    event: 'push',
  }
  const host = createServer((request, response) => {
    const body = request.url?.includes('/deliveries') ? [attempt] : hooks.map(hook => ({ config: { url }, ...hook }))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>(done => host.listen(0, '127.0.0.1', done))
  onTestFinished(() => void host.close())
  const apiUrl = `http://127.0.0.1:${(host.address() as AddressInfo).port}`
  const options = { type: 'github', url: `${apiUrl}/acme/shop`, apiUrl, credential: { token: 't' } } as const
  const forges = createForges({ clock: systemClock, logger: silentLogger, git: noGit }, { retries: 0 })
  await expect(forges.webhooks(options)?.failed(ours(), since())).rejects.toThrow(ForgeError)
})
