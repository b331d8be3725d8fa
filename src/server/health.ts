import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { messageOf } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'

/** What the probes ask. */
export interface Health {
  /** Why it cannot serve yet, or undefined when it can: informers hold everything. */
  notReady(): string | undefined
}

/** Routes `GET /healthz`, which proves that the process answers, and `GET /readyz`: 200 `ok`, or 503 with the reason. */
export function healthRoutes(server: FastifyInstance, health: Health): void {
  server.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok'))
  server.get('/readyz', async (_request, reply) => {
    const reason = health.notReady()
    return reply
      .code(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(reason ?? 'ok')
  })
}

/** Route `GET /metrics` in Prometheus' text format. */
export function metricsRoute(server: FastifyInstance, registry: Registry, log: Logger): void {
  server.get('/metrics', async (_request, reply) => {
    try {
      return await reply.type(registry.contentType).send(await registry.metrics())
    } catch (error) {
      log.error({ error: messageOf(error) }, 'metrics could not be collected')
      return reply.code(500).send()
    }
  })
}
