import type { ChangeIdentity, ReviewProject } from '../api/index.ts'
import type { ForgeType, WebhookDelivery, WebhookEvent } from '../forge/index.ts'

/** Another replica that leads. */
export interface OtherLeader {
  identity: string
  url: string
}

/** What the server needs of the controller: all of it answers from memory. */
export interface WebhookTarget {
  /** Whether this replica acts on what it hears: it leads, and its informers hold everything. */
  accepting(): boolean
  /** This replica's name among those that take turns; undefined when it takes none. */
  identity(): string | undefined
  /** The replica that acts on deliveries, and its `http://host:port`; undefined when that is this one, or not known. */
  otherLeader(): OtherLeader | undefined
  project(namespace: string, name: string): ReviewProject | undefined
  /** Projects whose repository has one of these keys (`repositoryKey` of src/forge). */
  listening(type: ForgeType, keys: readonly string[]): ReviewProject[]
  /** Asks for one change to be looked at; equal requests fold into one. False: the queue is full, nothing was taken. */
  enqueue(project: { namespace: string; name: string }, change: ChangeIdentity): boolean
}

/** Verifies the raw body, then reads it. @throws WebhookRejected when it is not believed or cannot be read. */
export type ReceiveWebhook = (delivery: WebhookDelivery) => Promise<WebhookEvent>

/** Where secrets come from; both are asked again every five seconds at most. */
export interface WebhookSecretSource {
  /** Secrets of the whole installation, one per line: they speak for every project. Undefined: there are none. */
  installation(type: ForgeType): Promise<string | undefined>
  /** `webhookSecret` of a Secret; undefined when the Secret or the key is not there or may not be read. */
  project(namespace: string, secretName: string): Promise<string | undefined>
}
