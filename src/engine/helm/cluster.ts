import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/errors.ts'
import { messageOf } from '../../util/errors.ts'
import { writeYaml } from '../yaml.ts'

/** What Helm takes for the version offline: that of the client library kluctl 2.28.2 is built with (0.36). */
const defaultKubeVersion = '1.36.0'

/** What templates can ask of a cluster. */
export interface Capabilities {
  readonly kubeVersion: string
  readonly apiVersions: readonly string[]
}

/** The target's cluster as charts see it; asked at most once. */
export class Cluster {
  readonly client: KubeClient | undefined
  readonly #version: string | undefined
  #capabilities: Promise<Capabilities> | undefined

  constructor(client: KubeClient | undefined, version: string | undefined) {
    this.client = client
    this.#version = version
  }

  /** The version and API versions for Helm. @throws KubeError */
  capabilities(signal: AbortSignal): Promise<Capabilities> {
    this.#capabilities ??= this.#ask(signal)
    return this.#capabilities
  }

  async #ask(signal: AbortSignal): Promise<Capabilities> {
    const { client } = this
    if (client === undefined) return { kubeVersion: this.#version ?? defaultKubeVersion, apiVersions: [] }
    const [version, resources] = await Promise.all([client.raw('/version', { signal }), client.allResources()])
    const { gitVersion } = JSON.parse(version) as { gitVersion: string }
    const apis = new Set(resources.flatMap(({ apiVersion, kind }) => [apiVersion, `${apiVersion}/${kind}`]))
    return { kubeVersion: this.#version ?? gitVersion, apiVersions: [...apis].sort() }
  }

  /**
   * Does the work with a kubeconfig through which objects can be read, and nothing else: a server of our own on
   * loopback passes GET requests on with our client, so Helm gets no credentials of the cluster.
   */
  async withKubeconfig<T>(work: (kubeconfig: string) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { client } = this
    if (client === undefined) throw new TypeError('no cluster')
    const token = randomBytes(32).toString('hex')
    // Loaded where it is needed: it brings Node's fetch along.
    const { createServer } = await import('node:http')
    const server = createServer((request, response) => void pass(client, token, request, response, signal))
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-helm-'))
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      })
      const file = join(folder, 'kubeconfig')
      await writeFile(file, kubeconfig((server.address() as AddressInfo).port, token), { mode: 0o600 })
      return await work(file)
    } finally {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function pass(
  client: KubeClient,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const answer = (status: number, body: string, type = 'application/json') =>
    response.writeHead(status, { 'content-type': type }).end(body)
  try {
    const { url = '' } = request
    if (!url.startsWith(`/${token}/`)) return void answer(401, failure(401, 'Unauthorized'))
    if (request.method !== 'GET' || /[?&]watch=(?:1|true)/.test(url)) {
      return void answer(403, failure(403, 'charts may only read'))
    }
    // Bodies are passed on as text and called plain JSON: neither protobuf nor aggregated discovery is asked for.
    const body = await client.raw(url.slice(token.length + 1), { signal, accept: 'application/json' })
    answer(200, body)
  } catch (error) {
    const status = error instanceof KubeError ? error.status : 502
    answer(status, failure(status, messageOf(error)))
  }
}

function failure(code: number, message: string): string {
  const reason = code === 404 ? 'NotFound' : code === 403 ? 'Forbidden' : code === 401 ? 'Unauthorized' : 'Unknown'
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })
}

/** Helm sends tokens and passwords over TLS only, so the secret is part of the server's URL. */
function kubeconfig(port: number, token: string): string {
  return writeYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'target',
    clusters: [{ name: 'target', cluster: { server: `http://127.0.0.1:${port}/${token}` } }],
    contexts: [{ name: 'target', context: { cluster: 'target', user: '' } }],
  })
}
