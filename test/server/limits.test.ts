import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { parseListenAddress } from '../../src/server/address.ts'
import { project, pullRequestBody, signed, testServer } from './harness.ts'

const setup = {
  projects: [project('team', 'shop', 'https://github.com/acme/shop.git', 'shop-forge')],
  secrets: { 'team/shop-forge': 'shop-secret' },
  installation: ['installation-secret'],
}
const body = pullRequestBody('acme/shop', 7)
const big = Buffer.alloc(30 * 1024 * 1024, 0x20)

describe('bounds of the HTTP border', () => {
  it('answers 413 to a body of 30 MB that says so', async () => {
    await using server = await testServer(setup)
    const headers = signed(body, 'installation-secret')
    const answer = await fetch(`${server.url}/webhooks/github`, { method: 'POST', headers, body: big })
    expect(answer.status).toBe(413)
  })

  it('answers 413 to a body of 30 MB that comes in chunks', async () => {
    await using server = await testServer(setup)
    const answer = await fetch(`${server.url}/webhooks/github`, {
      method: 'POST',
      headers: signed(body, 'installation-secret'),
      body: Readable.toWeb(Readable.from([big])) as ReadableStream,
      duplex: 'half',
    } as RequestInit)
    expect(answer.status).toBe(413)
  })

  it('takes a body just under the cap, if it is authentic', async () => {
    await using server = await testServer(setup)
    const text = Buffer.concat([Buffer.from(body), Buffer.alloc(25 * 1024 * 1024 - Buffer.byteLength(body), 0x20)])
    const headers = signed(text, 'installation-secret')
    const answer = await fetch(`${server.url}/webhooks/github`, { method: 'POST', headers, body: text })
    expect(answer.status).toBe(202)
    expect(server.enqueued).toEqual(['team/shop pr:7'])
  })

  it('answers 503 when large bodies together exceed the memory for them, and recovers', async () => {
    await using server = await testServer({ ...setup, limits: { bodyBytes: 1024 * 1024 } })
    const send = (data: Buffer) =>
      fetch(`${server.url}/webhooks/github`, {
        method: 'POST',
        headers: signed(data, 'installation-secret'),
        body: data,
      })
    expect((await send(big.subarray(0, 2 * 1024 * 1024))).status).toBe(503)
    expect((await send(Buffer.from(body))).status).toBe(202)
  })

  it('gives the memory back with each answer, also to forged deliveries', async () => {
    await using server = await testServer({ ...setup, limits: { bodyBytes: 1024 * 1024 } })
    const padded = Buffer.concat([Buffer.from(body), Buffer.alloc(700 * 1024, 0x20)])
    for (const [secret, status] of [
      ['installation-secret', 202],
      ['guess', 401],
      ['installation-secret', 202],
    ] as const) {
      const headers = signed(padded, secret)
      const answer = await fetch(`${server.url}/webhooks/github`, { method: 'POST', headers, body: padded })
      expect(answer.status).toBe(status)
    }
  })

  it.each([
    ['another content type', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['no body', undefined, 401],
  ])('refuses %s', async (_name, headers, status) => {
    await using server = await testServer(setup)
    const init = headers
      ? { headers: { ...signed(body, 'installation-secret'), ...headers }, body }
      : { headers: { 'x-github-event': 'push' } }
    const answer = await fetch(`${server.url}/webhooks/github`, { method: 'POST', ...init })
    expect(answer.status).toBe(status)
    expect(server.enqueued).toEqual([])
  })

  it.each([
    ['GET', '/webhooks/github'],
    ['POST', '/webhooks/svn'],
    ['POST', '/webhooks/github/team'],
    ['POST', '/webhooks/__proto__'],
  ])('answers %s %s with 404', async (method, path) => {
    await using server = await testServer(setup)
    const answer = await fetch(server.url + path, {
      method,
      ...(method === 'POST' ? { body, headers: signed(body, 'installation-secret') } : {}),
    })
    expect(answer.status).toBe(404)
  })

  it('cuts off a sender who never finishes', async () => {
    await using server = await testServer({ ...setup, limits: { requestMilliseconds: 200 } })
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      'POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{',
    )
    socket.resume()
    await new Promise<void>(resolve => socket.on('close', () => resolve()).on('error', () => undefined))
    expect(server.enqueued).toEqual([])
  })

  it('refuses headers beyond their limit', async () => {
    await using server = await testServer(setup)
    const headers = { ...signed(body, 'installation-secret'), 'x-filler': 'a'.repeat(20_000) }
    const answer = await fetch(`${server.url}/webhooks/github`, { method: 'POST', headers, body })
    expect(answer.status).toBe(431)
  })

  it('writes no secret and no signature to the log', async () => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
    await using server = await testServer({ ...setup, log })
    for (const secret of ['installation-secret', 'guess-secret']) {
      await fetch(`${server.url}/webhooks/github`, { method: 'POST', headers: signed(body, secret), body })
    }
    expect(lines.length).toBeGreaterThan(1)
    expect(lines.join('')).not.toMatch(/-secret|sha256=/)
  })
})

describe('probes and metrics', () => {
  it('says why it is not ready, and counts deliveries', async () => {
    await using server = await testServer({ ...setup, metricsListen: { host: '127.0.0.1', port: 0 } })
    server.state.notReady = 'informers are not synced: reviewprojects'
    const ready = await fetch(`${server.url}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([503, 'informers are not synced: reviewprojects'])
    server.state.notReady = undefined
    expect((await fetch(`${server.metricsUrl}/readyz`)).status).toBe(200)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    await fetch(`${server.url}/webhooks/github`, { method: 'POST', headers: signed(body, 'installation-secret'), body })
    const metrics = await (await fetch(`${server.metricsUrl}/metrics`)).text()
    expect(metrics).toContain('offshoot_webhook_deliveries_total{type="github",outcome="enqueued"} 1')
  })

  it('keeps metrics off the address that webhooks come to', async () => {
    await using server = await testServer(setup)
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
  })

  it('lets a running request end when it closes', async () => {
    const entered = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const server = await testServer({
      ...setup,
      receive: async () => {
        entered.resolve()
        await go.promise
        return { kind: 'ping' }
      },
    })
    const answer = fetch(`${server.url}/webhooks/github`, {
      method: 'POST',
      headers: signed(body, 'installation-secret'),
      body,
    })
    await entered.promise
    const closed = server.close(5_000)
    go.resolve()
    expect((await answer).status).toBe(202)
    await closed
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
  })
})

describe('listen addresses', () => {
  it.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    [':8080', { host: '0.0.0.0', port: 8080 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
  ])('%s', (text, address) => expect(parseListenAddress(text)).toEqual(address))

  it.each(['8080', 'a:b', '::1:80', '[x]:80', '127.0.0.1:70000', ''])('refuses %j', text => {
    expect(() => parseListenAddress(text)).toThrow(/^expected host:port/)
  })
})
