import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Answer, problem, type RateLimit, send } from './answer.ts'
import { type Caller, FakeApps } from './apps.ts'
import { BareRepository, type Files } from './bare-repository.ts'
import { Deliveries } from './deliveries.ts'
import { type ActiveFault, type Fault, Faults } from './faults.ts'
import { serveGit } from './git-http.ts'
import { HookRoutes } from './hook-routes.ts'
import { type RecordedRequest, userId } from './model.ts'
import { webPage } from './page.ts'
import { FakeRepository } from './repository.ts'
import { routes } from './routes.ts'
import { userShape } from './shapes.ts'

/** How a repository of the stand-in begins. */
export interface RepositoryOptions {
  files?: Files
  defaultBranch?: string
  /** Hidden (404) from requests without a known token. */
  private?: boolean
}

const api = '/api/v3'
const graphql = '/api/graphql'
const maxBody = 5 * 1024 * 1024

/**
 * A Git host in this process that speaks GitHub's REST API (below `/api/v3`, as GitHub Enterprise Server does),
 * Git's smart HTTP protocol and webhooks, on 127.0.0.1.
 */
export class FakeForge {
  readonly deliveries = new Deliveries()
  readonly faults = new Faults()
  /** Set while its Git is away, although its API answers: the status of all answers. */
  gitStatus: number | undefined
  readonly apps: FakeApps
  /** Requests to the API, oldest first; the last 100,000. */
  readonly requests: RecordedRequest[] = []
  /** Token to login of the accounts. */
  readonly accounts = new Map([['fake-token', 'offshoot[bot]']])
  readonly rateLimit: RateLimit = { limit: 5000, remaining: 5000, reset: Math.floor(Date.now() / 1000) + 3600 }
  readonly #repositories = new Map<string, FakeRepository>()
  readonly #hookRoutes: HookRoutes
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #folder: string
  readonly #now: () => number

