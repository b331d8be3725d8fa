import { randomBytes } from 'node:crypto'
import type { Clock } from '../util/clock.ts'

/** Longest list of secrets tried for one delivery: enough for a rotation, too few to burn time. */
const maxSecrets = 10

/** How long a project's secrets are reused, in milliseconds: a rotated one is believed after this at the latest. */
const freshMilliseconds = 5_000

/** Projects whose secrets are kept at once. */
const maxCached = 1_000

/** Secrets of a text: one per line, blank lines and surrounding blanks dropped, at most ten. */
export function splitSecrets(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '')
    .slice(0, maxSecrets)
}

/** Reads the key `webhookSecret` of a Secret as text; undefined when the Secret or the key is not there. */
export type ReadWebhookSecret = (namespace: string, name: string) => Promise<string | undefined>

interface Entry {
  at: number
  secrets: Promise<string[]>
}

/** Secrets of projects, read from their namespaces and kept for five seconds, so that a flood costs no requests. */
export class ProjectSecrets {
  readonly #read: ReadWebhookSecret
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(read: ReadWebhookSecret, clock: Clock) {
    this.#read = read
    this.#clock = clock
  }

  /** Secrets in the named Secret; empty when it holds none. @throws what the reader throws. */
  get(namespace: string, name: string): Promise<string[]> {
    const key = `${namespace}/${name}`
    const now = this.#clock.now()
    const entry = this.#entries.get(key)
    if (entry && now - entry.at < freshMilliseconds) return entry.secrets
    const secrets = this.#read(namespace, name).then(text => splitSecrets(text ?? ''))
    this.#entries.delete(key)
    this.#entries.set(key, { at: now, secrets })
    secrets.catch(() => {
      if (this.#entries.get(key)?.secrets === secrets) this.#entries.delete(key)
    })
    const oldest = this.#entries.keys().next().value
    if (this.#entries.size > maxCached && oldest !== undefined) this.#entries.delete(oldest)
    return secrets
  }
}

/** A secret that nobody knows: a delivery for nobody is checked against it, and costs what a real check costs. */
export const nobodysSecrets: readonly string[] = [randomBytes(32).toString('hex')]
