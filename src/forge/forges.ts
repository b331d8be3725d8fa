import { createHash } from 'node:crypto'
import { credentialKey } from '../util/credential.ts'
import { LruMap } from '../util/lru.ts'
import { BareGitForge } from './bare-git/forge.ts'
import type { Forge, ForgeDependencies, ForgeOptions, Forges, GitCredential, WebhookLog } from './forge.ts'
import { checkApiUrl } from './github/api-url.ts'
import { GitHubApp } from './github/app.ts'
import { type ClientLimits, ClientState, clientLimits, fixedToken, GitHubClient } from './github/client.ts'
import { deriveApiUrl, readGitHubUrl } from './github/context.ts'
import { GitHubForge } from './github/forge.ts'
import { appWebhooks, repositoryWebhooks } from './github/webhook-log.ts'

/** Credentials change and projects go: what is no longer asked for is forgotten. */
const maxClients = 1000
const maxForges = 10_000

/**
 * The forges of this process: one client per API and credential, with the rate limit and the answers seen that belong
 * to it; one forge per repository on top. `limits` widens or narrows what a client may do.
 */
export function createForges(dependencies: ForgeDependencies, limits: Partial<ClientLimits> = {}): Forges {
  return new KnownForges(dependencies, limits)
}

class KnownForges implements Forges {
  readonly #dependencies: ForgeDependencies
  readonly #limits: Partial<ClientLimits>
  readonly #clients = new LruMap<string, GitHubClient>(maxClients)
  readonly #apps = new LruMap<string, GitHubApp>(maxClients)
  readonly #states = new LruMap<string, ClientState>(maxClients)
  readonly #forges = new LruMap<string, Forge>(maxForges)

  constructor(dependencies: ForgeDependencies, limits: Partial<ClientLimits>) {
    this.#dependencies = dependencies
    this.#limits = limits
  }

  get(options: ForgeOptions): Forge {
    const { type, url, apiUrl, credential } = options
    const key = JSON.stringify([type, url, apiUrl ?? null, credentialKey(credential)])
    const known = this.#forges.get(key)
    if (known) return known
    const remote = { url, ...(credential ? { credential } : {}) }
    const forge =
      type === 'github'
        ? new GitHubForge(url, this.#client(options), this.#app(options))
        : new BareGitForge(remote, this.#dependencies.git)
    this.#forges.set(key, forge)
    return forge
  }

  async gitCredential(options: ForgeOptions, margin?: number): Promise<GitCredential> {
    const app = this.#app(options)
    if (app === undefined) return options.credential === undefined ? {} : { credential: options.credential }
    const { owner, repo } = readGitHubUrl(options.url)
    const { token, expiresAt } = await app.gitToken({ owner, repo }, margin)
    return { credential: { token, origin: originOf(app, owner, repo) }, expiresAt }
  }

  gitOrigin(options: ForgeOptions): string | undefined {
    const app = this.#app(options)
    if (app === undefined) return undefined
    const { owner, repo } = readGitHubUrl(options.url)
    return originOf(app, owner, repo)
  }

  webhooks(options: ForgeOptions): WebhookLog | undefined {
    if (options.type !== 'github' || options.credential === undefined) return undefined
    const apiUrl = apiUrlOf(options)
    const app = this.#app(options)
    if (app !== undefined) return appWebhooks(JSON.stringify([apiUrl, app.key]), app.client)
    const { owner, repo } = readGitHubUrl(options.url)
    const key = JSON.stringify([apiUrl, owner, repo]).toLowerCase()
    const credential = credentialKey(options.credential)
    return repositoryWebhooks({ key, credential }, this.#client(options), owner, repo)
  }

  forget(options: ForgeOptions): void {
    const app = this.#app(options)
    if (app === undefined) return
    const { owner, repo } = readGitHubUrl(options.url)
    app.forget({ owner, repo })
  }

  #app(options: ForgeOptions): GitHubApp | undefined {
    const app = options.credential?.app
    if (app === undefined || options.type !== 'github') return undefined
    const apiUrl = apiUrlOf(options)
    const key = JSON.stringify([apiUrl, credentialKey(options.credential)])
    const known = this.#apps.get(key) ?? new GitHubApp(apiUrl, app, this.#dependencies, this.#limits)
    this.#apps.set(key, known)
    return known
  }

  #client(options: ForgeOptions): GitHubClient {
    const app = this.#app(options)
    if (app !== undefined) return this.#appClient(options, app)
    const apiUrl = apiUrlOf(options)
    const key = JSON.stringify([apiUrl, credentialKey(options.credential)])
    const token = options.credential?.token ?? options.credential?.password
    const tokens = token === undefined ? {} : { tokens: fixedToken(token) }
    const limits = this.#limits
    const client = this.#clients.get(key) ?? new GitHubClient({ apiUrl, limits, ...tokens }, this.#dependencies)
    this.#clients.set(key, client)
    return client
  }

  /** An account has one installation of an App: its repositories share what GitHub allows. */
  #appClient(options: ForgeOptions, app: GitHubApp): GitHubClient {
    const apiUrl = apiUrlOf(options)
    const { owner, repo } = readGitHubUrl(options.url)
    const key = JSON.stringify([apiUrl, app.key, owner.toLowerCase()])
    const limits = clientLimits(apiUrl, this.#limits)
    const shared = this.#states.get(key) ?? new ClientState(limits, this.#dependencies.clock)
    this.#states.set(key, shared)
    return new GitHubClient({ apiUrl, limits, shared, tokens: app.tokensFor({ owner, repo }) }, this.#dependencies)
  }
}

function originOf({ key }: GitHubApp, owner: string, repo: string): string {
  return createHash('sha256')
    .update(JSON.stringify([key, owner, repo]))
    .digest('hex')
}

function apiUrlOf({ apiUrl, url, credential }: ForgeOptions): string {
  return checkApiUrl(apiUrl ?? deriveApiUrl(url), credential !== undefined)
}