  constructor(folder: string, now: () => number) {
    this.#folder = folder
    this.#now = now
    this.deliveries.now = now
    this.apps = new FakeApps(() => this.origin, now)
    this.deliveries.appHooks = (fullName, event) => this.apps.hooksFor(fullName, event)
    this.#hookRoutes = new HookRoutes(this.deliveries, () => this.apiUrl)
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(error => {
        if (!response.headersSent) response.writeHead(500)
        response.end(String(error))
      })
    })
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** `http://127.0.0.1:port` */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get apiUrl(): string {
    return `${this.origin}${api}`
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
  }

  /** Ends the server, its connections and its folder. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** Creates a repository with a first commit. */
  async createRepository(fullName: string, options: RepositoryOptions = {}): Promise<FakeRepository> {
    const { defaultBranch = 'main', files = { 'README.md': `# ${fullName}\n` } } = options
    const hidden = options.private ?? false
    const place = { origin: this.origin, fullName, id: userId(fullName), defaultBranch, private: hidden }
    const git = new BareRepository(join(this.#folder, `${fullName}.git`))
    const repository = new FakeRepository(place, git, this.deliveries, this.#now)
    await repository.start(files)
    this.#repositories.set(fullName.toLowerCase(), repository)
    return repository
  }

  /** A repository made before. @throws Error if there is none. */
  repo(fullName: string): FakeRepository {
    const repository = this.#repositories.get(fullName.toLowerCase())
    if (!repository) throw new Error(`no repository ${fullName}`)
    return repository
  }

  /** Lets requests that match fail until the fault is removed or used up. */
  fail(fault: Fault): ActiveFault {
    return this.faults.add(fault)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin)
    if (url.pathname === graphql) return this.#answerGraphql(request, response, url)
    if (url.pathname === api || url.pathname.startsWith(`${api}/`)) return this.#answerApi(request, response, url)
    const git = /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(url.pathname)
    const repository = git && this.#repositories.get(git[1]!.toLowerCase())
    if (repository) {
      if (this.gitStatus !== undefined) {
        response.writeHead(this.gitStatus).end()
        return
      }
      if (repository.place.private && !this.#opens(request, repository)) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="fake"' }).end()
        return
      }
      const path = `/${repository.place.fullName}.git/${git[2]}`
      const finish = async () => (git[2] === 'git-receive-pack' ? repository.sync() : undefined)
      await serveGit(request, response, this.#folder, path, url.search.slice(1), finish)
      return
    }
    const page = webPage(url.pathname, [...this.#repositories.values()])
    response.writeHead(page ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' })
    response.end(page ?? 'Not Found')
  }

  async #answerApi(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const method = request.method ?? 'GET'
    const path = url.pathname.slice(api.length)
    const body = await readBody(request)
    const fault = this.faults.match(method, path + url.search)
    const failure = fault?.failure
    if (failure === 'timeout') return this.#record(request, path + url.search, 0)
    if (failure === 'reset') {
      this.#record(request, path + url.search, 0)
      request.socket.destroy()
      return
    }
    let answer: Answer
    if (typeof failure === 'number') {
      const location: Record<string, string> = failure < 400 ? { location: `${this.apiUrl}/moved` } : {}
      answer = problem(failure, fault?.message ?? 'Injected failure', { ...location, ...fault?.headers })
    } else answer = await this.#routeFor(request, method, path, url.searchParams, body)
    if (failure === 'unanswered') return this.#record(request, path + url.search, 0)
    this.#record(request, path + url.search, send(request, response, url, answer, this.rateLimit, failure))
  }

  #login(request: IncomingMessage): string | false | undefined {
    const header = request.headers.authorization
    if (header === undefined) return undefined
    return this.accounts.get(passwordOf(header) ?? header.replace(/^(bearer|token) /i, '')) ?? false
  }

  #opens(request: IncomingMessage, { place }: FakeRepository): boolean {
    const password = passwordOf(request.headers.authorization ?? '') ?? ''
    return Boolean(this.#login(request)) || this.apps.opens(password, place.fullName)
  }

  /** Asks who is asking: an App, an installation of one, or an account. */
  async #routeFor(
    request: IncomingMessage,
    method: string,
    path: string,
    query: URLSearchParams,
    body: string | undefined,
  ): Promise<Answer> {
    const caller = this.apps.callerOf(request.headers.authorization)
    if (caller === 'refused') return problem(401, 'Bad credentials')
    if (caller === 'unknown') return this.#route(method, path, query, body, this.#login(request))
    if ('app' in caller) return this.#routeAsApp(caller.app, method, path, query, body)
    const { token } = caller
    const [, fullName, rest = ''] = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(path) ?? []
    if (fullName === undefined) return problem(403, 'Resource not accessible by integration')
    const refusal = this.apps.refusal(token, method, decodeURIComponent(fullName), rest)
    return refusal ?? this.#route(method, path, query, body, this.apps.loginOf(token))
  }

  #routeAsApp(
    app: Extract<Caller, { app: unknown }>['app'],
    method: string,
    path: string,
    query: URLSearchParams,
    body: string | undefined,
  ): Answer {
    const deliveries = '/app/hook/deliveries'
    if (path.startsWith(deliveries) && app.hook !== undefined) {
      const rest = path.slice(deliveries.length)
      return this.#hookRoutes.of(app.hook, method, rest, query, `${this.apiUrl}${deliveries}`)
    }
    return this.apps.route(app, method, path, body === undefined ? undefined : parseJson(body)?.value)
  }

  /** The one query that Offshoot sends: who the credential belongs to. */
  async #answerGraphql(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const caller = this.apps.callerOf(request.headers.authorization)
    const asked = (await readBody(request))?.includes('viewer') ?? false
    const login = typeof caller === 'object' && 'token' in caller ? this.apps.loginOf(caller.token) : undefined
    const answer: Answer =
      login === undefined || !asked
        ? problem(401, 'Bad credentials')
        : { status: 200, body: { data: { viewer: { login, databaseId: userId(login) } } } }
    this.#record(request, url.pathname, send(request, response, url, answer, this.rateLimit))
  }

  async #route(
    method: string,
    path: string,
    query: URLSearchParams,
    body: string | undefined,
    login: string | false | undefined,
  ): Promise<Answer> {
    if (login === false) return problem(401, 'Bad credentials')
    if (this.rateLimit.remaining === 0) return problem(403, 'API rate limit exceeded')
    if (path === '/user') {
      if (login === undefined) return problem(401, 'Requires authentication')
      return { status: 200, body: userShape(this.origin, login) }
    }
    if (path === '/rate_limit')
      return { status: 200, body: { resources: { core: this.rateLimit }, rate: this.rateLimit } }
    const match = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(path)
    const repository = match && this.#repositories.get(decodeURIComponent(match[1]!).toLowerCase())
    if (!repository || (repository.place.private && login === undefined)) return problem(404, 'Not Found')
    if (method !== 'GET' && login === undefined) return problem(401, 'Requires authentication')
    if (match?.[2]?.startsWith('/hooks')) {
      const { hooks, place } = repository
      if (login === undefined) return problem(404, 'Not Found')
      return this.#hookRoutes.ofRepository(place.fullName, hooks, method, match[2], query)
    }
    for (const route of routes) {
      const parts = route.method === method && partsOf(route.pattern, match[2] ?? '')
      if (!parts) continue
      const parsed = body === undefined ? { value: undefined } : parseJson(body)
      if (parsed === undefined) return problem(400, 'Problems parsing JSON')
      return route.handle({ repository, parts, query, body: parsed.value, user: login })
    }
    return problem(404, 'Not Found')
  }

  #record(request: IncomingMessage, path: string, status: number): void {
    this.requests.push({
      method: request.method ?? 'GET',
      path,
      status,
      conditional: request.headers['if-none-match'] !== undefined,
      authenticated: request.headers.authorization !== undefined,
    })
    if (this.requests.length > 100_000) this.requests.shift()
  }
}

/** The password of basic authentication. */
function passwordOf(header: string): string | undefined {
  const basic = /^basic (.+)$/i.exec(header)?.[1]
  const decoded = basic && Buffer.from(basic, 'base64').toString('utf8')
  return decoded?.replace(/^[^:]*:/, '')
}

/** Starts a Git host on 127.0.0.1; port 0 takes a free one. Close it in the end. */
export async function startFakeForge(options: { port?: number; now?: () => number } = {}): Promise<FakeForge> {
  const forge = new FakeForge(await mkdtemp(join(tmpdir(), 'offshoot-forge-')), options.now ?? Date.now)
  await forge.listen(options.port ?? 0)
  return forge
}

/** Parts of the path by the pattern's names; the last part takes the rest, slashes included. */
function partsOf(pattern: string, path: string): Record<string, string> | undefined {
  const names = [...pattern.matchAll(/\{(\w+)\}/g)].map(match => match[1]!)
  let index = 0
  const source = pattern.replaceAll(/\{\w+\}/g, () =>
    ++index === names.length && pattern.endsWith('}') ? '(.+)' : '([^/]+)',
  )
  const match = new RegExp(`^${source}$`).exec(path)
  if (!match) return undefined
  const parts = Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1]!)]))
  return parts.number === undefined || /^[0-9]+$/.test(parts.number) ? parts : undefined
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBody) throw new Error('body too large')
    chunks.push(chunk)
  }
  return size === 0 ? undefined : Buffer.concat(chunks).toString('utf8')
}
