import { generateKeyPairSync, type KeyObject, randomBytes, verify } from 'node:crypto'
import { type Answer, problem } from './answer.ts'
import type { Hook } from './deliveries.ts'
import { userId } from './model.ts'
import { type Access, type Grants, needOf } from './permissions.ts'
import { userShape } from './shapes.ts'

/** How an App is registered. */
export interface AppOptions {
  permissions?: Grants
  events?: string[]
  hook?: { url: string; secret: string }
}

/** An installation of an App on an account. */
export interface FakeInstallation {
  id: number
  account: string
  /** Full names; `all` of the account's. */
  repositories: string[] | 'all'
  /** What was granted; an account accepts new permissions of an App later than it asks for them. */
  permissions: Grants
  suspended: boolean
}

interface Token {
  app: FakeApp
  installation: FakeInstallation
  expiresAt: number
  repositories: string[] | 'all'
  permissions: Grants
}

/** Who sends a request. */
export type Caller = { app: FakeApp } | { token: Token }

/** A GitHub App of the stand-in. */
export class FakeApp {
  readonly id: number
  readonly slug: string
  /** PKCS#1, as GitHub hands it out. */
  readonly privateKey: string
  readonly publicKey: KeyObject
  permissions: Grants
  events: string[]
  hook: Hook | undefined
  readonly installations: FakeInstallation[] = []

  constructor(slug: string, options: AppOptions) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.id = userId(slug)
    this.slug = slug
    this.privateKey = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    this.publicKey = publicKey
    this.permissions = { ...options.permissions }
    this.events = [...(options.events ?? [])]
    this.hook = options.hook && { ...options.hook, id: this.id }
  }

  /** Installs it on an account, with all that it asks for. */
  install(account: string, repositories: string[] | 'all' = 'all', permissions = this.permissions): FakeInstallation {
    const id = userId(`${this.slug} on ${account}`)
    const installation = { id, account, repositories, permissions: { ...permissions }, suspended: false }
    this.installations.push(installation)
    return installation
  }

  /** Takes it off an account. */
  uninstall(account: string): void {
    const at = this.installations.findIndex(each => each.account === account)
    if (at >= 0) this.installations.splice(at, 1)
  }
}

/** The Apps of the stand-in: who they are, where they are installed, and the tokens that they were given. */
export class FakeApps {
  /** Milliseconds that a token lives. */
  tokenLifetime = 60 * 60_000
  /** Every token that was made, newest last. */
  readonly created: { token: string; account: string; repositories: string[] | 'all'; permissions: Grants }[] = []
  readonly #apps: FakeApp[] = []
  readonly #tokens = new Map<string, Token>()
  readonly #origin: () => string
  readonly #now: () => number

  constructor(origin: () => string, now: () => number) {
    this.#origin = origin
    this.#now = now
  }

  /** Registers an App. */
  create(slug: string, options: AppOptions = {}): FakeApp {
    const app = new FakeApp(slug, options)
    this.#apps.push(app)
    return app
  }

  /** Makes every token that was given out invalid. */
  revokeTokens(): void {
    this.#tokens.clear()
  }

