import { Octokit } from '@octokit/core'
import { z } from 'zod'
import { Gate } from '../../util/gate.ts'
import { LruMap } from '../../util/lru.ts'
import { ForgeError } from '../errors.ts'
import type { ForgeDependencies, ForgeRequest } from '../forge.ts'
import { refusal, toForgeError } from './answer-error.ts'
import { cappedFetch } from './fetch.ts'
import { RateLimit } from './rate-limit.ts'

/** Bounds of a client; the defaults suit GitHub. */
export interface ClientLimits {
  /** Milliseconds for one request, body included. */
  deadline: number
  /** Largest answer in bytes. */
  maxBytes: number
  /** Requests that read, at a time. */
  reads: number
  /** Milliseconds between requests that write. */
  writeInterval: number
  /** Times a read is repeated after 5xx or a lost connection. */
  retries: number
  /** Milliseconds before the first repetition; doubles. */
  retryDelay: number
  /** Answers kept for conditional requests. */
  cached: number
}

/** What one client talks to, and as whom. */
export interface ClientOptions {
  apiUrl: string
  /** Gives each request its credential; absent: anonymous. */
  tokens?: Tokens
  /** Limits and answers seen, shared with other clients of the same credential; absent: of its own. */
  shared?: ClientState
  limits?: Partial<ClientLimits>
}

/** Where a client has its credential from. */
export interface Tokens {
  /** Value of the `Authorization` header. @throws ForgeError */
  authorization(signal?: AbortSignal): Promise<string>
  /** GitHub refused this value; true if another can be had. */
  refused(authorization: string): boolean
}

/** A token that stays as it is. */
export function fixedToken(token: string): Tokens {
  return { authorization: async () => `token ${token}`, refused: () => false }
}

/** What clients of one credential share: GitHub's limits, those of our own, and answers for conditional requests. */
export class ClientState {
  readonly rate: RateLimit
  readonly reads: Gate
  readonly writes = new Gate(1)
  readonly kept: LruMap<string, Kept>
  /** When the next request that writes may be sent, in milliseconds since the epoch. */
  nextWrite = 0

  constructor({ reads, cached }: Pick<ClientLimits, 'reads' | 'cached'>, clock: ForgeDependencies['clock']) {
    this.rate = new RateLimit(clock)
    this.reads = new Gate(reads)
    this.kept = new LruMap(cached)
  }
}

/** An answer read by its schema. */
export interface Answer<T> {
  data: T
  /** The forge says that another page follows. */
  next: boolean
  /** Number of the last page, where the forge names it. */
  last?: number
  /** What it was when the page was sent last, where an unchanged one does not tell. */
  lastBefore?: number
  /** Where the next page begins, in lists that are read by cursor. */
  cursor?: string
  /** Answered 304: the same as this client saw before. */
  notModified: boolean
}

type Parameters = Record<string, string | number | boolean | undefined>
type Sent = Record<string, unknown> & { headers?: Record<string, string> }
interface Raw {
  status: number
  headers: Record<string, string | number | undefined>
  data: unknown
}
type Kept = Omit<Answer<unknown>, 'notModified'> & { etag: string }

/**
 * HTTP with GitHub for one credential: conditional requests, rate limits, deadlines, caps, retries of reads.
 * Requests that write go one after the other, as GitHub asks.
 */
export class GitHubClient {
  /** Beside the REST API: `/graphql` at api.github.com, `/api/graphql` where that is at `/api/v3`. */
  readonly graphqlUrl: string
  readonly #octokit: Octokit
  readonly #limits: ClientLimits
  readonly #tokens: Tokens | undefined
  readonly #state: ClientState
  readonly #dependencies: Pick<ForgeDependencies, 'clock' | 'logger' | 'observe'>

