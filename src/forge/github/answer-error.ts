import { z } from 'zod'
import { ForgeError, type ForgeErrorKind } from '../errors.ts'
import { retryAfter } from './rate-limit.ts'

type Headers = Record<string, string | number | undefined>

/** A failed request, read: status 0 if there was no answer. */
export interface Failure {
  status: number
  headers: Headers
  /** GitHub's own words. */
  message: string
  failure: ForgeError
}

/** What octokit's RequestError holds of an answer. */
const Answered = z.object({
  response: z.object({
    status: z.int(),
    headers: z.record(z.string(), z.union([z.string(), z.number(), z.undefined()])),
    data: z.unknown(),
  }),
})

/** Reads whatever octokit threw. `what` names the request. */
export function toForgeError(error: unknown, what: string, now: number): Failure {
  const answered = Answered.safeParse(error)
  if (answered.success) {
    const { status, headers, data } = answered.data.response
    const said = wordsOf(data)
    return { status, headers, message: said, failure: refusal(status, what, headers, now, said) }
  }
  const failure = ownError(error) ?? new ForgeError('unavailable', `${what}: no answer`, { cause: rootOf(error) })
  return { status: 0, headers: {}, message: '', failure }
}

/** The error for an answer with this status. `said` is what the forge gave as reason. */
export function refusal(status: number, what: string, headers: Headers, now: number, said = ''): ForgeError {
  const wait = retryAfter(headers, now)
  const message = `${what} was answered ${status}${said === '' ? '' : ` (${said})`}`
  return new ForgeError(kindOf(status), message, { status, ...(wait === undefined ? {} : { retryAfter: wait }) })
}

function kindOf(status: number): ForgeErrorKind {
  if (status === 401) return 'unauthorized'
  if (status === 403 || status === 451) return 'forbidden'
  if (status === 404 || status === 410) return 'notFound'
  if (status === 429) return 'rateLimited'
  if (status >= 300 && status < 400 && status !== 304) return 'moved'
  if (status === 408 || status >= 500) return 'unavailable'
  return status >= 400 ? 'invalid' : 'malformed'
}

/** The `message` of GitHub's error body, one short line; nothing else of a body is repeated. */
function wordsOf(data: unknown): string {
  if (typeof data !== 'object' || data === null || !('message' in data) || typeof data.message !== 'string') return ''
  return data.message.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 200)
}

function ownError(error: unknown): ForgeError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof ForgeError) return at
  }
  return undefined
}

/** What octokit wrapped: its own error repeats the message and holds the request. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.name === 'HttpError' && error.cause !== undefined ? error.cause : error
}
