import type { Dispatcher } from 'undici'
import { messageOf } from '../util/errors.ts'
import { EngineError, RefusedError } from './errors.ts'

/** One HTTP request with its bounds. */
export interface HttpRequest {
  readonly url: string
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | Uint8Array | undefined
  /** Most bytes of the answer. */
  readonly maxBytes: number
  /** Milliseconds for the whole exchange. */
  readonly deadline: number
  readonly signal: AbortSignal
  /** Redirects that are followed; default 10. */
  readonly redirects?: number | undefined
  /** Judges the URL and those it redirects to. */
  readonly allowsUrl: (url: string) => boolean
  /** Own TLS settings; default honours the proxy variables of the environment. */
  readonly dispatcher?: Dispatcher | undefined
}

/** An answer of any status. Header names are in lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Where the last redirect led. */
  readonly url: string
}

/** A failure before an answer was complete: connection, TLS, deadline. Worth a retry. */
export class HttpError extends EngineError {
  override readonly name = 'HttpError'
}

/**
 * Sends a request and reads the whole answer. Redirects to another origin lose the headers that hold credentials.
 * @throws RefusedError for a URL that is not allowed, HttpError when no answer came, EngineError when it is too large
 */
export async function exchange(options: HttpRequest): Promise<HttpAnswer> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.deadline)])
  let { method = 'GET', body, headers = {} } = options
  let url = parseHttpUrl(options.url)
  for (let hop = 0; ; hop++) {
    if (!options.allowsUrl(url.href)) throw new RefusedError(`${shownUrl(url)} is not allowed here`)
    const answer = await once(url, { ...options, method, body, headers }, signal)
    const location = answer.headers.location
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer
    if (hop >= (options.redirects ?? 10)) throw new EngineError(`${shownUrl(options.url)}: too many redirects`)
    const next = parseHttpUrl(new URL(location, url).href)
    if (next.protocol === 'http:' && url.protocol === 'https:') {
      throw new EngineError(`${shownUrl(url)} redirects to unencrypted http`)
    }
    if (answer.status < 307 && method !== 'HEAD') [method, body] = ['GET', undefined]
    if (next.origin !== url.origin) headers = withoutCredentials(headers)
    url = next
  }
}

let agent: Dispatcher | undefined

async function once(url: URL, options: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  // Loading it takes longer than rendering a small project, and most projects ask for nothing.
  const { EnvHttpProxyAgent, request } = await import('undici')
  agent ??= new EnvHttpProxyAgent()
  const { dispatcher = agent, method = 'GET', body, maxBytes } = options
  const headers = { ...options.headers }
  const bare = new URL(url)
  if (url.username !== '' || url.password !== '') {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    headers.authorization ??= `Basic ${Buffer.from(pair).toString('base64')}`
    bare.username = ''
    bare.password = ''
  }
  try {
    const answer = await request(bare, { method: method as 'GET', headers, body: body ?? null, signal, dispatcher })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw new EngineError(`${shownUrl(url)}: the answer has more than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(
        Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')]),
      ),
      body: Buffer.concat(chunks),
      url: url.href,
    }
  } catch (error) {
    options.signal.throwIfAborted()
    if (error instanceof EngineError) throw error
    if (signal.aborted) throw new HttpError(`${shownUrl(url)}: no answer within ${options.deadline} ms`)
    throw new HttpError(`request to ${shownUrl(url)} failed: ${messageOf(error)}`, { cause: error })
  }
}

/** @throws EngineError unless it is an http or https URL */
export function parseHttpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new EngineError(`expected a URL with http or https, got ${JSON.stringify(shownUrl(text))}`)
}

/** A URL as it may be shown: without user, password and query. */
export function shownUrl(url: string | URL): string {
  if (!URL.canParse(String(url))) return String(url).replace(/\/\/[^/@\s]*@/, '//')
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  if (shown.search !== '') shown.search = '?…'
  return decodeURI(shown.href)
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name]) => !/^(?:authorization|cookie|proxy-authorization)$|token|key|secret/i.test(name),
  )
  return Object.fromEntries(kept)
}
