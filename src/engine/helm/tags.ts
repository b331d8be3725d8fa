import { readFile } from 'node:fs/promises'
import { Agent, EnvHttpProxyAgent } from 'undici'
import { EngineError, RefusedError } from '../errors.ts'
import { exchange, type HttpAnswer } from '../http.ts'
import { isObject } from '../values.ts'
import { readYamlObject } from '../yaml.ts'
import { type ChartCredential, registryConfigFiles } from './credentials.ts'

/** What asking a registry needs. */
export interface TagOptions {
  readonly credential: (url: string) => ChartCredential | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly allowsUrl: (url: string) => boolean
}

const maxPages = 200
const maxBytes = 8 * 1024 * 1024

/**
 * All tags of a repository in a registry (OCI distribution spec, "Listing Tags"), with basic or bearer
 * authentication. @throws EngineError with the registry's answer
 */
export async function registryTags(url: string, options: TagOptions, signal: AbortSignal): Promise<string[]> {
  const parsed = URL.parse(url.replace(/^oci:/, 'https:'))
  if (parsed === null) throw new EngineError(`${url} is not a registry's URL`)
  if (!options.allowsUrl(url)) throw new RefusedError(`${url} may not be asked for`)
  const credential = options.credential(url) ?? (await storedLogin(parsed.host, options.environment))
  const origin = `${credential.plainHttp === true ? 'http' : 'https'}://${parsed.host}`
  await using registry = await Registry.open(origin, credential, options.allowsUrl, signal)
  const tags: string[] = []
  let next: string | undefined = `${origin}/v2${parsed.pathname.replace(/\/$/, '')}/tags/list?n=1000`
  for (let page = 0; next !== undefined; page++) {
    if (page >= maxPages) throw new EngineError(`${url}: more than ${maxPages} pages of tags`)
    const answer: HttpAnswer = await registry.get(next)
    const body = JSON.parse(answer.body.toString('utf8')) as { tags?: string[] | null }
    tags.push(...(body.tags ?? []))
    const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.headers.link ?? '')?.[1]
    next = link === undefined ? undefined : new URL(link, next).href
    if (next !== undefined && new URL(next).origin !== origin) throw new EngineError(`${url}: tags continue elsewhere`)
  }
  return tags
}

/** A registry with the authorization that it asked for. */
class Registry implements AsyncDisposable {
  readonly #dispatcher: Agent | EnvHttpProxyAgent
  readonly #credential: ChartCredential
  readonly #allowsUrl: (url: string) => boolean
  readonly #signal: AbortSignal
  #authorization: string | undefined

  private constructor(
    dispatcher: Agent | EnvHttpProxyAgent,
    credential: ChartCredential,
    allowsUrl: (url: string) => boolean,
    signal: AbortSignal,
  ) {
    this.#dispatcher = dispatcher
    this.#credential = credential
    this.#allowsUrl = allowsUrl
    this.#signal = signal
  }

  static async open(
    origin: string,
    credential: ChartCredential,
    allowsUrl: (url: string) => boolean,
    signal: AbortSignal,
  ): Promise<Registry> {
    const { caFile, certFile, keyFile, insecureSkipTlsVerify } = credential
    const read = async (file: string | undefined) => (file === undefined ? undefined : await readFile(file))
    const [ca, cert, key] = await Promise.all([read(caFile), read(certFile), read(keyFile)])
    const own = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
    const connect = { ...own, ...(insecureSkipTlsVerify === true && { rejectUnauthorized: false }) }
    const direct = Object.keys(connect).length > 0 || origin.startsWith('http:')
    const dispatcher = direct ? new Agent({ connect }) : new EnvHttpProxyAgent()
    // The origin follows from the chart's URL, which was judged; tokens may be given elsewhere and are judged.
    return new Registry(dispatcher, credential, url => url.startsWith(`${origin}/`) || allowsUrl(url), signal)
  }

  async get(url: string): Promise<HttpAnswer> {
    let answer = await this.#ask(url, this.#authorization)
    if (answer.status === 401 && this.#authorization === undefined) {
      this.#authorization = await this.#authorize(answer.headers['www-authenticate'] ?? '')
      if (this.#authorization !== undefined) answer = await this.#ask(url, this.#authorization)
    }
    if (answer.status === 200) return answer
    const words = answer.body
      .toString('utf8')
      .slice(0, 300)
      .replaceAll(/\p{Cc}+/gu, ' ')
    throw new EngineError(`GET ${url}: unexpected status code ${answer.status}: ${words}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.close()
  }

  /** RFC 7617 as it stands, or a token fetched as the registry says (distribution's token authentication). */
  async #authorize(challenge: string): Promise<string | undefined> {
    const { username, password = '', token } = this.#credential
    if (token !== undefined) return `Bearer ${token}`
    const basic =
      username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    if (!/^bearer /i.test(challenge)) return basic
    const parts = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    )
    const realm = URL.parse(parts.realm ?? '')
    if (realm === null) return basic
    for (const name of ['service', 'scope']) {
      const value = parts[name]
      if (value !== undefined) realm.searchParams.set(name, value)
    }
    const answer = await this.#ask(realm.href, basic)
    const body = answer.status === 200 ? (JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>) : {}
    const found = body.token ?? body.access_token
    return typeof found === 'string' ? `Bearer ${found}` : undefined
  }

  #ask(url: string, authorization: string | undefined): Promise<HttpAnswer> {
    return exchange({
      url,
      headers: authorization === undefined ? {} : { authorization },
      maxBytes,
      deadline: 60_000,
      signal: this.#signal,
      allowsUrl: this.#allowsUrl,
      dispatcher: this.#dispatcher,
    })
  }
}

/** The login that Helm or Docker stored in the clear for a host. */
async function storedLogin(
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ChartCredential> {
  for (const file of registryConfigFiles(environment)) {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    const auths = text === undefined ? undefined : readYamlObject(text).auths
    const entry = isObject(auths) ? auths[host] : undefined
    const auth = isObject(entry) ? entry.auth : undefined
    if (typeof auth !== 'string') continue
    const [username = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':')
    return { username, password: rest.join(':') }
  }
  return {}
}
