import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../util/clock.ts'
import { EngineError } from '../errors.ts'
import { exchange, type HttpAnswer, HttpError } from '../http.ts'
import type { RegistryCredential } from './login.ts'
import { digestForm } from './reference.ts'

/** What a client of one repository needs. */
export interface RegistryOptions {
  readonly host: string
  readonly repository: string
  readonly credential: RegistryCredential
  readonly allowsUrl: (url: string) => boolean
  readonly clock: Clock
  /** What tokens are asked for; by default what the registry says that the request needs. */
  readonly actions?: 'pull,push' | undefined
}

/** A request to the repository. */
export interface RegistryRequest {
  /** Below the repository, or a URL that the registry named. */
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly maxBytes: number
  /** How often it may be sent while the registry is busy; default 3. */
  readonly attempts?: number
  /** Milliseconds; default five minutes. */
  readonly deadline?: number
}

/** A manifest or index with its own digest. */
export interface Manifest {
  readonly digest: string
  readonly mediaType: string
  readonly content: Record<string, unknown>
}

/** Points at a blob or a manifest. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

const mostAttempts = 3
const maxManifest = 4 * 1024 * 1024
const maxPages = 200
const maxTagPage = 8 * 1024 * 1024
const deadline = 300_000
const accepted = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')

/** A client of one repository of a registry (OCI distribution specification 1.1); what is pulled is checked by digest. */
export class Registry implements AsyncDisposable {
  readonly #options: RegistryOptions
  #origin: string
  readonly #agent: Dispatcher
  #authorization: string | undefined

  private constructor(options: RegistryOptions, agent: Dispatcher) {
    this.#options = options
    this.#origin = `${options.credential.plainHttp === true ? 'http' : 'https'}://${options.host}`
    this.#agent = agent
    if (options.credential.token) this.#authorization = `Bearer ${options.credential.token}`
  }