  constructor(options: ClientOptions, dependencies: Pick<ForgeDependencies, 'clock' | 'logger' | 'observe'>) {
    this.#limits = clientLimits(options.apiUrl, options.limits)
    this.graphqlUrl = `${options.apiUrl.replace(/\/v3$/, '')}/graphql`
    this.#dependencies = dependencies
    this.#tokens = options.tokens
    this.#state = options.shared ?? new ClientState(this.#limits, dependencies.clock)
    this.#octokit = new Octokit({
      baseUrl: options.apiUrl,
      userAgent: 'offshoot',
      log: octokitLog(dependencies.logger),
      // Octokit's own reading keeps integers that no answer here has, and takes much longer.
      request: { fetch: cappedFetch(this.#limits.maxBytes), parseSuccessResponseBody: false },
    })
  }

  /**
   * GETs what the route names and reads it by the schema; unchanged answers come from memory and cost no rate limit.
   * `keep: false` is for what may be large and is seldom asked for again.
   * @throws ForgeError
   */
  async read<T>(
    route: string,
    parameters: Parameters,
    schema: z.ZodType<T>,
    signal?: AbortSignal,
    { keep = true }: { keep?: boolean } = {},
  ): Promise<Answer<T>> {
    const { url } = this.#octokit.request.endpoint(`GET ${route}`, parameters)
    const kept = this.#state.kept.get(url)
    const headers = kept ? { 'if-none-match': kept.etag } : {}
    const raw = await this.#state.reads.run(() => this.#readRaw(route, { ...parameters, headers }, signal), signal)
    // The URL determines the schema: whatever was kept for it has passed this one.
    if (raw.status === 304 && kept) return { ...linkOf(raw, kept), data: kept.data as T, notModified: true }
    if (raw.status !== 200) throw refusal(raw.status, `GET ${pathOf(url)}`, raw.headers, this.#dependencies.clock.now())
    const answer = { data: parse(schema, raw.data, `GET ${pathOf(url)}`), ...readLink(raw.headers.link) }
    const etag = raw.headers.etag
    if (keep && typeof etag === 'string') this.#state.kept.set(url, { ...answer, etag })
    return { ...answer, notModified: false }
  }

  /**
   * Sends a change, once: an answer that was lost may have been a success.
   * @throws ForgeError
   */
  async write<T>(
    method: 'POST' | 'PATCH',
    route: string,
    parameters: Record<string, unknown>,
    schema: z.ZodType<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const what = `${method} ${pathOf(this.#octokit.request.endpoint(`${method} ${route}`, parameters).url)}`
    const state = this.#state
    const raw = await state.writes.run(async () => {
      const { clock } = this.#dependencies
      const wait = state.nextWrite - clock.now()
      if (wait > 0) await clock.sleep(wait, signal)
      state.nextWrite = clock.now() + this.#limits.writeInterval
      return this.#send(method, route, parameters, signal)
    }, signal)
    if (raw.status < 200 || raw.status > 202) {
      throw refusal(raw.status, what, raw.headers, this.#dependencies.clock.now())
    }
    return parse(schema, raw.data, what)
  }

  async #readRaw(route: string, parameters: Sent, signal: AbortSignal | undefined): Promise<Raw> {
    const { clock } = this.#dependencies
    const end = clock.now() + this.#limits.deadline / 2
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send('GET', route, parameters, signal)
      } catch (error) {
        const again = error instanceof ForgeError && error.kind === 'unavailable' && error.retryAfter === undefined
        if (!again || attempt >= this.#limits.retries || clock.now() > end) throw error
        await clock.sleep(this.#limits.retryDelay * 2 ** attempt, signal)
      }
    }
  }

  /** A request refused with 401 was not carried out: it is sent once more where a newer token can be had. */
  async #send(method: string, route: string, parameters: Sent, signal: AbortSignal | undefined): Promise<Raw> {
    const authorization = await this.#tokens?.authorization(signal)
    try {
      return await this.#sendAs(authorization, method, route, parameters, signal)
    } catch (error) {
      const refused = error instanceof ForgeError && error.kind === 'unauthorized' && authorization !== undefined
      if (!refused || !this.#tokens?.refused(authorization)) throw error
      return this.#sendAs(await this.#tokens.authorization(signal), method, route, parameters, signal)
    }
  }

  async #sendAs(
    authorization: string | undefined,
    method: string,
    route: string,
    parameters: Sent,
    signal: AbortSignal | undefined,
  ): Promise<Raw> {
    const { clock } = this.#dependencies
    signal?.throwIfAborted()
    this.#state.rate.check()
    const started = clock.now()
    const deadline = AbortSignal.timeout(this.#limits.deadline)
    const request = { signal: signal ? AbortSignal.any([signal, deadline]) : deadline }
    try {
      const identified = authorization === undefined ? {} : { authorization }
      const headers = { 'x-github-api-version': '2022-11-28', ...identified, ...parameters.headers }
      const answer: Raw = await this.#octokit.request(`${method} ${route}`, { ...parameters, headers, request })
      const raw = { ...answer, data: await contentOf(answer.data) }
      this.#state.rate.learn(raw.status, raw.headers, '')
      this.#observe({ method, route, status: raw.status, milliseconds: clock.now() - started }, raw.headers)
      return raw
    } catch (error) {
      signal?.throwIfAborted()
      const { status, headers, message, failure } = toForgeError(error, `${method} ${route}`, clock.now())
      this.#observe({ method, route, status, milliseconds: clock.now() - started }, headers)
      if (status === 304) return { status, headers, data: undefined }
      throw this.#state.rate.learn(status, headers, message) ?? failure
    }
  }

  #observe(request: ForgeRequest, headers: Raw['headers']): void {
    const remaining = Number(headers['x-ratelimit-remaining'] ?? Number.NaN)
    this.#dependencies.observe?.({ ...request, ...(Number.isNaN(remaining) ? {} : { rateLimitRemaining: remaining }) })
  }
}

