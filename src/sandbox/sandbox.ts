import { randomInt, randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Clock, systemClock } from '../util/clock.ts'
import { OffshootError } from '../util/errors.ts'
import type { Api } from './api.ts'
import { startControllers } from './controllers/controllers.ts'
import { Tokens } from './http/identity.ts'
import { serve } from './http/serve.ts'
import { Registry } from './kinds/registry.ts'
import { Store, type StoreLimits } from './store/store.ts'

/** How a sandbox is started. */
export interface SandboxOptions {
  clock?: Clock
  /** Port on 127.0.0.1; default: a free one. */
  port?: number
  /** Overrides of what it keeps at most. */
  limits?: Partial<StoreLimits>
}

/** A running in-process API server. */
export interface Sandbox {
  url: string
  /** Text of a kubeconfig: of the administrator, or of the holder of a token. */
  kubeconfig(options?: { token?: string; namespace?: string }): string
  /** A token for a ServiceAccount that exists. @throws OffshootError if it does not */
  tokenFor(namespace: string, name: string): string
  /** Forgets the past, so that older watches and pages answer 410. */
  compact(): void
  /** Ends it and everything in it. */
  close(): Promise<void>
}

/** Milliseconds that a request may take to arrive, and an idle connection lives. */
const requestTimeout = 30_000
const keepAliveTimeout = 60_000
const maxConnections = 2_000

/**
 * Starts an in-process Kubernetes API server on 127.0.0.1: see `contract.ts` for what it promises. No RBAC, no
 * admission, no authentication: whoever can reach the port on this machine is its administrator.
 * @throws OffshootError when it cannot listen
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const clock = options.clock ?? systemClock
  const api: Api = {
    store: new Store(options.limits),
    registry: new Registry(),
    clock,
    uid: randomUUID,
    suffix: generatedSuffix,
  }
  const tokens = new Tokens(() => clock.now())
  const stopControllers = startControllers(api)
  const server = createServer({ requestTimeout, keepAliveTimeout, maxHeaderSize: 64 << 10 }, (request, response) => {
    void serve(api, tokens, request, response)
  })
  server.maxConnections = maxConnections
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.once('close', () => sockets.delete(socket))
  })
  await listen(server, options.port ?? 0)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    kubeconfig: ({ token, namespace } = {}) => kubeconfigText(url, token, namespace),
    tokenFor: (namespace, name) => {
      const account = api.store.get('serviceaccounts', namespace, name)
      if (!account) throw new OffshootError(`the sandbox has no ServiceAccount ${namespace}/${name}`)
      const uid = account.object.metadata.uid ?? ''
      return tokens.issue(namespace, name, uid, 3600, ['https://kubernetes.default.svc'])
    },
    compact: () => api.store.compact(),
    close: async () => {
      stopControllers()
      const closed = new Promise(resolve => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', cause => reject(new OffshootError('the sandbox cannot listen on 127.0.0.1', { cause })))
    server.listen(port, '127.0.0.1', resolve)
  })
}

/** Letters that make no words, as Kubernetes uses for generated names. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

function generatedSuffix(): string {
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('')
}

function kubeconfigText(server: string, token: string | undefined, namespace: string | undefined): string {
  const user = token === undefined ? {} : { token }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sandbox', cluster: { server } }],
    users: [{ name: 'sandbox', user }],
    contexts: [
      { name: 'sandbox', context: { cluster: 'sandbox', user: 'sandbox', ...(namespace ? { namespace } : {}) } },
    ],
    'current-context': 'sandbox',
  })
}
