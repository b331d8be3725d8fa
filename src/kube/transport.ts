import { Buffer } from 'node:buffer'
import type { Dispatcher } from 'undici'
import request from 'undici/lib/api/api-request.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js'
import { OffshootError } from '../util/errors.ts'
import type { Access, Credentials, TlsOptions } from './config.ts'
import { errorFromBody, KubeConnectionError } from './errors.ts'
import { exchange } from './exchange.ts'
import type { ObservedRequest } from './options.ts'
import { resourceOf } from './paths.ts'
import { type RetryOptions, withRetries } from './retry.ts'
import { within } from './within.ts'

/** One request to the API server, with a path and query that are already encoded. */
export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  body?: string
  contentType?: string
  accept?: string
  headers?: Record<string, string | string[]>
  signal?: AbortSignal | undefined
  /** Milliseconds for the whole request, retries included; default 30 s. */
  timeout?: number | undefined
  /** Kept for the client, which reads the answer's warnings. */
  onWarning?: ((warning: string) => void) | undefined
}

/** An answer with status 2xx. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** Limits of a transport. */
export interface TransportOptions {
  /** Connections for ordinary requests; more requests wait for a free one. Default 32. */
  connections?: number
  /** Milliseconds that a request may take, retries included. Default 30,000. */
  timeout?: number
  /** Bytes of an answer's body. Default 128 MiB. */
  maxBodyBytes?: number
  retry: RetryOptions
  observe?: (request: ObservedRequest) => void
}

const defaultAccept = 'application/json'
const maxErrorBytes = 1 << 20

/**
 * HTTP/1.1 to one API server over kept-alive connections. Requests that the server put off (429) or that never left
 * this machine are sent again until their deadline; watches have connections of their own, so that they never
 * take one away from a request.
 */
export class Transport {
  readonly #credentials: Credentials
  readonly #options: TransportOptions
  readonly #origin: string
  readonly #prefix: string
  #tls: TlsOptions = {}
  #requests: Dispatcher | undefined
  #streams: Dispatcher | undefined
  #closed = false

  constructor(credentials: Credentials, options: TransportOptions) {
    this.#credentials = credentials
    this.#options = options
    const base = new URL(credentials.server)
    this.#origin = base.origin
    this.#prefix = base.pathname === '/' ? '' : base.pathname
  }

  get credentials(): Credentials {
    return this.#credentials
  }