  /** Webhooks of Apps that hear of this event in this repository. */
  hooksFor(fullName: string, event: string): Hook[] {
    return this.#apps.flatMap(app => {
      const installed = app.installations.some(each => !each.suspended && covers(each.repositories, fullName, each))
      return app.hook && installed && app.events.includes(event) ? [app.hook] : []
    })
  }

  /** Reads an `Authorization` header; `unknown` for one that is no App's. */
  callerOf(header: string | undefined): Caller | 'unknown' | 'refused' {
    const value = /^(?:bearer|token) (\S+)$/i.exec(header ?? '')?.[1] ?? ''
    if (value.split('.').length === 3) {
      const app = this.#verify(value)
      return app === undefined ? 'refused' : { app }
    }
    return value.startsWith('ghs_') ? (this.#callerWith(value) ?? 'refused') : 'unknown'
  }

  /** Whether a password opens a repository for Git. */
  opens(password: string, fullName: string): boolean {
    const caller = this.#callerWith(password)
    if (caller === undefined) return false
    const { repositories, permissions, installation } = caller.token
    return covers(repositories, fullName, installation) && permissions.contents !== undefined
  }

  /** What an installation's token may not do; undefined if it may. */
  refusal({ app, ...token }: Token, method: string, fullName: string, path: string): Answer | undefined {
    if (!covers(token.repositories, fullName, token.installation)) return problem(404, 'Not Found')
    const need = needOf(method, path)
    const allowed = need !== undefined && reaches(token.permissions[need.name], need.access)
    return allowed ? undefined : problem(403, `Resource not accessible by integration ${app.slug}`)
  }

  /** Login of the account that acts for a token. */
  loginOf({ app }: Token): string {
    return `${app.slug}[bot]`
  }

  /** Routes that take a JWT, but for deliveries. */
  route(app: FakeApp, method: string, path: string, body: unknown): Answer {
    if (method === 'GET' && path === '/app') return { status: 200, body: this.#appShape(app) }
    if (method === 'GET' && path === '/app/hook/config') {
      const config = { content_type: 'json', insecure_ssl: '0', secret: '********', url: app.hook?.url ?? '' }
      return { status: 200, body: config }
    }
    const [, owner = '', name = ''] = /^\/repos\/([^/]+)\/([^/]+)\/installation$/.exec(path) ?? []
    const [, id, tokens] = /^\/app\/installations\/(\d+)(\/access_tokens)?$/.exec(path) ?? []
    const installation = app.installations.find(each =>
      id === undefined ? covers(each.repositories, `${owner}/${name}`, each) : String(each.id) === id,
    )
    if (installation === undefined) return problem(404, 'Not Found')
    if (method === 'POST' && tokens !== undefined) return this.#createToken(app, installation, body)
    return method === 'GET'
      ? { status: 200, body: this.#installationShape(app, installation) }
      : problem(404, 'Not Found')
  }

  #createToken(app: FakeApp, installation: FakeInstallation, body: unknown): Answer {
    const asked = (body ?? {}) as { repositories?: string[]; permissions?: Grants }
    const repositories = asked.repositories?.map(name => `${installation.account}/${name}`) ?? installation.repositories
    const outside =
      repositories !== 'all' && repositories.some(name => !covers(installation.repositories, name, installation))
    const permissions = asked.permissions ?? installation.permissions
    const beyond = Object.entries(permissions).some(
      ([name, access]) => !reaches(installation.permissions[name], access),
    )
    if (installation.suspended) return problem(403, 'This installation has been suspended')
    if (outside || beyond) return problem(422, 'The permissions requested are not granted to this installation.')
    const token = `ghs_${randomBytes(18).toString('hex')}`
    const expiresAt = this.#now() + this.tokenLifetime
    this.#tokens.set(token, { app, installation, expiresAt, repositories, permissions: { ...permissions } })
    this.created.push({ token, account: installation.account, repositories, permissions })
    const expires = new Date(expiresAt).toISOString().replace(/\.\d+Z$/, 'Z')
    const selection = installation.repositories === 'all' ? 'all' : 'selected'
    return { status: 201, body: { token, expires_at: expires, permissions, repository_selection: selection } }
  }

  #callerWith(value: string): { token: Token } | undefined {
    const token = this.#tokens.get(value)
    const alive = token !== undefined && token.expiresAt > this.#now() && !token.installation.suspended
    return alive && token.app.installations.includes(token.installation) ? { token } : undefined
  }

  /** RS256, issued in the past, and for at most ten minutes. */
  #verify(jwt: string): FakeApp | undefined {
    const [head = '', payload = '', signature = ''] = jwt.split('.')
    const decode = (text: string) =>
      JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Record<string, unknown>
    const { alg } = decode(head)
    const { iss, iat, exp } = decode(payload)
    const app = this.#apps.find(({ id }) => String(iss) === String(id))
    const now = this.#now() / 1000
    const timely = Number(iat) <= now && Number(exp) > now && Number(exp) - Number(iat) <= 600
    if (app === undefined || alg !== 'RS256' || !timely) return undefined
    const signed = Buffer.from(`${head}.${payload}`)
    return verify('sha256', signed, app.publicKey, Buffer.from(signature, 'base64url')) ? app : undefined
  }

  #appShape(app: FakeApp): Record<string, unknown> {
    return {
      id: app.id,
      slug: app.slug,
      node_id: `A_${app.id}`,
      client_id: `Iv1.${app.id}`,
      owner: userShape(this.#origin(), 'acme'),
      name: app.slug,
      description: null,
      external_url: 'https://offshoot.example.com',
      html_url: `${this.#origin()}/apps/${app.slug}`,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
      permissions: app.permissions,
      events: app.events,
      installations_count: app.installations.length,
    }
  }

  #installationShape(app: FakeApp, installation: FakeInstallation): Record<string, unknown> {
    const url = `${this.#origin()}/api/v3/app/installations/${installation.id}`
    return {
      id: installation.id,
      account: userShape(this.#origin(), installation.account),
      access_tokens_url: `${url}/access_tokens`,
      repositories_url: `${this.#origin()}/api/v3/installation/repositories`,
      html_url: `${this.#origin()}/organizations/${installation.account}/settings/installations/${installation.id}`,
      app_id: app.id,
      target_id: userId(installation.account),
      target_type: 'Organization',
      permissions: installation.permissions,
      events: app.events,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
      single_file_name: null,
      repository_selection: installation.repositories === 'all' ? 'all' : 'selected',
      app_slug: app.slug,
      suspended_at: installation.suspended ? '2026-02-01T00:00:00Z' : null,
      suspended_by: null,
    }
  }
}

function covers(repositories: string[] | 'all', fullName: string, { account }: FakeInstallation): boolean {
  const name = fullName.toLowerCase()
  if (!name.startsWith(`${account.toLowerCase()}/`)) return false
  return repositories === 'all' || repositories.some(each => each.toLowerCase() === name)
}

function reaches(granted: Access | undefined, needed: Access): boolean {
  const ranks: Access[] = ['read', 'write', 'admin']
  return granted !== undefined && ranks.indexOf(granted) >= ranks.indexOf(needed)
}
