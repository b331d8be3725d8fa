import type { ChangeIdentity, ReviewProject } from '../api/index.ts'
import type { ForgeType, WebhookEvent, WebhookHeaders } from '../forge/forge.ts'

/** What the server needs of the controller: all of it answers from memory. */
export interface WebhookTarget {
  /** Whether this replica acts on what it hears: it leads, and its informers hold everything. */
  accepting(): boolean
  project(namespace: string, name: string): ReviewProject | undefined
  /** Projects whose repository has one of these keys (`repositoryKey` of src/forge). */
  listening(type: ForgeType, keys: readonly string[]): ReviewProject[]
  /** Asks for one change to be looked at; equal requests fold into one. False: the queue is full, nothing was taken. */
  enqueue(project: { namespace: string; name: string }, change: ChangeIdentity): boolean
}

/** A delivery as it came over the wire. */
export interface Delivery {
  type: ForgeType
  headers: WebhookHeaders
  body: Buffer
  /** Any one of these may have signed it. */
  secrets: readonly string[]
}

/** Verifies the raw body, then reads it. @throws WebhookRejected when it is not believed or cannot be read. */
export type ReceiveWebhook = (delivery: Delivery) => Promise<WebhookEvent>
