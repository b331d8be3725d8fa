import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { Clock } from '../util/clock.ts'
import type { Logger } from '../util/log.ts'
import type { ListenAddress } from './address.ts'
import { BodyBudget } from './body.ts'
import { HandOver } from './hand-over.ts'
import { type Health, healthRoutes, metricsRoute } from './health.ts'
import { serverMetrics } from './metrics.ts'
import { SecretCache } from './secrets.ts'
import type { ReceiveWebhook, WebhookSecretSource, WebhookTarget } from './target.ts'
import { maxDelivery, webhookRoutes } from './webhooks.ts'

/** What the server is given from outside. */
export interface ServerOptions {
  /** Where webhooks arrive. */
  listen: ListenAddress
  /** Where metrics are read; absent: nowhere. Health is answered on both. */
  metricsListen?: ListenAddress
  target: WebhookTarget
  receive: ReceiveWebhook
  secrets: WebhookSecretSource
  health: Health
  registry: Registry
  clock: Clock
  log: Logger
  limits?: Partial<ServerLimits>
}

/** Bounds against floods and slow senders. */
export interface ServerLimits {
  /** Connections at once; more are closed at once. */
  connections: number
  /** A request must have arrived whole after this many milliseconds. */
  requestMilliseconds: number
  /** Headers of one request, in bytes. */
  headerBytes: number
  /** Bodies of all requests together, in bytes. */
  bodyBytes: number
  /** Milliseconds for handing a delivery over to the leader: less than the ten seconds after which forges give up. */
  handOverMilliseconds: number
}

const defaultLimits: ServerLimits = {
  connections: 512,
  requestMilliseconds: 30_000,
  headerBytes: 16_384,
  bodyBytes: 4 * maxDelivery,
  handOverMilliseconds: 8_000,
}

/** Deliveries that a standby hands over at a time. */
const handOversAtOnce = 64

/** A server that listens. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  url: string
  metricsUrl?: string
  /** Takes no new request, lets the running ones end within `milliseconds` (default 10,000), then closes them. */
  close(milliseconds?: number): Promise<void>
}

/** Starts the HTTP servers. @throws when an address cannot be listened on; nothing listens then. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits = { ...defaultLimits, ...options.limits }
  const handOver = createHandOver(options, limits)
  const main = plainServer(limits)
  healthRoutes(main, options.health)
  await main.register(async scope => {
    webhookRoutes(scope, {
      target: options.target,
      receive: options.receive,
      secrets: options.secrets,
      cache: new SecretCache(options.clock),
      budget: new BodyBudget(limits.bodyBytes),
      handOver,
      metrics: serverMetrics(options.registry),
      clock: options.clock,
      log: options.log,
    })
  })
  main.addHook('onClose', () => handOver.close())
  const servers = [main]
  try {
    const url = await listen(main, options.listen)
    if (!options.metricsListen) return { url, close: milliseconds => closeAll(servers, milliseconds) }
    const operations = plainServer(limits)
    servers.push(operations)
    healthRoutes(operations, options.health)
    metricsRoute(operations, options.registry, options.log)
    const metricsUrl = await listen(operations, options.metricsListen)
    return { url, metricsUrl, close: milliseconds => closeAll(servers, milliseconds) }
  } catch (error) {
    await closeAll(servers, 0)
    throw error
  }
}

function createHandOver({ target, log }: ServerOptions, limits: ServerLimits): HandOver {
  return new HandOver({ target, deadline: limits.handOverMilliseconds, atOnce: handOversAtOnce, log })
}

function plainServer(limits: ServerLimits): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit: maxDelivery,
    requestTimeout: limits.requestMilliseconds,
    connectionTimeout: limits.requestMilliseconds,
    keepAliveTimeout: 10_000,
    maxRequestsPerSocket: 1_000,
    routerOptions: { maxParamLength: 260 },
    http: { maxHeaderSize: limits.headerBytes, headersTimeout: Math.min(10_000, limits.requestMilliseconds) },
  })
  server.server.maxConnections = limits.connections
  server.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    reply.header('cache-control', 'no-store')
  })
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }))
  return server
}

async function listen(server: FastifyInstance, address: ListenAddress): Promise<string> {
  await server.listen(address)
  const bound = server.server.address() as AddressInfo
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return `http://${host}:${bound.port}`
}

async function closeAll(servers: FastifyInstance[], milliseconds = 10_000): Promise<void> {
  const force = setTimeout(() => {
    for (const server of servers) server.server.closeAllConnections()
  }, milliseconds)
  try {
    await Promise.all(servers.map(server => server.close()))
  } finally {
    clearTimeout(force)
  }
}