/** Bounds of a client of this API. */
export function clientLimits(apiUrl: string, limits: Partial<ClientLimits> = {}): ClientLimits {
  const { hostname } = new URL(apiUrl)
  const limited = hostname === 'api.github.com' || hostname.endsWith('.ghe.com')
  return {
    deadline: 30_000,
    maxBytes: 32 * 1024 * 1024,
    reads: 16,
    // GitHub asks for a second between writes; an Enterprise Server has no such limit unless its owner sets one.
    writeInterval: limited ? 1000 : 0,
    retries: 2,
    retryDelay: 500,
    cached: 10_000,
    ...limits,
  }
}

/** The JSON of a body; what is none, such as a proxy's page, as text: no schema lets that pass. */
async function contentOf(body: unknown): Promise<unknown> {
  if (!(body instanceof ReadableStream)) return undefined
  const text = await new Response(body).text()
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function parse<T>(schema: z.ZodType<T>, data: unknown, what: string): T {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  const problems = z.prettifyError(result.error).slice(0, 500)
  throw new ForgeError('malformed', `${what}: the answer is not what GitHub documents: ${problems}`)
}

/** A 304 without a Link header keeps only what the page itself shows: pages after it may have come or gone. */
function linkOf(raw: Raw, kept: Kept): Links {
  if (raw.headers.link !== undefined) return readLink(raw.headers.link)
  const { next, cursor, last: lastBefore } = kept
  return { next, ...(cursor === undefined ? {} : { cursor }), ...(lastBefore === undefined ? {} : { lastBefore }) }
}

type Links = Pick<Answer<unknown>, 'next' | 'last' | 'lastBefore' | 'cursor'>

function readLink(header: string | number | undefined): Links {
  const links = typeof header === 'string' ? header : ''
  const last = Number(/[?&]page=([0-9]{1,9})(?:&[^>]*)?>;\s*rel="last"/.exec(links)?.[1] ?? Number.NaN)
  const cursor = /[?&]cursor=([^&>]{1,256})(?:&[^>]*)?>;\s*rel="next"/.exec(links)?.[1]
  return {
    next: /;\s*rel="next"/.test(links),
    ...(Number.isNaN(last) ? {} : { last }),
    ...(cursor === undefined ? {} : { cursor: decodeURIComponent(cursor) }),
  }
}

/** Path of a URL without host and query: enough for a message. */
function pathOf(url: string): string {
  return new URL(url).pathname
}

/** What octokit says goes to the log's debug level: deprecations and the like. */
function octokitLog(logger: ForgeDependencies['logger']) {
  const debug = (message: string) => logger.debug({ octokit: message }, 'octokit')
  return { debug, info: debug, warn: debug, error: debug }
}