  /**
   * Sends a request and reads its answer.
   * @throws KubeError for an answer other than 2xx; KubeConnectionError without one; the signal's reason when aborted.
   */
  async send(request: TransportRequest): Promise<Answer> {
    const timeout = request.timeout ?? this.#options.timeout ?? 30_000
    return withRetries(request, timeout, this.#options.retry, remaining => this.#attempt(request, remaining))
  }

  async #attempt(request: TransportRequest, timeout: number): Promise<Answer> {
    const access = this.#credentials.fresh ?? (await this.#access(timeout, request.signal))
    const answer = await exchange(this.#dispatchers(access).requests, {
      ...this.#dispatchOptions(request, access),
      signal: request.signal,
      timeout,
      maxBodyBytes: this.#options.maxBodyBytes ?? 128 << 20,
      label: label(request),
    }).catch(error => {
      this.#observe(request, 0, false)
      throw error
    })
    this.#observe(request, answer.status, false)
    if (answer.status >= 200 && answer.status < 300) return answer
    if (answer.status === 401) this.#credentials.invalidate()
    throw withRetryAfter(errorFromBody(answer.status, answer.body, label(request)), answer.headers['retry-after'])
  }

  /**
   * Opens a stream (a watch); the body ends when the server ends it, and fails after `idleTimeout` ms of silence.
   * `timeout` counts until the headers have come.
   * @throws as {@link send}
   */
  async stream(opened: TransportRequest, idleTimeout: number): Promise<AsyncIterable<Buffer>> {
    const timeout = opened.timeout ?? this.#options.timeout ?? 30_000
    const access = await this.#access(timeout, opened.signal)
    let answer: Dispatcher.ResponseData
    try {
      answer = await request.call(this.#dispatchers(access).streams, {
        ...this.#dispatchOptions(opened, access),
        signal: opened.signal ?? null,
        headersTimeout: timeout,
        bodyTimeout: idleTimeout,
      })
    } catch (cause) {
      opened.signal?.throwIfAborted()
      throw new KubeConnectionError(`${label(opened)}: no answer from ${this.#origin}`, { cause })
    }
    this.#observe(opened, answer.statusCode, true)
    if (answer.statusCode === 200) return answer.body
    if (answer.statusCode === 401) this.#credentials.invalidate()
    throw errorFromBody(answer.statusCode, await readCapped(answer.body), label(opened))
  }

  /** Ends idle connections at once and the others after their request; streams are cut. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#requests?.close(), this.#streams?.destroy()])
  }

  #observe({ method, path }: TransportRequest, status: number, watch: boolean): void {
    this.#options.observe?.({ method, resource: resourceOf(path), status, watch })
  }

  #access(timeout: number, signal: AbortSignal | undefined): Promise<Access> {
    return within(this.#credentials.access(), 'credentials', timeout, signal)
  }

  #dispatchOptions(request: TransportRequest, access: Access): Dispatcher.RequestOptions {
    const headers: Record<string, string | string[]> = {
      accept: request.accept ?? defaultAccept,
      'user-agent': 'offshoot',
      ...access.headers,
      ...request.headers,
    }
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json'
    return {
      origin: this.#origin,
      path: this.#prefix + request.path,
      method: request.method,
      headers,
      body: request.body ?? null,
      // undici gives up the connection after a DELETE with a body, which servers may misread; Kubernetes' does not.
      reset: false,
    }
  }

  /** The connections for this TLS material; rotated certificates get new ones, the old end after their requests. */
  #dispatchers(access: Access): { requests: Dispatcher; streams: Dispatcher } {
    if (this.#closed) throw new OffshootError('the Kubernetes client is closed')
    if (this.#requests && this.#streams && sameTls(this.#tls, access.tls)) {
      return { requests: this.#requests, streams: this.#streams }
    }
    // A failed close of replaced connections leaves nothing to do: they end with their sockets.
    this.#requests?.close().catch(() => undefined)
    this.#streams?.close().catch(() => undefined)
    this.#tls = access.tls
    this.#requests = this.#dispatcher(access.tls, this.#options.connections ?? 32)
    this.#streams = this.#dispatcher(access.tls, null)
    return { requests: this.#requests, streams: this.#streams }
  }

  #dispatcher(tls: TlsOptions, connections: number | null): Dispatcher {
    // The API server closes idle connections after 90 s (Go's http.Server.IdleTimeout): stay below that.
    const limits = { connections, keepAliveTimeout: 60_000, keepAliveMaxTimeout: 60_000, allowH2: false }
    const proxy = this.#credentials.proxyUrl
    if (proxy === undefined) return new Agent({ ...limits, connect: { ...tls, timeout: 10_000, keepAlive: true } })
    if (!/^https?:/.test(proxy)) throw new OffshootError(`proxy-url ${proxy}: only http and https proxies work`)
    return new ProxyAgent({ ...limits, uri: proxy, requestTls: { ...tls, timeout: 10_000 } })
  }
}

function label(request: TransportRequest): string {
  return `${request.method} ${request.path.split('?', 1)[0] ?? ''}`
}

function withRetryAfter<T extends { details: { retryAfterSeconds?: number } }>(error: T, header: unknown): T {
  const seconds = Number(typeof header === 'string' && header !== '' ? header : Number.NaN)
  if (Number.isFinite(seconds) && seconds >= 0) error.details.retryAfterSeconds = seconds
  return error
}

function sameTls(a: TlsOptions, b: TlsOptions): boolean {
  const same = (x: string | Buffer | undefined, y: string | Buffer | undefined) =>
    x === y || (x !== undefined && y !== undefined && Buffer.from(x).equals(Buffer.from(y)))
  return (
    same(a.ca, b.ca) &&
    same(a.cert, b.cert) &&
    same(a.key, b.key) &&
    a.servername === b.servername &&
    a.rejectUnauthorized === b.rejectUnauthorized
  )
}

async function readCapped(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxErrorBytes) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
