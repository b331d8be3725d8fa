import type { ReviewProject } from '../api/index.ts'
import { type Mask, maskFor } from '../feedback/index.ts'
import { ForgeError } from '../forge/errors.ts'
import type { Forge, ForgeOptions, Forges } from '../forge/forge.ts'
import type { KubeClient } from '../kube/client.ts'
import { KubeError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/types.ts'
import type { Clock } from '../util/clock.ts'
import { type Credential, credentialKey } from '../util/credential.ts'
import { OffshootError } from '../util/errors.ts'

/** A project's forge, and what goes with its credential. */
export interface ProjectForge {
  forge: Forge
  /** Equal for equal credentials at one host; does not give the credential away. */
  credential: string
  /** Takes the credential out of any text. */
  mask: Mask
}

/** A project's credential cannot be read. `reason` goes into its condition; worth a retry, since nobody watches Secrets. */
export class CredentialError extends OffshootError {
  override readonly name = 'CredentialError'
  readonly reason: 'SecretMissing' | 'SecretForbidden' | 'SecretInvalid'

  constructor(reason: CredentialError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

type Secret = KubeObject & { data?: Record<string, string> }

/** How long a Secret is reused, in milliseconds: a rotated token is used after this at the latest. */
const freshMilliseconds = 60_000
const maxKept = 2_000

/** Gives projects their forges; the same credential at the same host shares one client, with its limits and caches. */
export class ForgeAccess {
  readonly #kube: Pick<KubeClient, 'get'>
  readonly #forges: Forges
  readonly #clock: Clock
  readonly #secrets = new Map<string, { at: number; credential: Promise<Credential> }>()

  constructor(kube: Pick<KubeClient, 'get'>, forges: Forges, clock: Clock) {
    this.#kube = kube
    this.#forges = forges
    this.#clock = clock
  }

  /**
   * The forge of a project.
   * @throws CredentialError when its Secret cannot be read; InvalidInputError when its URL is no repository's
   */
  async of(project: ReviewProject): Promise<ProjectForge> {
    const options = await this.#options(project)
    const { url, apiUrl, credential } = options
    const forge = this.#forges.get(options)
    const { token, password, identity } = credential ?? {}
    const secrets = [token, password, identity].filter(value => value !== undefined)
    const host = apiUrl ?? (URL.canParse(url) ? new URL(url).host : url)
    return { forge, credential: `${host} ${credentialKey(credential)}`, mask: maskFor(secrets) }
  }

  /** What opens the project's repository for Git; undefined: anonymous. @throws CredentialError, ForgeError */
  async gitCredential(project: ReviewProject): Promise<Credential | undefined> {
    return (await this.#forges.gitCredential(await this.#options(project))).credential
  }

  /** A Secret as a Git credential; `field` is what names it. @throws CredentialError */
  secret(namespace: string, name: string, field: string): Promise<Credential> {
    return this.#credential(namespace, name, field)
  }

  /** Reads a project's Secret again at its next use, if this error says that the credential is no good. */
  noteFailure(project: ReviewProject, error: unknown): void {
    const name = project.spec.source.forge.secretRef?.name
    if (name === undefined || !(error instanceof ForgeError)) return
    if (error.kind === 'unauthorized' || error.kind === 'forbidden' || error.kind === 'notFound') {
      this.#secrets.delete(`${project.metadata.namespace}/${name}`)
    }
  }

  async #options({ metadata, spec }: ReviewProject): Promise<ForgeOptions> {
    const { url, forge } = spec.source
    const name = forge.secretRef?.name
    const credential =
      name === undefined ? undefined : await this.#credential(metadata.namespace, name, 'spec.source.forge.secretRef')
    return {
      type: forge.type,
      url,
      ...(forge.apiUrl === undefined ? {} : { apiUrl: forge.apiUrl }),
      ...(credential === undefined ? {} : { credential }),
    }
  }

  #credential(namespace: string, name: string, field: string): Promise<Credential> {
    const key = `${namespace}/${name}`
    const known = this.#secrets.get(key)
    const now = this.#clock.now()
    if (known !== undefined && now - known.at < freshMilliseconds) return known.credential
    const entry = { at: now, credential: this.#read(namespace, name, field) }
    this.#secrets.delete(key)
    this.#secrets.set(key, entry)
    entry.credential.catch(() => {
      if (this.#secrets.get(key) === entry) this.#secrets.delete(key)
    })
    const oldest = this.#secrets.keys().next().value
    if (this.#secrets.size > maxKept && oldest !== undefined) this.#secrets.delete(oldest)
    return entry.credential
  }

  async #read(namespace: string, name: string, field: string): Promise<Credential> {
    let secret: Secret | undefined
    try {
      secret = await this.#kube.get<Secret>({ apiVersion: 'v1', kind: 'Secret', namespace, name })
    } catch (cause) {
      if (!(cause instanceof KubeError && cause.isForbidden)) throw cause
      const message = `the controller may not read Secret ${namespace}/${name} (${field})`
      throw new CredentialError('SecretForbidden', message, { cause })
    }
    if (secret === undefined) {
      const message = `Secret ${namespace}/${name} does not exist (${field})`
      throw new CredentialError('SecretMissing', message)
    }
    const credential = credentialOf(secret.data ?? {})
    if (Object.keys(credential).length === 0) {
      const message = `Secret ${namespace}/${name} has none of the keys token, password and identity`
      throw new CredentialError('SecretInvalid', message)
    }
    return credential
  }
}

function credentialOf(data: Record<string, string>): Credential {
  const text = (key: string) => {
    const value = data[key]
    return value === undefined ? '' : Buffer.from(value, 'base64').toString('utf8')
  }
  const fields = {
    // A file made with an editor ends in a line break, which no token has.
    token: text('token').trim(),
    username: text('username').trim(),
    password: text('password').replace(/\r?\n$/, ''),
    identity: text('identity'),
    knownHosts: text('known_hosts'),
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}
