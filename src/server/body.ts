import type { IncomingMessage } from 'node:http'
import { OffshootError } from '../util/errors.ts'

/** A request body that is not read to its end. `status` is the answer to give. */
export class BodyRefused extends OffshootError {
  override readonly name = 'BodyRefused'
  readonly status: 400 | 413 | 503

  constructor(status: 400 | 413 | 503, message: string) {
    super(message)
    this.status = status
  }
}

/** Memory that all unverified bodies together may hold: a flood of large deliveries is told to come back later. */
export class BodyBudget {
  readonly #limit: number
  #held = 0

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Takes `bytes` if they are there. What is taken is given back. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#limit) return false
    this.#held += bytes
    return true
  }

  give(bytes: number): void {
    this.#held -= bytes
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held
  }
}

/** A body in memory; `release` gives its bytes back to the budget. */
export interface RawBody {
  bytes: Buffer
  release(): void
}

/**
 * Reads a request's body as it came over the wire. Bytes count only once they arrived, so that a slow sender who
 * announces much holds nothing. What is refused is read on and dropped, so that the sender hears the answer.
 * @param cap largest body, in bytes
 * @throws BodyRefused 413 over the cap, 503 over the budget, 400 when the sender went away.
 */
export function readRawBody(request: IncomingMessage, cap: number, budget: BodyBudget): Promise<RawBody> {
  const { promise, resolve, reject } = Promise.withResolvers<RawBody>()
  const tooLarge = `the body is larger than ${cap} bytes`
  const chunks: Buffer[] = []
  let size = 0
  const release = () => {
    budget.give(size)
    size = 0
  }
  const stop = () => request.off('data', onData).off('end', onEnd).off('close', onClose)
  const refuse = (status: 400 | 413 | 503, message: string) => {
    stop().resume()
    release()
    chunks.length = 0
    reject(new BodyRefused(status, message))
  }
  const onData = (chunk: Buffer) => {
    if (size + chunk.length > cap) return refuse(413, tooLarge)
    if (!budget.take(chunk.length)) return refuse(503, 'too many large deliveries at once')
    size += chunk.length
    chunks.push(chunk)
  }
  const onEnd = () => {
    stop()
    resolve({ bytes: Buffer.concat(chunks, size), release })
  }
  const onClose = () => refuse(400, 'the body ended early')
  request
    .on('data', onData)
    .on('end', onEnd)
    .on('close', onClose)
    .on('error', () => undefined)
  if (Number(request.headers['content-length'] ?? 0) > cap) refuse(413, tooLarge)
  return promise
}
