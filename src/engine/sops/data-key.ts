import { createHash } from 'node:crypto'
import { LruMap } from '../../util/lru.ts'
import { EngineError } from '../errors.ts'
import type { RemoteHost } from '../vars/remote/direct.ts'
import { type AgeIdentities, ageIdentities, openAge } from './keys/age.ts'
import { openAzure, openGcpKms, openKms, openVault, wordsOf } from './keys/cloud.ts'
import { openPgp } from './keys/pgp.ts'
import { groupsOf, type KeyGroup, type Metadata } from './metadata.ts'
import { combine } from './shamir.ts'

interface Recipient {
  /** As people know it: `age age1…`. */
  readonly name: string
  open(signal: AbortSignal): Promise<Uint8Array>
}

const maxRecipients = 200

/** Opens data keys and remembers them, so that a project with many files of one key asks a KMS once per file key. */
export class DataKeys {
  readonly #host: RemoteHost
  readonly #known = new LruMap<string, Uint8Array>(256)
  #identities: Promise<AgeIdentities> | undefined

  constructor(host: RemoteHost) {
    this.#host = host
  }

  /** @throws EngineError that names the recipients and what was tried for each */
  async open(metadata: Metadata, signal: AbortSignal): Promise<Uint8Array> {
    const groups = groupsOf(metadata)
    const id = createHash('sha256').update(JSON.stringify(groups)).digest('hex')
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const key = await this.#find(groups, metadata.shamir_threshold, signal)
    if (key.length !== 32) throw new EngineError('the data key of the file has a wrong length')
    this.#known.set(id, key)
    return key
  }

  async #find(groups: readonly KeyGroup[], threshold: number, signal: AbortSignal): Promise<Uint8Array> {
    const needed = groups.length > 1 ? threshold || groups.length : 1
    const parts: Uint8Array[] = []
    const tried: string[] = []
    for (const group of groups) {
      if (parts.length === needed) break
      const part = await this.#openGroup(group, tried, signal)
      if (part !== undefined) parts.push(part)
    }
    const [only] = parts
    if (parts.length < needed || only === undefined) throw noKey(tried, groups.length, needed)
    return groups.length > 1 ? combine(parts) : only
  }

  async #openGroup(group: KeyGroup, tried: string[], signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (const recipient of this.#recipients(group).slice(0, maxRecipients)) {
      try {
        return await recipient.open(signal)
      } catch (error) {
        signal.throwIfAborted()
        tried.push(`${recipient.name}: ${wordsOf(error)}`)
      }
    }
    return undefined
  }

  /** Those that need no network first. */
  #recipients(group: KeyGroup): Recipient[] {
    const host = this.#host
    return [
      ...group.age.map(key => ({
        name: `age ${key.recipient}`,
        open: (signal: AbortSignal) => this.#openAge(key.enc, signal),
      })),
      ...group.pgp.map(key => ({
        name: `pgp ${key.fp}`,
        open: (signal: AbortSignal) => openPgp(key.enc, host.environment, signal),
      })),
      ...group.kms.map(key => ({ name: `kms ${key.arn}`, open: (signal: AbortSignal) => openKms(key, host, signal) })),
      ...group.gcp_kms.map(key => ({
        name: `gcp_kms ${key.resource_id}`,
        open: (signal: AbortSignal) => openGcpKms(key, host, signal),
      })),
      ...group.azure_kv.map(key => ({
        name: `azure_kv ${key.vault_url}/keys/${key.name}`,
        open: (signal: AbortSignal) => openAzure(key, host, signal),
      })),
      ...group.hc_vault.map(key => ({
        name: `hc_vault ${key.vault_address}/v1/${key.engine_path}/keys/${key.key_name}`,
        open: (signal: AbortSignal) => openVault(key, host, signal),
      })),
    ]
  }

  async #openAge(armored: string, signal: AbortSignal): Promise<Uint8Array> {
    this.#identities ??= ageIdentities(this.#host.environment, signal)
    return openAge(armored, await this.#identities)
  }
}

/** No recipient of a file could be used; the message says what was tried. */
export class NoKeyError extends EngineError {
  override readonly name = 'NoKeyError'
}

function noKey(tried: readonly string[], groups: number, needed: number): EngineError {
  const what = groups > 1 ? `${needed} of its ${groups} key groups` : 'one of its recipients'
  if (tried.length === 0) return new EngineError('the file has no recipients')
  return new NoKeyError(`there is no key for it; it needs ${what}:\n${tried.map(line => `- ${line}`).join('\n')}`)
}
