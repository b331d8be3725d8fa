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
import { discoveryAnswers } from './discovery.ts'

/** What came back for a path. */
export interface ReaderAnswer {
  readonly status: number
  readonly body: string
}

/**
 * A server on loopback through which Helm can read objects, and nothing else: it passes GET requests on with our
 * client, so Helm gets no credentials of the cluster. It remembers what templates looked up.
 */
export class Reader implements AsyncDisposable {
  /** A kubeconfig for this server. */
  readonly kubeconfig: string
  readonly #answers = new Map<string, ReaderAnswer>()
  readonly #stop: () => Promise<void>
  #isRendered = false

  private constructor(kubeconfig: string, stop: () => Promise<void>) {
    this.kubeconfig = kubeconfig
    this.#stop = stop
  }

  static async start(client: KubeClient, version: string, signal: AbortSignal): Promise<Reader> {
    const known = discoveryAnswers(await client.allResources())
    known.set('/version', version)
    const token = randomBytes(32).toString('hex')
    // Loaded where it is needed: it brings Node's fetch along.
    const { createServer } = await import('node:http')
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-helm-'))
    const server = createServer(
      (request, response) => void reader.#serve(client, known, token, request, response, signal),
    )
    const file = join(folder, 'kubeconfig')
    const reader = new Reader(file, async () => {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    })
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      })
      await writeFile(file, kubeconfig((server.address() as AddressInfo).port, token), { mode: 0o600 })
    } catch (error) {
      await reader.#stop()
      throw error
    }
    return reader
  }

  /** What templates looked up, and what they got: by path, in order. */
  get lookups(): ReadonlyMap<string, ReaderAnswer> {
    return this.#answers
  }

  async #serve(
    client: KubeClient,
    known: ReadonlyMap<string, string>,
    token: string,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = ({ status, body }: ReaderAnswer) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    const { url = '', method } = request
    if (!url.startsWith(`/${token}/`)) return void answer(failure(401, 'Unauthorized'))
    if (method !== 'GET' || /[?&]watch=(?:1|true)/.test(url)) return void answer(failure(403, 'charts may only read'))
    const path = url.slice(token.length + 1)
    const own = known.get(path.split('?', 1)[0] ?? '')
    if (own !== undefined) return void answer({ status: 200, body: own })
    // What was seen once is seen so until all is rendered: the text is kept under what was seen.
    const before = this.#isRendered ? undefined : this.#answers.get(path)
    const found = before ?? (await readPath(client, path, signal))
    // When all is rendered Helm checks it against the schemas, and looks whether its objects are there.
    if (path.startsWith('/openapi')) this.#isRendered = true
    else if (!this.#isRendered) this.#answers.set(path, found)
    answer(found)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop()
  }
}

/** What the API server answers to a path; also when it refuses. Never throws. */
export async function readPath(client: KubeClient, path: string, signal: AbortSignal): Promise<ReaderAnswer> {
  try {
    // Bodies are passed on as text and called plain JSON: neither protobuf nor tables are asked for.
    return { status: 200, body: await client.raw(path, { signal, accept: 'application/json' }) }
  } catch (error) {
    return failure(error instanceof KubeError ? error.status : 502, messageOf(error))
  }
}

function failure(code: number, message: string): ReaderAnswer {
  const reason = code === 404 ? 'NotFound' : code === 403 ? 'Forbidden' : code === 401 ? 'Unauthorized' : 'Unknown'
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  return { status: code, body: JSON.stringify(status) }
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
