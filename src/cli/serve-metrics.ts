import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { hasNamespaces } from '../engine/worker/cage.ts'
import type { ForgeRequest } from '../forge/forge.ts'
import type { ObservedRequest } from '../kube/options.ts'
import type { Logger } from '../util/log.ts'

/** Counts requests to forges; gives what observes them. */
export function forgeMetrics(registry: Registry): (request: ForgeRequest) => void {
  const registers = [registry]
  const requests = new Histogram({
    name: 'offshoot_forge_request_seconds',
    help: 'Requests to Git hosts by method, route and status; status 0: no answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const remaining = new Gauge({
    name: 'offshoot_forge_rate_limit_remaining',
    help: 'Requests left in the window of the rate limit, as the last answer said it',
    registers,
  })
  return ({ method, route, status, milliseconds, rateLimitRemaining }) => {
    requests.observe({ method, route, status: String(status) }, milliseconds / 1000)
    if (rateLimitRemaining !== undefined) remaining.set(rateLimitRemaining)
  }
}

/** Tells whether Helm and Kustomize have no network either while projects that nobody trusts are rendered. */
export async function tellIsolation(registry: Registry, log: Logger, isIsolated = hasNamespaces): Promise<void> {
  const isolated = await isIsolated()
  const gauge = new Gauge({
    name: 'offshoot_render_network_isolated',
    help: '1 where the cage that projects are rendered in is without network; 0 where Helm and Kustomize could reach it',
    registers: [registry],
  })
  gauge.set(isolated ? 1 : 0)
  if (isolated) return
  log.warn(
    {},
    'Helm and Kustomize are rendered with this pod’s network: user namespaces are refused here (docs/engine.md)',
  )
}

/** Counts requests to the API server; gives what observes them. */
export function kubernetesMetrics(registry: Registry): (request: ObservedRequest) => void {
  const requests = new Counter({
    name: 'offshoot_kubernetes_requests_total',
    help: 'Requests to the API server by method (WATCH: watches opened), resource and status; status 0: no answer',
    labelNames: ['method', 'resource', 'status'],
    registers: [registry],
  })
  return ({ method, resource, status, watch }) => {
    requests.inc({ method: watch ? 'WATCH' : method, resource, status: String(status) })
  }
}
