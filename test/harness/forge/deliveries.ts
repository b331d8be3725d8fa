import { createHmac, randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { setTimeout } from 'node:timers/promises'

/** Where events go, and with which secret they are signed. */
export interface Hook {
  url: string
  secret: string
  /** Tells webhooks apart; events of one that has none cannot be looked up. */
  id?: number
}

/** One time that a delivery was tried. */
export interface Attempt {
  id: number
  /** Milliseconds since the epoch. */
  at: number
  /** 0 if there was no answer. */
  status: number
  redelivery: boolean
}

/** One event sent (or held, or dropped) to one hook. */
export interface Delivery {
  id: string
  event: string
  action?: string
  hook: Hook
  body: string
  /** Answers, one per time it was sent; 0 if there was none. */
  statuses: number[]
  /** The same with ids and times, as GitHub keeps them. */
  attempts: Attempt[]
}

/** Sends events to hooks as GitHub does: at least once, in no certain order; tests decide how badly. */
export class Deliveries {
  /** Everything so far, oldest first; the last 10,000. */
  readonly log: Delivery[] = []
  /** Times each delivery is sent. */
  copies = 1
  /** Milliseconds before each delivery is sent. */
  delay = 0
  /** Deliveries for which this is true are lost. */
  drop: (delivery: Delivery) => boolean = () => false
  /** Webhooks of Apps that hear of an event in a repository. */
  appHooks: (fullName: string, event: string) => readonly Hook[] = () => []
  /** Clock of the attempts. */
  now: () => number = Date.now
  #attempts = 1_000
  /** Signs with this instead of the hook's secret. */
  secret: string | undefined
  #held: Delivery[] | undefined
  readonly #pending = new Set<Promise<void>>()

  /** Sends one event to the hooks; does not wait for the answers. */
  emit(hooks: readonly Hook[], event: string, payload: Record<string, unknown>): void {
    const action = typeof payload.action === 'string' ? { action: payload.action } : {}
    for (const hook of hooks) {
      const delivery: Delivery = {
        id: randomUUID(),
        event,
        ...action,
        hook,
        body: JSON.stringify(payload),
        statuses: [],
        attempts: [],
      }
      this.log.push(delivery)
      if (this.log.length > 10_000) this.log.shift()
      if (this.drop(delivery)) continue
      if (this.#held) this.#held.push(delivery)
      else for (let copy = 0; copy < this.copies; copy++) void this.redeliver(delivery)
    }
  }

  /** Sends the delivery (again). */
  redeliver(delivery: Delivery): Promise<void> {
    const wait = this.delay > 0 ? setTimeout(this.delay) : Promise.resolve()
    const sent = wait
      .then(() => send(delivery, this.secret ?? delivery.hook.secret))
      .then(status => {
        const redelivery = delivery.attempts.length > 0
        delivery.attempts.push({ id: ++this.#attempts, at: this.now(), status, redelivery })
        delivery.statuses.push(status)
      })
    this.#pending.add(sent)
    void sent.finally(() => this.#pending.delete(sent))
    return sent
  }

  /** Keeps deliveries back until `release`. */
  hold(): void {
    this.#held ??= []
  }

  /** Sends what was held, one after the other, in the order that `order` makes of it. */
  async release(order: (held: Delivery[]) => Delivery[] = held => held): Promise<void> {
    const held = this.#held ?? []
    this.#held = undefined
    for (const delivery of order(held)) {
      for (let copy = 0; copy < this.copies; copy++) await this.redeliver(delivery)
    }
  }

  /** Resolves when everything sent so far has been answered. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }
}

/** Headers of a signed delivery, for tests that send their own. */
export function deliveryHeaders(
  event: string,
  body: string | Buffer,
  secret: string,
  id: string = randomUUID(),
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/fake',
    'x-github-event': event,
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  }
}

function send(delivery: Delivery, secret: string): Promise<number> {
  const body = Buffer.from(delivery.body)
  return new Promise(resolve => {
    const outgoing = httpRequest(
      delivery.hook.url,
      {
        method: 'POST',
        headers: { ...deliveryHeaders(delivery.event, body, secret, delivery.id), 'content-length': body.length },
        timeout: 10_000,
      },
      response => {
        response.resume()
        response.on('close', () => resolve(response.statusCode ?? 0))
      },
    )
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', () => resolve(0))
    outgoing.end(body)
  })
}
