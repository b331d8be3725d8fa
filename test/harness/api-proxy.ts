import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** Which requests to the API server are meant; absent fields match any. */
export interface Matcher {
  method?: string
  /** Tried on the path with its query. */
  path?: RegExp
  /** Tried on the request's body. */
  body?: RegExp
}

/** A request that is held: `before` the API server has seen it, or `after` it was carried out and before its answer. */
export interface Held {
  /** Resolves when a request is held. */
  hit: Promise<void>
  /** Lets the request go on. */
  release(): void
  /** Closes the connection: a request that was held `before` is never seen by the API server. */
  drop(): void
}

/** What an API server in trouble says instead of doing what it is asked. */
export interface Trouble {
  status: number
  reason: string
  /** Seconds. */
  retryAfter?: number
}

interface Troubled {
  matcher: Matcher
  trouble: Trouble
  left: number
}

interface Trap {
  matcher: Matcher
  when: 'before' | 'after'
  spring(): void
  /** Whether the request goes on. */
  released: Promise<boolean>
}

/** A request that may change something, as it arrived. */
export interface RecordedWrite {
  method: string
  /** With its query. */
  path: string
  body: string
  /** Content type, and whom it was made as. */
  headers: Record<string, string>
}

const maxBody = 8 * 1024 * 1024

/**
 * Stands between Offshoot and the API server (plain HTTP on 127.0.0.1), so that a story can stop the world at one
 * write, or take the API server away from one client without hurting the others.
 */
export class ApiProxy {
  /** Requests so far, oldest first, as `METHOD path`; the last 10,000. */
  readonly requests: string[] = []
  /** Writes since `record`, oldest first. */
  readonly recorded: RecordedWrite[] = []
  #recording = false
  readonly #target: URL
  readonly #agent: HttpAgent
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #traps = new Set<Trap>()
  readonly #refused = new Set<Matcher>()
  readonly #troubled: Troubled[] = []

  constructor(url: string, ca?: string) {
    this.#target = new URL(url)
    this.#agent = ca === undefined ? new HttpAgent({ keepAlive: true }) : new Agent({ ca, keepAlive: true })
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy())
    })
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
  }

  /** Holds the next request that matches; the client hears nothing until it is released. */
  hold(matcher: Matcher, when: 'before' | 'after'): Held {
    const hit = Promise.withResolvers<void>()
    const released = Promise.withResolvers<boolean>()
    this.#traps.add({ matcher, when, spring: hit.resolve, released: released.promise })
    return { hit: hit.promise, release: () => released.resolve(true), drop: () => released.resolve(false) }
  }

  /** Closes the connection of every request that matches (`{}`: of every request), until the returned function is called. */
  refuse(matcher: Matcher): () => void {
    this.#refused.add(matcher)
    return () => void this.#refused.delete(matcher)
  }

  /** Lets the next `times` requests that match fail like this, without the API server having seen them. */
  trouble(matcher: Matcher, trouble: Trouble, times = 1): void {
    this.#troubled.push({ matcher, trouble, left: times })
  }

  /** Keeps every write from now on, body included. */
  record(): void {
    this.#recording = true
  }

  /** Cuts every connection: watches end, and what was asked for is not answered. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    this.#agent.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request
    this.requests.push(`${method} ${url}`)
    if (this.requests.length > 10_000) this.requests.shift()
    const body = await readBody(request)
    if (this.#recording && method !== 'GET') {
      const kept = ['content-type', 'accept', 'impersonate-user'].map(name => [name, request.headers[name]])
      const headers = Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as Record<string, string>
      this.recorded.push({ method, path: url, body: body.toString('utf8'), headers })
    }
    const matches = (matcher: Matcher) => isMatch(matcher, method, url, body)
    if ([...this.#refused].some(matches)) {
      request.socket.destroy()
      return
    }
    const troubled = this.#troubled.find(({ matcher, left }) => left > 0 && matches(matcher))
    if (troubled) {
      troubled.left--
      return answerWith(response, troubled.trouble)
    }
    const trap = [...this.#traps].find(({ matcher }) => matches(matcher))
    if (trap) this.#traps.delete(trap)
    if (trap?.when === 'before' && !(await caught(trap))) return void request.socket.destroy()
    const answer = await this.#forward(request, response, body)
    if (trap?.when === 'after' && !(await caught(trap))) return void request.socket.destroy()
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    answer.pipe(response)
  }

  #forward(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, url, headers } = request
      const { hostname, port } = this.#target
      const options = { hostname, port, method, path: url, agent: this.#agent, headers: { ...headers, host: hostname } }
      const outgoing = (this.#agent instanceof Agent ? httpsRequest : httpRequest)(options, resolve)
      outgoing.on('error', reject)
      // A client that goes away ends what it asked for: a watch would stay open for minutes.
      response.on('close', () => {
        if (!response.writableFinished) outgoing.destroy()
      })
      outgoing.end(body)
    })
  }
}

function answerWith(response: ServerResponse, { status, reason, retryAfter }: Trouble): void {
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `${reason} for a test`,
    reason,
    code: status,
  }
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function caught(trap: Trap): Promise<boolean> {
  trap.spring()
  return trap.released
}

function isMatch(matcher: Matcher, method: string, url: string, body: Buffer): boolean {
  if (matcher.method !== undefined && matcher.method !== method) return false
  if (matcher.path && !matcher.path.test(url)) return false
  return matcher.body === undefined || matcher.body.test(body.toString('utf8'))
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBody) throw new Error('body too large for the proxy')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Starts a proxy in front of the API server at `url`, whose certificate `ca` (PEM) has signed; without one over HTTP. */
export async function startApiProxy(url: string, ca?: string): Promise<ApiProxy> {
  const proxy = new ApiProxy(url, ca)
  await proxy.listen()
  return proxy
}
