import { randomBytes } from 'node:crypto'
import type { Clock } from '../util/clock.ts'

/** Longest list of secrets tried for one delivery: enough for a rotation, too few to burn time. */
const maxSecrets = 10

/** How long secrets are reused, in milliseconds: a rotated one is believed after this at the latest. */
const freshMilliseconds = 5_000

/** Lists of secrets kept at once. */
const maxCached = 1_000

/** Secrets of a text: one per line, blank lines and surrounding blanks dropped, at most ten. */
export function splitSecrets(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '')
    .slice(0, maxSecrets)
}

/** Reads secrets as text, one per line; undefined when there are none. */
export type ReadSecrets = () => Promise<string | undefined>

interface Entry {
  at: number
  secrets: Promise<string[]>
}

/** Keeps secrets for five seconds, so that a flood of deliveries costs one read. */
export class SecretCache {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The secrets known under `key`, read if they are not fresh. @throws what `read` throws. */
  get(key: string, read: ReadSecrets): Promise<string[]> {
    const now = this.#clock.now()
    const entry = this.#entries.get(key)
    if (entry && now - entry.at < freshMilliseconds) return entry.secrets
    const secrets = read().then(text => splitSecrets(text ?? ''))
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
