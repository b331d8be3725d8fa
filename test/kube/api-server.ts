import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { KubeClient } from '../../src/kube/client.ts'
import type { ClientOptions } from '../../src/kube/options.ts'
import type { KubeObject } from '../../src/kube/types.ts'

/** What a request gets; `body` is the request's. */
export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** An HTTP server that misbehaves as told, for what a real API server does too seldom. */
export interface OddServer {
  url: string
  client: KubeClient
  /** Requests so far, discovery left out, as `METHOD path?query`. */
  requests: string[]
  /** Discovery requests so far. */
  discoveries(): number
  /** Answers all requests but discovery from now on. */
  handle(handler: Handler): void
  /** Cuts every connection. */
  cut(): void
}

const kinds = [
  ['', 'v1', 'configmaps', 'ConfigMap', 'Namespaced'],
  ['', 'v1', 'namespaces', 'Namespace', 'Cluster'],
  ['coordination.k8s.io', 'v1', 'leases', 'Lease', 'Namespaced'],
  ['events.k8s.io', 'v1', 'events', 'Event', 'Namespaced'],
] as const

/** Starts such a server with a client for it; both end with the test. */
export async function startOddServer(options: ClientOptions = {}): Promise<OddServer> {
  const requests: string[] = []
  let discoveries = 0
  let handler: Handler = (_, response) => json(response, 404, { kind: 'Status', code: 404, reason: 'NotFound' })
  const server = createServer((request, response) => {
    const url = request.url ?? ''
    if (url === '/api' || url === '/apis') {
      discoveries++
      json(response, 200, discovery(url === '/api'))
      return
    }
    requests.push(`${request.method} ${url}`)
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => handler(request, response, body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = clientFor(url, options)
  onTestFinished(async () => {
    server.closeAllConnections()
    await client.close()
    server.close()
  })
  return {
    url,
    client,
    requests,
    discoveries: () => discoveries,
    handle: next => {
      handler = next
    },
    cut: () => server.closeAllConnections(),
  }
}

/** A client without credentials. */
export function clientFor(url: string, options: ClientOptions = {}): KubeClient {
  const text = JSON.stringify({
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: url } }],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  })
  return KubeClient.fromKubeconfig({ text, random: () => 0, ...options })
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** A `Status` of a failure. */
export function status(code: number, reason: string, message = reason, details: object = {}): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details }
}

export function configMap(name: string, resourceVersion: string, uid = `uid-${name}`): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', resourceVersion, uid } }
}

/** Sends one watch event. */
export function send(response: ServerResponse, type: string, object: unknown): void {
  response.write(`${JSON.stringify({ type, object })}\n`)
}

function discovery(core: boolean): object {
  const items = kinds
    .filter(([group]) => (group === '') === core)
    .map(([group, version, resource, kind, scope]) => ({
      metadata: { name: group },
      versions: [{ version, resources: [{ resource, responseKind: { kind }, scope, verbs: ['get', 'list'] }] }],
    }))
  return { kind: 'APIGroupDiscoveryList', items }
}
