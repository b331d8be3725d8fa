import { readGitEvent } from './bare-git/webhook.ts'
import type { ForgeType, WebhookEvent, WebhookHeaders } from './forge.ts'
import { readGitHubEvent } from './github/webhook.ts'
import { verifySignature } from './signature.ts'

/** A delivery as it came over the wire. */
export interface WebhookDelivery {
  type: ForgeType
  headers: WebhookHeaders
  /** Bytes exactly as received. */
  body: Buffer
  /** Any one of these may have signed it: that is how a secret is rotated. */
  secrets: readonly string[]
}

const readers: Record<ForgeType, (headers: WebhookHeaders, body: Buffer) => WebhookEvent> = {
  github: readGitHubEvent,
  git: readGitEvent,
}

/**
 * Verifies the raw body, and only then reads it. An event Offshoot does not act on is `ignored`, not refused.
 * @throws WebhookRejected when it is not believed or cannot be read.
 */
export async function receiveWebhook({ type, headers, body, secrets }: WebhookDelivery): Promise<WebhookEvent> {
  verifySignature(headers, body, secrets)
  return readers[type](headers, body)
}
