import { type AppCredential, credentialKey } from '../../util/credential.ts'
import { LruMap } from '../../util/lru.ts'
import { ForgeError } from '../errors.ts'
import type { ForgeDependencies } from '../forge.ts'
import { type AppJwt, signAppJwt } from './app-jwt.ts'
import { AccessToken, AppAnswer, Installation } from './app-schemas.ts'
import { type ClientLimits, GitHubClient, type Tokens } from './client.ts'

/** How long it is believed where an App is installed, in milliseconds; a refusal ends it sooner. */
const installationFresh = 30 * 60_000
/** A token with less than this left is replaced, in milliseconds; GitHub gives them an hour. */
const tokenMargin = 10 * 60_000
/** Installations and tokens kept. */
const maxKept = 5_000

/** A token of an installation. */
export interface AppToken {
  token: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/** Which repository, at the App's GitHub. */
export interface RepositoryName {
  owner: string
  repo: string
}

/**
 * A GitHub App at one GitHub: where it is installed, what it may do there, and tokens, which are made once, shared and
 * replaced before they expire.
 */
export class GitHubApp {
  /** Speaks as the App itself, by JWT. */
  readonly client: GitHubClient
  /** A stable key for what its tokens open; does not give the key away. */
  readonly key: string
  readonly #app: AppCredential
  readonly #clock: ForgeDependencies['clock']
  readonly #installations = new LruMap<string, { at: number; found: Promise<Installation> }>(maxKept)
  readonly #tokens = new LruMap<string, Promise<AppToken>>(maxKept)
  #jwt: AppJwt | undefined

  constructor(
    apiUrl: string,
    app: AppCredential,
    dependencies: Pick<ForgeDependencies, 'clock' | 'logger' | 'observe'>,
    limits: Partial<ClientLimits> = {},
  ) {
    this.#app = app
    this.#clock = dependencies.clock
    this.key = credentialKey({ app })
    const authorization = async () => `bearer ${this.#sign()}`
    const tokens: Tokens = { authorization, refused: () => this.#signAnew() }
    this.client = new GitHubClient({ apiUrl, tokens, limits }, dependencies)
  }

  /** What the App is and asks for. @throws ForgeError `unauthorized` if id and key do not belong together */
  async about(signal?: AbortSignal): Promise<AppAnswer> {
    return (await this.client.read('/app', {}, AppAnswer, signal)).data
  }

  /**
   * The installation that covers a repository.
   * @throws ForgeError `notFound` if there is none, `forbidden` if it is suspended
   */
  async installation(name: RepositoryName): Promise<Installation> {
    const key = keyOf(name)
    const known = this.#installations.get(key)
    const now = this.#clock.now()
    if (known !== undefined && now - known.at < installationFresh) return known.found
    const found = this.#find(name)
    this.#installations.set(key, { at: now, found })
    found.catch(() => this.#forgetInstallation(key, found))
    return found
  }

  /** A token for all that the App may do where this repository is. @throws ForgeError */
  async token(name: RepositoryName): Promise<AppToken> {
    const { id } = await this.installation(name)
    return this.#cached(String(id), tokenMargin, () => this.#create(id, {}))
  }

  /**
   * A token that reads the contents of this one repository and can do nothing else.
   * @param margin replaces a token with less than this left, in milliseconds
   */
  async gitToken(name: RepositoryName, margin = tokenMargin): Promise<AppToken> {
    const { id } = await this.installation(name)
    const scope = { repositories: [name.repo], permissions: { contents: 'read' } }
    return this.#cached(`${id} ${keyOf(name)}`, margin, () => this.#create(id, scope))
  }

  /** Credentials for requests about one repository. */
  tokensFor(name: RepositoryName): Tokens {
    return {
      authorization: async () => `token ${(await this.token(name)).token}`,
      refused: () => {
        // It was taken back, or the App was removed and installed anew.
        const known = this.#installations.get(keyOf(name))
        if (known !== undefined) this.forget(name)
        return known !== undefined
      },
    }
  }

  /** Asks anew where the App is installed, and for new tokens: a refusal says that something changed. */
  forget(name: RepositoryName): void {
    const key = keyOf(name)
    const known = this.#installations.get(key)
    if (known === undefined) return
    this.#installations.delete(key)
    known.found.then(
      ({ id }) => {
        this.#tokens.delete(String(id))
        this.#tokens.delete(`${id} ${key}`)
      },
      () => undefined,
    )
  }

  #sign(): string {
    if (this.#jwt === undefined || this.#clock.now() >= this.#jwt.renewAt) {
      this.#jwt = signAppJwt(this.#app, this.#clock.now())
    }
    return this.#jwt.token
  }

  /** Where this machine's clock is behind, a JWT ends before it seems to. True if the one refused was not brand new. */
  #signAnew(): boolean {
    const used = this.#jwt
    this.#jwt = undefined
    return used !== undefined && this.#clock.now() - used.signedAt > 1_000
  }

  async #find(name: RepositoryName): Promise<Installation> {
    const { installationId } = this.#app
    const found = await this.#ask(name, installationId)
    const owner = found.account?.login
    if (installationId !== undefined && owner?.toLowerCase() !== name.owner.toLowerCase()) {
      const message = `installation ${installationId} of the GitHub App belongs to ${owner ?? 'nobody'}, not to ${name.owner}`
      throw new ForgeError('forbidden', message)
    }
    if (found.suspended_at == null) return found
    throw new ForgeError('forbidden', `the GitHub App's installation for ${name.owner} is suspended: ${found.html_url}`)
  }

  async #ask({ owner, repo }: RepositoryName, installationId: string | undefined): Promise<Installation> {
    const one = { installation_id: installationId ?? '' }
    const asked: [string, Record<string, string>] =
      installationId === undefined
        ? ['/repos/{owner}/{repo}/installation', { owner, repo }]
        : ['/app/installations/{installation_id}', one]
    try {
      return (await this.client.read(...asked, Installation)).data
    } catch (error) {
      if (!(error instanceof ForgeError) || error.kind !== 'notFound') throw error
      const which = installationId === undefined ? '' : ` (installation ${installationId})`
      const message = `the GitHub App ${this.#app.id} is not installed on ${owner}/${repo}${which}, or may not see it`
      throw new ForgeError('notFound', message, { cause: error, status: 404 })
    }
  }

  async #create(id: number, scope: Record<string, unknown>): Promise<AppToken> {
    const route = '/app/installations/{installation_id}/access_tokens'
    const { token, expires_at } = await this.client.write('POST', route, { installation_id: id, ...scope }, AccessToken)
    return { token, expiresAt: Date.parse(expires_at) }
  }

  /** One request for all who ask at the same time; not cut off with the first of them. */
  async #cached(key: string, margin: number, create: () => Promise<AppToken>): Promise<AppToken> {
    const known = this.#tokens.get(key)
    if (known !== undefined) {
      const { expiresAt } = await known
      if (expiresAt - this.#clock.now() > margin) return known
      // Who asked at the same time may have replaced it by now.
      const newer = this.#tokens.get(key)
      if (newer !== undefined && newer !== known) return newer
    }
    const created = create()
    this.#tokens.set(key, created)
    created.catch(() => {
      if (this.#tokens.get(key) === created) this.#tokens.delete(key)
    })
    return created
  }

  #forgetInstallation(key: string, found: Promise<Installation>): void {
    if (this.#installations.get(key)?.found === found) this.#installations.delete(key)
  }
}

/** GitHub does not tell upper from lower case. */
function keyOf({ owner, repo }: RepositoryName): string {
  return `${owner}/${repo}`.toLowerCase()
}
