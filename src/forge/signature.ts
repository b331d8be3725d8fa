import { createHmac, timingSafeEqual } from 'node:crypto'
import { WebhookRejected } from './errors.ts'
import type { WebhookHeaders } from './forge.ts'

const form = /^sha256=([0-9a-f]{64})$/

/**
 * Checks `X-Hub-Signature-256` (HMAC-SHA256 over the raw body) against every secret, without stopping at the first
 * that fits, so that time tells neither a signature nor which secret is in use.
 * @throws WebhookRejected 401 if no secret signed the body.
 */
export function verifySignature(headers: WebhookHeaders, body: Buffer, secrets: readonly string[]): void {
  const header = headers['x-hub-signature-256']
  const given = typeof header === 'string' ? form.exec(header)?.[1] : undefined
  if (given === undefined) {
    throw new WebhookRejected(401, 'expected exactly one X-Hub-Signature-256 header: sha256= and 64 hex digits')
  }
  const signature = Buffer.from(given, 'hex')
  let valid = false
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret).update(body).digest()
    // An empty secret is no secret: anyone can sign with it.
    if (timingSafeEqual(expected, signature) && secret !== '') valid = true
  }
  if (!valid) throw new WebhookRejected(401, 'the signature fits none of the secrets')
}

/** The only value of a header, undefined if it is missing or repeated. */
export function singleHeader(headers: WebhookHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * Parses a verified body as a JSON object.
 * @throws WebhookRejected 415 for another content type, 400 for anything that is no JSON object.
 */
export function parseJsonBody(headers: WebhookHeaders, body: Buffer): Record<string, unknown> {
  const type = singleHeader(headers, 'content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw new WebhookRejected(415, 'expected content type application/json')
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new WebhookRejected(400, 'the body is not JSON', { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WebhookRejected(400, 'expected a JSON object')
  }
  return value as Record<string, unknown>
}
