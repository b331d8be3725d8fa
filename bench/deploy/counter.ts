import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request as send } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { resourceOf } from '../../src/kube/paths.ts'

interface Config {
  clusters: { cluster: { server: string; 'certificate-authority-data'?: string } }[]
  users: { user: Record<string, string> }[]
}

/** Requests by what they are, such as `PATCH deployments`. */
export type Counts = ReadonlyMap<string, number>

/** A server on loopback that passes requests on to an API server, as the kubeconfig's user, and counts them. */
export class Counter implements AsyncDisposable {
  /** A kubeconfig for this server. */
  readonly kubeconfig: string
  readonly #counts = new Map<string, number>()
  readonly #stop: () => void

  private constructor(kubeconfig: string, stop: () => void) {
    this.kubeconfig = kubeconfig
    this.#stop = stop
  }

  /** Starts one for the cluster of a kubeconfig that has its certificates in it; `folder` takes the new kubeconfig. */
  static async start(kubeconfig: string, folder: string): Promise<Counter> {
    const file = parse(readFileSync(kubeconfig, 'utf8')) as Config
    // In the path: Go clients send no token without TLS.
    const secret = `/${randomBytes(16).toString('hex')}`
    const [cluster, user] = [file.clusters[0]?.cluster, file.users[0]?.user]
    if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} has no cluster and user`)
    const pem = (text = '') => Buffer.from(text, 'base64')
    const agent = new Agent({
      keepAlive: true,
      ca: pem(cluster['certificate-authority-data']),
      cert: pem(user['client-certificate-data']),
      key: pem(user['client-key-data']),
    })
    const server = createServer((request, response) => {
      const path = request.url ?? ''
      if (!path.startsWith(`${secret}/`)) return void response.writeHead(401).end()
      request.url = path.slice(secret.length)
      counter.#note(request)
      pass(request, response, cluster.server, agent)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const own = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}${secret}` }
    const copy = { ...file, clusters: [{ ...file.clusters[0], cluster: own }] }
    const path = join(folder, 'counted.kubeconfig')
    writeFileSync(path, stringify(copy), { mode: 0o600 })
    const counter = new Counter(path, () => {
      agent.destroy()
      server.closeAllConnections()
      server.close()
    })
    return counter
  }

  /** What was counted since the last time. */
  take(): Counts {
    const taken = new Map([...this.#counts].toSorted(([, a], [, b]) => b - a))
    this.#counts.clear()
    return taken
  }

  #note({ method = '', url = '' }: IncomingMessage): void {
    const isWatch = /[?&]watch=(1|true)/.test(url)
    const isDryRun = url.includes('dryRun=')
    const verb = `${isWatch ? 'WATCH' : method}${isDryRun ? ' (dry run)' : ''}`
    const what = `${verb} ${resourceOf(url)}`
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
  }
}

function pass(request: IncomingMessage, response: ServerResponse, origin: string, agent: Agent): void {
  const { host: _, connection: __, ...headers } = request.headers
  const url = new URL(request.url ?? '/', origin)
  const onwards = send(url, { agent, method: request.method, headers }, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    answer.pipe(response)
  })
  response.on('close', () => onwards.destroy())
  onwards.on('error', () => response.destroy())
  request.pipe(onwards)
}
