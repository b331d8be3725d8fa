import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { packagedChart } from './chart.ts'

/** Charts that a server holds: name and version, and files besides the usual. */
export interface HeldChart {
  name: string
  version: string
  files?: Readonly<Record<string, string>>
}

/** A Helm repository and an OCI registry on loopback, over the same charts. */
export class ChartServer implements AsyncDisposable {
  readonly #server: Server
  readonly #charts: HeldChart[]
  readonly #login: string | undefined
  readonly #scheme: 'http' | 'https'
  /** Method and path of every request, with the user who was let in. */
  readonly requests: string[] = []

  private constructor(charts: HeldChart[], login: string | undefined, tls: ServerOptions | undefined) {
    this.#charts = charts
    this.#login = login
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response)
    this.#server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
    this.#scheme = tls === undefined ? 'http' : 'https'
  }

  /**
   * @param login `user:password` that is asked for, or `token NAME` for a bearer token
   * @param tls certificate and key; `requestCert` and `ca` ask for one of the client
   */
  static async start(charts: HeldChart[], login?: string, tls?: ServerOptions): Promise<ChartServer> {
    const server = new ChartServer(charts, login, tls)
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** URL of the Helm repository. */
  get url(): string {
    return `${this.#scheme}://${this.host}/stable`
  }

  /** URL of a chart in the registry. */
  oci(name: string): string {
    return `oci://${this.host}/charts/${name}`
  }

  /** Publishes another version. */
  add(chart: HeldChart): void {
    this.#charts.push(chart)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', 'http://x').pathname
    const given = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const user = Buffer.from(given, 'base64').toString()
    this.requests.push(`${request.method} ${path}${user === '' ? '' : ` ${user.split(':')[0]}`}`)
    const token = /^token (.*)$/.exec(this.#login ?? '')?.[1]
    const isOpen = token === undefined ? user === this.#login : request.headers.authorization === `Bearer ${token}`
    if (this.#login !== undefined && !isOpen) {
      const challenge = token === undefined ? 'Basic realm="charts"' : 'Bearer realm="https://127.0.0.1:1/token"'
      response.writeHead(401, { 'www-authenticate': challenge }).end('not allowed')
      return
    }
    const found = path.startsWith('/v2') ? this.#registry(path) : this.#repository(path)
    if (found === undefined) response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[]}')
    else response.writeHead(200, found.headers).end(request.method === 'HEAD' ? undefined : found.body)
  }

  #repository(path: string): Found | undefined {
    if (path === '/stable/index.yaml') return answer('text/yaml', this.#index())
    const chart = this.#charts.find(({ name, version }) => path === `/stable/${name}-${version}.tgz`)
    return chart === undefined ? undefined : answer('application/gzip', bytesOf(chart))
  }

  #index(): string {
    const lines = ['apiVersion: v1', 'entries:']
    for (const name of new Set(this.#charts.map(chart => chart.name))) {
      lines.push(`  ${name}:`)
      for (const chart of this.#charts.filter(it => it.name === name)) {
        const digest = createHash('sha256').update(bytesOf(chart)).digest('hex')
        lines.push(`  - {apiVersion: v2, name: ${name}, version: ${chart.version}, digest: ${digest},`)
        lines.push(`     urls: [${name}-${chart.version}.tgz]}`)
      }
    }
    return `${lines.join('\n')}\n`
  }

  #registry(path: string): Found | undefined {
    if (path === '/v2/') return answer('application/json', '{}')
    const [, name, kind, reference] = /^\/v2\/charts\/([^/]+)\/(tags|manifests|blobs)\/(.+)$/.exec(path) ?? []
    const charts = this.#charts.filter(chart => chart.name === name)
    if (kind === 'tags' && charts.length > 0) {
      return answer('application/json', JSON.stringify({ name, tags: charts.map(({ version }) => version) }))
    }
    for (const chart of charts) {
      const manifest = manifestOf(chart)
      if (kind === 'manifests' && [chart.version, digestOf(manifest)].includes(reference ?? '')) {
        return answer('application/vnd.oci.image.manifest.v1+json', manifest)
      }
      const blob = [bytesOf(chart), configOf(chart)].find(it => digestOf(it) === reference)
      if (kind === 'blobs' && blob !== undefined) return answer('application/octet-stream', blob)
    }
    return undefined
  }
}

interface Found {
  headers: Record<string, string>
  body: Buffer
}

function answer(type: string, content: string | Buffer): Found {
  const body = Buffer.from(content)
  const headers = {
    'content-type': type,
    'content-length': String(body.length),
    'docker-content-digest': digestOf(body),
  }
  return { headers, body }
}

function bytesOf({ name, version, files }: HeldChart): Buffer {
  return packagedChart(name, version, files)
}

function configOf({ name, version }: HeldChart): Buffer {
  return Buffer.from(JSON.stringify({ apiVersion: 'v2', name, version }))
}

/** What `helm push` makes of a chart (helm.sh/docs/topics/registries). */
function manifestOf(chart: HeldChart): Buffer {
  const describe = (mediaType: string, blob: Buffer) => ({ mediaType, digest: digestOf(blob), size: blob.length })
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: describe('application/vnd.cncf.helm.config.v1+json', configOf(chart)),
      layers: [describe('application/vnd.cncf.helm.chart.content.v1.tar+gzip', bytesOf(chart))],
    }),
  )
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
