import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { waitFor } from '../harness/wait.ts'
import { project, pullRequestBody, signed, testServer } from './harness.ts'

const shop = project('team', 'shop', 'https://github.com/acme/shop.git', 'shop-forge')
const setup = { projects: [shop], secrets: { 'team/shop-forge': 'shop-secret' } }
const path = '/webhooks/github/team/shop'
const answeredBy = 'x-offshoot-answered-by'
const body = pullRequestBody('acme/shop', 7)

function leaderAt(url: string | undefined) {
  return url === undefined ? undefined : { identity: 'leader', url }
}

async function standby(leaderUrl: string | undefined, limits = {}) {
  // It knows no project and no secret: whatever is believed, the leader believes.
  const server = await testServer({ limits })
  server.state.accepting = false
  server.state.identity = 'standby'
  server.state.leader = leaderAt(leaderUrl)
  return server
}

const post = (url: string, headers: Record<string, string>, data: string | Buffer = body) =>
  fetch(url + path, { method: 'POST', headers, body: data, signal: AbortSignal.timeout(20_000) })

/** Something at the leader's address that answers as it likes. */
async function impostor(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: { rawHeaders: string[]; body: Buffer; url: string | undefined }[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      seen.push({ rawHeaders: incoming.rawHeaders, body: Buffer.concat(chunks), url: incoming.url })
      // It says that it is the leader, unless a test has it say otherwise.
      response.setHeader(answeredBy, 'leader')
      answer(incoming, response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    server.close()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function taken(_request: IncomingMessage, response: ServerResponse) {
  response.writeHead(202, { 'content-type': 'application/json' }).end('{"message":"accepted"}')
}

function takenByNobody(request: IncomingMessage, response: ServerResponse) {
  response.removeHeader(answeredBy)
  taken(request, response)
}

describe('a standby hands deliveries to the leader', () => {
  it('which verifies them: what it takes is answered 202, what it does not believe 401', async () => {
    await using leader = await testServer(setup)
    await using server = await standby(leader.url)
    const answer = await post(server.url, signed(body, 'shop-secret'))
    expect([answer.status, await answer.json()]).toEqual([202, { message: 'accepted' }])
    expect(leader.enqueued).toEqual(['team/shop pr:7'])
    expect((await post(server.url, signed(body, 'wrong'))).status).toBe(401)
    expect((await post(server.url, signed(body, 'shop-secret'), `${body} `)).status).toBe(401)
    const unreadable = '{"number": 0}'
    expect((await post(server.url, signed(unreadable, 'shop-secret'), unreadable)).status).toBe(400)
    expect([server.enqueued, server.secretReads, leader.enqueued.length]).toEqual([[], [], 1])
  })

  it('byte by byte, with every header the forge sent and none of the connection', async () => {
    await using leader = await impostor(taken)
    await using server = await standby(leader.url)
    const raw = Buffer.concat([Buffer.from('{"a" :\r\n"'), Buffer.from([0xff, 0x00, 0xc3, 0x28]), Buffer.from('"}')])
    const { promise, resolve } = Promise.withResolvers<number>()
    const sent = request(`${server.url}${path}?x=%2F`, { method: 'POST' }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.setHeader('Content-Type', 'application/json')
    sent.setHeader('X-Hub-Signature-256', ['sha256=aa', 'sha256=bb'])
    sent.setHeader('X-GitHub-Delivery', 'one')
    sent.setHeader('X-Once', 'only for this connection')
    sent.setHeader('Connection', 'close, X-Once')
    sent.end(raw)
    expect(await promise).toBe(202)
    const [delivery] = leader.seen
    expect(delivery?.body).toEqual(raw)
    expect(delivery?.url).toBe(`${path}?x=%2F`)
    const headers = delivery?.rawHeaders ?? []
    const values = (name: string) => headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name)
    expect(values('x-hub-signature-256')).toEqual(['sha256=aa', 'sha256=bb'])
    expect(values('x-github-delivery')).toEqual(['one'])
    expect(values('x-once')).toEqual([])
    expect(values('host')).toEqual([new URL(leader.url).host])
    expect(values('content-length')).toEqual([String(raw.length)])
  })

  it('and never in a circle', async () => {
    await using one = await standby(undefined)
    await using two = await standby(one.url)
    one.state.leader = leaderAt(two.url)
    for (const { state } of [one, two]) state.identity = 'leader'
    const answers = await Promise.all([one, two, one].map(({ url }) => post(url, signed(body, 'shop-secret'))))
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503])
    two.state.leader = leaderAt(two.url)
    expect((await post(two.url, signed(body, 'shop-secret'))).status).toBe(503)
    // What was handed over once goes nowhere else, whoever leads.
    await using leader = await impostor(taken)
    one.state.leader = leaderAt(leader.url)
    expect((await post(one.url, signed(body, 'shop-secret'))).status).toBe(202)
    const mark = 'x-offshoot-handed-over'
    expect(leader.seen[0]?.rawHeaders).toContain(mark)
    const marked = { ...signed(body, 'shop-secret'), [mark]: 'leader' }
    expect((await post(one.url, marked)).status).toBe(503)
    expect(leader.seen).toHaveLength(1)
  })

  it('and takes one that was handed over, once it leads itself', async () => {
    await using leader = await testServer(setup)
    const headers = { ...signed(body, 'shop-secret'), 'x-offshoot-handed-over': 'leader' }
    const answer = await post(leader.url, headers)
    expect([answer.status, answer.headers.get(answeredBy)]).toEqual([202, 'leader'])
    const direct = await post(leader.url, signed(body, 'shop-secret'))
    expect([direct.status, direct.headers.get(answeredBy)]).toEqual([202, null])
  })

  it.each([
    ['another', 'another'],
    ['one without a name', undefined],
  ])('and answers 503 when %s leads at that address', async (_name, identity) => {
    // Its installation has the same secret, and projects of its own: it would believe everything, and do nothing.
    await using other = await testServer({ ...setup, projects: [], installation: ['shop-secret'] })
    other.state.identity = identity
    await using server = await standby(other.url)
    const answer = await fetch(`${server.url}/webhooks/github`, {
      method: 'POST',
      headers: signed(body, 'shop-secret'),
      body,
    })
    expect([answer.status, other.enqueued]).toEqual([503, []])
  })

  it('whatever its name is', async () => {
    await using leader = await testServer(setup)
    await using server = await standby(leader.url)
    const identity = 'Überseh\r\nx: 1'
    leader.state.identity = identity
    server.state.leader = { identity, url: leader.url }
    expect((await post(server.url, signed(body, 'shop-secret'))).status).toBe(202)
  })

  it.each([
    ['is not known', undefined],
    ['is not there', 'http://127.0.0.1:9'],
    ['has an address that is none', 'file:///etc/passwd'],
  ])('and answers 503 when the leader %s', async (_name, url) => {
    await using server = await standby(url)
    const answer = await post(server.url, signed(body, 'shop-secret'))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10'])
  })

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['fails', (_request, response) => response.writeHead(500).end('{"error":"x"}')],
    ['does not lead', (_request, response) => response.writeHead(503).end('{"error":"not leading"}')],
    ['sends elsewhere', (_request, response) => response.writeHead(302, { location: '/' }).end()],
    ['is another', (request, response) => taken(request, response.setHeader(answeredBy, 'another'))],
    ['does not say who it is', takenByNobody],
    ['is somebody else', (_request, response) => response.writeHead(202).end('<html>Hello</html>')],
    ['dies before it answers', request => request.socket.destroy()],
    ['dies in its answer', (_request, response) => response.writeHead(202).write('{"mess', () => response.destroy())],
    ['answers without end', (_request, response) => response.writeHead(202).end('x'.repeat(1_000_000))],
    ['never answers', () => undefined],
  ])('and answers 503 when the leader %s', async (_name, answer) => {
    await using leader = await impostor(answer)
    await using server = await standby(leader.url, { handOverMilliseconds: 300 })
    expect((await post(server.url, signed(body, 'shop-secret'))).status).toBe(503)
    expect(leader.seen).toHaveLength(1)
  })

  it('but nothing over the size of a delivery, and no more at once than it may hold', async () => {
    const held: ServerResponse[] = []
    await using leader = await impostor((_request, response) => void held.push(response))
    await using server = await standby(leader.url)
    const large = Buffer.alloc(25 * 1024 * 1024 + 1, ' ')
    expect((await post(server.url, signed(large, 'shop-secret'), large)).status).toBe(413)
    expect(leader.seen).toEqual([])
    const waiting = Array.from({ length: 64 }, () => post(server.url, signed(body, 'shop-secret')))
    await waitFor(() => held.length === 64, { describe: 'all of them to be on their way' })
    expect((await post(server.url, signed(body, 'shop-secret'))).status).toBe(503)
    for (const response of held) response.writeHead(202).end('{"message":"accepted"}')
    expect((await Promise.all(waiting)).every(({ status }) => status === 202)).toBe(true)
  })
})
