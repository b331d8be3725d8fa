import type { ReviewProject } from '../api/index.ts'
import { type Mask, maskFor } from '../feedback/index.ts'
import { ForgeError } from '../forge/errors.ts'
import type { Forge, ForgeOptions, Forges, GitCredential, WebhookLog } from '../forge/forge.ts'
import type { KubeClient } from '../kube/client.ts'
import { KubeError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/types.ts'
import type { Clock } from '../util/clock.ts'
import { type Credential, credentialKey } from '../util/credential.ts'
import { type InstallationApp, mayUseApp } from './app-grants.ts'
import { CredentialError, credentialOf } from './credential-secret.ts'

/** A project's forge, and what goes with its credential. */
export interface ProjectForge {
  forge: Forge
  /** Equal for equal credentials at one host; does not give the credential away. */
  credential: string
  /** Takes the credential out of any text. */
  mask: Mask
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
  readonly #app: InstallationApp | undefined
  readonly #secrets = new Map<string, { at: number; credential: Promise<Credential | undefined> }>()

  /** @param app the installation's own GitHub App, for projects without a credential of their own */
  constructor(kube: Pick<KubeClient, 'get'>, forges: Forges, clock: Clock, app?: InstallationApp) {
    this.#kube = kube
    this.#forges = forges
    this.#clock = clock
    this.#app = app
  }

  /**
   * The forge of a project.
   * @throws CredentialError when its Secret cannot be read; InvalidInputError when its URL is no repository's
   */
  async of(project: ReviewProject): Promise<ProjectForge> {
    const options = await this.#options(project)
    const { url, apiUrl, credential } = options
    const forge = this.#forges.get(options)
    const { token, password, identity, app } = credential ?? {}
    const secrets = [token, password, identity, app?.privateKey].filter(value => value !== undefined)
    const host = apiUrl ?? (URL.canParse(url) ? new URL(url).host : url)
    return { forge, credential: `${host} ${credentialKey(credential)}`, mask: maskFor(secrets) }
  }

  /** What opens the project's repository for Git; undefined: anonymous. @throws CredentialError, ForgeError */
  async gitCredential(project: ReviewProject): Promise<Credential | undefined> {
    return (await this.#forges.gitCredential(await this.#options(project))).credential
  }

  /**
   * A Git credential made of the project's GitHub App, with at least `margin` milliseconds left; undefined when the
   * project uses none. @throws CredentialError, ForgeError
   */
  async appGitCredential(project: ReviewProject, margin: number): Promise<GitCredential | undefined> {
    const options = await this.#options(project)
    return options.credential?.app === undefined ? undefined : this.#forges.gitCredential(options, margin)
  }

  /** What that credential is made of, as its `origin`, without making one. @throws CredentialError */
  async appGitOrigin(project: ReviewProject): Promise<string | undefined> {
    return this.#forges.gitOrigin(await this.#options(project))
  }

  /** The webhooks whose deliveries the project's credential may see. @throws CredentialError */
  async webhooks(project: ReviewProject): Promise<WebhookLog | undefined> {
    return this.#forges.webhooks(await this.#options(project))
  }

  /** A Secret as a Git credential; `field` is what names it. @throws CredentialError */
  async secret(namespace: string, name: string, field: string): Promise<Credential> {
    const credential = await this.#credential(namespace, name, field)
    if (credential !== undefined && credential.app === undefined) return credential
    throw noCredential(namespace, name, 'token, password and identity')
  }

  /** Reads a project's Secret again at its next use, if this error says that the credential is no good. */
  noteFailure(project: ReviewProject, error: unknown): void {
    if (!(error instanceof ForgeError)) return
    if (error.kind !== 'unauthorized' && error.kind !== 'forbidden' && error.kind !== 'notFound') return
    const name = project.spec.source.forge.secretRef?.name
    const forgotten = this.#options(project).then(options => this.#forges.forget(options))
    // What cannot be read now is read anew anyway.
    forgotten.catch(() => undefined)
    if (name !== undefined) this.#secrets.delete(`${project.metadata.namespace}/${name}`)
  }

  /** The project's own credential, else the installation's App where it is granted, else none. */
  async #options(project: ReviewProject): Promise<ForgeOptions> {
    const { url, forge } = project.spec.source
    const { namespace } = project.metadata
    const name = forge.secretRef?.name
    const own = name === undefined ? undefined : await this.#credential(namespace, name, 'spec.source.forge.secretRef')
    const granted = own === undefined && this.#app !== undefined && mayUseApp(this.#app, project)
    if (own === undefined && name !== undefined && !granted) {
      throw noCredential(namespace, name, 'token, password, identity and appId')
    }
    if (own?.app !== undefined && forge.type !== 'github') {
      const message = `Secret ${namespace}/${name} has a GitHub App, which needs spec.source.forge.type github`
      throw new CredentialError('SecretInvalid', message)
    }
    const credential = granted && this.#app !== undefined ? { app: this.#app.app } : own
    return {
      type: forge.type,
      url,
      ...(forge.apiUrl === undefined ? {} : { apiUrl: forge.apiUrl }),
      ...(credential === undefined ? {} : { credential }),
    }
  }

  #credential(namespace: string, name: string, field: string): Promise<Credential | undefined> {
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

  async #read(namespace: string, name: string, field: string): Promise<Credential | undefined> {
    let secret: Secret | undefined
    try {
      secret = await this.#kube.get<Secret>({ apiVersion: 'v1', kind: 'Secret', namespace, name })
    } catch (cause) {
      if (!(cause instanceof KubeError && cause.isForbidden)) throw cause
      const message = `the controller may not read Secret ${namespace}/${name} (${field})`
      throw new CredentialError('SecretForbidden', message, { cause })
    }
    if (secret !== undefined) return credentialOf(secret.data ?? {}, `Secret ${namespace}/${name}`)
    throw new CredentialError('SecretMissing', `Secret ${namespace}/${name} does not exist (${field})`)
  }
}

function noCredential(namespace: string, name: string, keys: string): CredentialError {
  return new CredentialError('SecretInvalid', `Secret ${namespace}/${name} has none of the keys ${keys}`)
}