  /** Reads the certificates that the credential names. @throws EngineError */
  static async open(options: RegistryOptions): Promise<Registry> {
    const { caFile, certFile, keyFile, insecureSkipTlsVerify } = options.credential
    const read = async (file: string | undefined) => (file === undefined ? undefined : await readFile(file))
    const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map(read))
    const connect = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
    }
    const own = Object.keys(connect).length > 0
    const { Agent, EnvHttpProxyAgent } = await import('undici')
    return new Registry(options, own ? new Agent({ connect }) : new EnvHttpProxyAgent())
  }

  /** The manifest of a tag or digest. @throws EngineError */
  async manifest(reference: string, signal: AbortSignal): Promise<Manifest> {
    const path = `/manifests/${reference}`
    const answer = await this.#get(path, { accept: accepted }, maxManifest, signal)
    const digest = `sha256:${createHash('sha256').update(answer.body).digest('hex')}`
    if (digestForm.test(reference)) verify(reference, answer.body)
    const content = JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>
    const own = content.mediaType
    const mediaType = typeof own === 'string' ? own : (answer.headers['content-type']?.split(';')[0] ?? '')
    return { digest, mediaType, content }
  }

  /** A blob, whole. @throws EngineError when it is too large or another one than its digest says */
  async blob({ digest, size }: Descriptor, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    if (!digestForm.test(digest)) throw new EngineError(`${this.#name(digest)} is not a digest`)
    if (size > maxBytes) throw new EngineError(`${this.#name(digest)} has ${size} bytes, more than ${maxBytes}`)
    const { body } = await this.#get(`/blobs/${digest}`, {}, maxBytes, signal)
    verify(digest, body)
    return body
  }

  /** All tags of the repository, page by page. @throws EngineError */
  async tags(signal: AbortSignal): Promise<string[]> {
    const tags: string[] = []
    let path: string | undefined = '/tags/list?n=1000'
    for (let page = 0; path !== undefined; page++) {
      if (page >= maxPages) throw new EngineError(`${this.#name('')}: more than ${maxPages} pages of tags`)
      const answer: HttpAnswer = await this.#get(path, {}, maxTagPage, signal)
      const body = JSON.parse(answer.body.toString('utf8')) as { tags?: string[] | null }
      tags.push(...(body.tags ?? []))
      path = this.#nextPage(path, answer)
    }
    return tags
  }

  /** Where the list goes on (RFC 8288), which must be this repository. */
  #nextPage(path: string, { headers }: HttpAnswer): string | undefined {
    const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(headers.link ?? '')?.[1]
    if (link === undefined) return undefined
    const base = `${this.#origin}/v2/${this.#options.repository}`
    const { href } = new URL(link, `${base}${path}`)
    if (!href.startsWith(`${base}/tags/list`)) throw new EngineError(`${this.#name('')}: tags continue elsewhere`)
    return href.slice(base.length)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close()
  }

  /** Sends a request with what opens the repository, and gives the answer, whatever it says. @throws EngineError */
  async send(request: RegistryRequest, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      return await this.#authorized(request, signal)
    } catch (error) {
      // As with kluctl and docker, a registry on this machine needs no TLS.
      const { host, credential } = this.#options
      const mayBePlain = credential.plainHttp === undefined && isLoopback(host) && this.#origin.startsWith('https:')
      if (!mayBePlain || !isNotTls(error)) throw error
      this.#origin = `http://${host}`
      return this.#authorized(request, signal)
    }
  }

  /** What to throw for an answer that was not hoped for. */
  failure(answer: HttpAnswer, reference: string): EngineError {
    const isUnknown = answer.status === 401 && this.#authorization === undefined
    const hint = isUnknown ? ' (basic credential not found)' : ''
    return new EngineError(`${this.#name(reference)}: ${wordsOf(answer)}${hint}`)
  }

  async #get(
    path: string,
    headers: Record<string, string>,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const answer = await this.send({ path, headers, maxBytes }, signal)
    if (answer.status === 200) return answer
    throw this.failure(answer, path.startsWith('/tags/') ? '' : (path.split('/').at(-1) ?? ''))
  }

  async #authorized(request: RegistryRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { path, headers = {} } = request
    const isElsewhere = /^https?:/.test(path)
    const url = isElsewhere ? path : `${this.#origin}/v2/${this.#options.repository}${path}`
    const isOwn = new URL(url).origin === new URL(this.#origin).origin
    const ask = () => {
      const known = isOwn && this.#authorization !== undefined ? { authorization: this.#authorization } : {}
      return this.#ask({ ...request, url, headers: { ...headers, ...known } }, signal)
    }
    const answer = await ask()
    const challenge = answer.headers['www-authenticate']
    if (answer.status !== 401 || challenge === undefined || !isOwn || this.#options.credential.token) return answer
    this.#authorization = await this.#authorize(challenge, signal)
    return ask()
  }

  /** Asks again when the registry is busy or does not answer. */
  async #ask(
    request: Omit<RegistryRequest, 'path' | 'body'> & { url: string; body?: string | Uint8Array },
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { clock, allowsUrl, host } = this.#options
    // The registry itself was judged by the artifact's URL; where it sends us on to is judged here.
    const judged = (url: string) => new URL(url).host === host || allowsUrl(url)
    const { attempts = mostAttempts } = request
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await exchange({ deadline, ...request, signal, allowsUrl: judged, dispatcher: this.#agent })
        if (attempt >= attempts || (answer.status < 500 && answer.status !== 429)) return answer
      } catch (error) {
        if (attempt >= attempts || !(error instanceof HttpError) || isNotTls(error)) throw error
      }
      await clock.sleep(500 * 2 ** attempt, signal)
    }
  }

  /** Basic, or a token of the server that the challenge names (distribution's token specification). */
  async #authorize(challenge: string, signal: AbortSignal): Promise<string | undefined> {
    const { username, password = '', identityToken } = this.#options.credential
    const pair = Buffer.from(`${username ?? ''}:${password}`).toString('base64')
    const basic = username === undefined ? undefined : `Basic ${pair}`
    if (!/^bearer\b/i.test(challenge)) return basic
    const parts = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))
    const realm = parts.get('realm') ?? ''
    if (!URL.canParse(realm)) throw new EngineError(`${this.#name('')}: the registry names no token server`)
    const { actions, repository } = this.#options
    const resource = `repository:${repository}`
    const query = new URLSearchParams({
      service: parts.get('service') ?? '',
      scope: actions === undefined ? (parts.get('scope') ?? `${resource}:pull`) : `${resource}:${actions}`,
    })
    const url = new URL(realm)
    const request = { url: realm, headers: {}, maxBytes: maxManifest }
    if (identityToken !== undefined) {
      query.set('grant_type', 'refresh_token')
      query.set('refresh_token', identityToken)
      query.set('client_id', 'offshoot')
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      return this.#token(await this.#ask({ ...request, method: 'POST', headers: form, body: query.toString() }, signal))
    }
    for (const [name, value] of query) url.searchParams.set(name, value)
    const headers = basic === undefined ? {} : { authorization: basic }
    return this.#token(await this.#ask({ ...request, url: url.href, headers }, signal))
  }

  #token(answer: HttpAnswer): string {
    if (answer.status !== 200) throw new EngineError(`${this.#name('')}: no token: ${wordsOf(answer)}`)
    const body = JSON.parse(answer.body.toString('utf8')) as { token?: unknown; access_token?: unknown }
    const token = body.token ?? body.access_token
    if (typeof token !== 'string') throw new EngineError(`${this.#name('')}: the token server gave no token`)
    return `Bearer ${token}`
  }

  #name(reference: string): string {
    const separator = reference === '' ? '' : reference.includes(':') ? '@' : ':'
    return `oci://${this.#options.host}/${this.#options.repository}${separator}${reference}`
  }
}

/** The error's code and message as the registry words them. */
function wordsOf({ status, body }: HttpAnswer): string {
  // Not imported at the top: it brings Node's fetch along.
  const said = `HTTP ${status} ${process.getBuiltinModule('node:http').STATUS_CODES[status] ?? ''}`.trimEnd()
  try {
    const { errors } = JSON.parse(body.toString('utf8')) as { errors?: { code?: string; message?: string }[] }
    const words = errors?.map(({ code = '', message = '' }) => `${code}: ${message}`).join('; ')
    return `${said}${words === undefined || words === '' ? '' : `: ${words.slice(0, 500)}`}`
  } catch {
    // No registry's answer but a proxy's page.
    return said
  }
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host)
}

/** Whether the other side answered a TLS greeting with something else. Certificates have other codes. */
function isNotTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' || isNotTls(error.cause)
}

function verify(digest: string, bytes: Uint8Array): void {
  const [algorithm = '', expected] = digest.split(':')
  const found = createHash(algorithm).update(bytes).digest('hex')
  if (found !== expected) throw new EngineError(`the content does not fit its digest ${digest}`)
}
