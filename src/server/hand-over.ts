import type { IncomingMessage } from 'node:http'
import { Agent, request as send } from 'undici'
import { z } from 'zod'
import { messageOf } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'

/** Marks a delivery that another replica handed over. Whoever gets one and does not lead refuses it: no loops. */
export const handedOverHeader = 'x-offshoot-handed-over'

/** How a standby hands deliveries over. */
export interface HandOverOptions {
  /** `http://host:port` of the leader; undefined while nobody is known to lead. */
  leaderUrl: () => string | undefined
  /** Milliseconds for all of it; forges give up after ten seconds. */
  deadline: number
  /** Deliveries on their way at once. */
  atOnce: number
  log: Logger
}

/** The leader's own answer, or undefined when no leader is known to have taken the delivery. */
export type HandedOver = { status: number; message: string } | undefined

/** Headers of one connection, which mean nothing on the next (RFC 9110, 7.6.1), and those that undici writes itself. */
const notPassedOn: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  handedOverHeader,
])

/** Answers that say something about the delivery; any other is about the leader, and the sender shall come again. */
const decided: ReadonlySet<number> = new Set([202, 400, 401, 404, 413, 415])

const Answer = z.union([
  z.object({ message: z.string() }).transform(({ message }) => message),
  z.object({ error: z.string() }).transform(({ error }) => error),
])

/** Largest answer that is read, in bytes: ours are one line. */
const maxAnswer = 16_384

/**
 * Hands deliveries from a standby to the leader, as they came: the bytes and the headers that the forge signed are not
 * touched, and it is the leader that verifies them.
 */
export class HandOver {
  readonly #options: HandOverOptions
  readonly #agent: Agent
  #under = 0

  constructor(options: HandOverOptions) {
    this.#options = options
    this.#agent = new Agent({
      connections: options.atOnce,
      connect: { timeout: Math.min(2_000, options.deadline) },
      maxResponseSize: maxAnswer,
    })
  }

  /** Whether a delivery may be handed over: it was not already, a leader is known, and not too many are on their way. */
  possible(request: IncomingMessage): boolean {
    const handedOver = request.headers[handedOverHeader] !== undefined
    return !handedOver && this.#under < this.#options.atOnce && this.#origin() !== undefined
  }

  /** Sends the delivery once. Undefined means that the leader may not have taken it. */
  async send(request: IncomingMessage, body: Buffer): Promise<HandedOver> {
    const origin = this.#origin()
    if (origin === undefined || !this.possible(request)) return undefined
    this.#under++
    try {
      return await this.#send(origin, request, body)
    } catch (error) {
      this.#options.log.warn({ leader: origin, error: messageOf(error) }, 'delivery could not be handed over')
      return undefined
    } finally {
      this.#under--
    }
  }

  /** Ends the connections to the leader. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #send(origin: string, request: IncomingMessage, body: Buffer): Promise<HandedOver> {
    const { deadline, log } = this.#options
    const answer = await send(`${origin}${request.url ?? '/'}`, {
      method: 'POST',
      headers: [...headersOf(request), handedOverHeader, 'true'],
      body,
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(deadline),
      headersTimeout: deadline,
      bodyTimeout: deadline,
    })
    const text = await answer.body.text()
    const message = Answer.safeParse(parseJson(text)).data
    if (decided.has(answer.statusCode) && message !== undefined) return { status: answer.statusCode, message }
    log.warn({ leader: origin, status: answer.statusCode }, 'the leader did not take a delivery')
    return undefined
  }

  /** The leader's origin, when the Lease holds one: whatever else stands there is not an address of ours. */
  #origin(): string | undefined {
    const url = URL.parse(this.#options.leaderUrl() ?? '')
    return url?.protocol === 'http:' || url?.protocol === 'https:' ? url.origin : undefined
  }
}

/** Names and values in turn, as they came: a header that came twice goes on twice. */
function headersOf({ rawHeaders, headers }: IncomingMessage): string[] {
  const ofConnection = (headers.connection ?? '').split(',').map(name => name.trim().toLowerCase())
  const passed: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    const lower = name.toLowerCase()
    if (!notPassedOn.has(lower) && !ofConnection.includes(lower)) passed.push(name, value)
  }
  return passed
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
