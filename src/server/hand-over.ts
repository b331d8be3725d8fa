import type { IncomingMessage } from 'node:http'
import { Agent, request as send } from 'undici'
import { z } from 'zod'
import { messageOf } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'
import type { WebhookTarget } from './target.ts'

/** On a delivery that another replica handed over: whom it is meant for. Whoever else gets it refuses it: no loops. */
const handedOverHeader = 'x-offshoot-handed-over'
/** On the answer to it: who answers. An address may be another's by now, of another installation or no Offshoot at all. */
const answeredByHeader = 'x-offshoot-answered-by'

/** How a standby hands deliveries over. */
export interface HandOverOptions {
  /** Who this replica is, and who leads. */
  target: Pick<WebhookTarget, 'identity' | 'otherLeader'>
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
  answeredByHeader,
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
    return !handedOver && this.#under < this.#options.atOnce && this.#leader() !== undefined
  }

  /**
   * Headers that tell whoever handed a delivery over that it reached whom it was meant for: none for one that came
   * straight from the forge. Undefined when it was meant for another.
   */
  proof({ headers }: IncomingMessage): Record<string, string> | undefined {
    const meant = headers[handedOverHeader]
    if (meant === undefined) return {}
    const own = this.#options.target.identity()
    return own !== undefined && meant === nameOf(own) ? { [answeredByHeader]: meant } : undefined
  }

  /** Sends the delivery once. Undefined means that the leader may not have taken it. */
  async send(request: IncomingMessage, body: Buffer): Promise<HandedOver> {
    const leader = this.#leader()
    if (leader === undefined || !this.possible(request)) return undefined
    this.#under++
    try {
      return await this.#send(leader, request, body)
    } catch (error) {
      this.#options.log.warn({ leader: leader.origin, error: messageOf(error) }, 'delivery could not be handed over')
      return undefined
    } finally {
      this.#under--
    }
  }

  /** Ends the connections to the leader. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #send({ origin, name }: Leader, request: IncomingMessage, body: Buffer): Promise<HandedOver> {
    const { deadline, log } = this.#options
    const answer = await send(`${origin}${request.url ?? '/'}`, {
      method: 'POST',
      headers: [...headersOf(request), handedOverHeader, name],
      body,
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(deadline),
      headersTimeout: deadline,
      bodyTimeout: deadline,
    })
    const text = await answer.body.text()
    const message = Answer.safeParse(parseJson(text)).data
    const { statusCode: status, headers } = answer
    const isLeaders = headers[answeredByHeader] === name
    if (isLeaders && decided.has(status) && message !== undefined) return { status, message }
    log.warn({ leader: origin, status, isLeaders }, 'the leader did not take a delivery')
    return undefined
  }

  /** The leader, when the Lease holds its origin: whatever else stands there is not an address of ours. */
  #leader(): Leader | undefined {
    const { identity = '', url: address = '' } = this.#options.target.otherLeader() ?? {}
    const url = URL.parse(address)
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined
    return { origin: url.origin, name: nameOf(identity) }
  }
}

interface Leader {
  origin: string
  /** As it stands in headers. */
  name: string
}

/** An identity as a header can hold it. */
function nameOf(identity: string): string {
  return encodeURIComponent(identity)
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
