import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Failure } from './faults.ts'

/** What a route answers; the server adds ETag, rate limit and pages. */
export interface Answer {
  status: number
  body?: unknown
  /** A list to cut into pages. */
  list?: unknown[]
  /** Makes the answer's form of an item: of those on the page alone, as lists may be long. */
  shape?: (item: never) => unknown
  headers?: Record<string, string>
}

/** GitHub's primary rate limit, as its headers show it. */
export interface RateLimit {
  limit: number
  remaining: number
  /** Seconds since the epoch. */
  reset: number
}

/** Answers with GitHub's words for an error. */
export function problem(status: number, message: string, headers: Record<string, string> = {}): Answer {
  return {
    status,
    body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
    headers,
  }
}

/** Sends the answer as GitHub does: pages with Link, ETag and 304, rate-limit headers. Gives the status sent. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  answer: Answer,
  rate: RateLimit,
  failure?: Failure,
): number {
  const headers: Record<string, string> = { ...answer.headers }
  const body = answer.list === undefined ? answer.body : page(url, answer, headers, failure)
  let text = body === undefined ? '' : JSON.stringify(failure === 'empty' ? [] : body)
  if (failure === 'truncated') text = text.slice(0, Math.floor(text.length / 2))
  let status = answer.status
  if (request.method === 'GET' && status === 200) {
    // Of the body alone: a page may be unchanged while pages after it come and go.
    const etag = `W/"${createHash('sha256').update(text).digest('hex')}"`
    headers.etag = etag
    if (request.headers['if-none-match'] === etag) {
      status = 304
      delete headers.link
    }
  }
  if (status !== 304) rate.remaining = Math.max(0, rate.remaining - 1)
  response.writeHead(status, {
    'content-type': failure === 'html' ? 'text/html' : 'application/json; charset=utf-8',
    'x-github-media-type': 'github.v3; format=json',
    'x-ratelimit-limit': String(rate.limit),
    'x-ratelimit-remaining': String(rate.remaining),
    'x-ratelimit-used': String(rate.limit - rate.remaining),
    'x-ratelimit-reset': String(rate.reset),
    'x-ratelimit-resource': 'core',
    ...headers,
  })
  response.end(status === 304 || status === 204 ? undefined : failure === 'html' ? '<html>Please log in</html>' : text)
  return status
}

function page(
  url: URL,
  { list = [], shape }: Answer,
  headers: Record<string, string>,
  failure: Failure | undefined,
): unknown[] {
  const size = Math.min(100, Math.max(1, Number(url.searchParams.get('per_page') ?? 30) || 30))
  const number = Math.max(1, Number(url.searchParams.get('page') ?? 1) || 1)
  const last = Math.max(1, Math.ceil(list.length / size))
  const link = (to: number, rel: string) => {
    const target = new URL(url)
    target.searchParams.set('page', String(to))
    return `<${target.href}>; rel="${rel}"`
  }
  const links = [
    ...(number > 1 ? [link(Math.min(number - 1, last), 'prev'), link(1, 'first')] : []),
    ...(number < last && failure !== 'lostLink' ? [link(number + 1, 'next'), link(last, 'last')] : []),
  ]
  if (links.length > 0) headers.link = links.join(', ')
  const from = failure === 'repeatedPage' ? 0 : (number - 1) * size
  const kept = list.slice(from, from + size)
  const items = shape === undefined ? kept : kept.map(item => shape(item as never))
  return failure === 'shortPage' ? items.slice(0, Math.ceil(items.length / 2)) : items
}
