import { type Answer, problem } from './answer.ts'
import type { Attempt, Deliveries, Delivery, Hook } from './deliveries.ts'

/** Answers GitHub's endpoints about the deliveries of webhooks. */
export class HookRoutes {
  readonly #deliveries: Deliveries
  readonly #apiUrl: () => string

  constructor(deliveries: Deliveries, apiUrl: () => string) {
    this.#deliveries = deliveries
    this.#apiUrl = apiUrl
  }

  /** `GET /repos/{owner}/{repo}/hooks` and what is below; `path` begins after the repository. */
  ofRepository(fullName: string, hooks: readonly Hook[], method: string, path: string, query: URLSearchParams): Answer {
    const url = `${this.#apiUrl()}/repos/${fullName}/hooks`
    if (method === 'GET' && path === '/hooks') return { status: 200, list: hooks.map(hook => hookShape(url, hook)) }
    const [, id, rest = ''] = /^\/hooks\/(\d+)\/deliveries(.*)$/.exec(path) ?? []
    const hook = hooks.find(each => String(each.id) === id)
    return hook ? this.of(hook, method, rest, query, `${url}/${hook.id}/deliveries`) : problem(404, 'Not Found')
  }

  /** Deliveries of one hook; `path` begins after `/deliveries`. Pages go by cursor, the newest attempt first. */
  of(hook: Hook, method: string, path: string, query: URLSearchParams, url: string): Answer {
    const attempts = this.#deliveries.log
      .filter(delivery => delivery.hook.id === hook.id)
      .flatMap(delivery => delivery.attempts.map(attempt => ({ delivery, attempt })))
      .sort((a, b) => b.attempt.id - a.attempt.id)
    const [, id] = /^\/(\d+)\/attempts$/.exec(path) ?? []
    if (method === 'POST' && id !== undefined) {
      const found = attempts.find(({ attempt }) => String(attempt.id) === id)
      if (!found) return problem(404, 'Not Found')
      void this.#deliveries.redeliver(found.delivery)
      return { status: 202, body: {} }
    }
    if (method !== 'GET' || path !== '') return problem(404, 'Not Found')
    const size = Math.min(100, Number(query.get('per_page') ?? 30) || 30)
    const from = Number(query.get('cursor')?.replace('v1_', '') ?? Number.MAX_SAFE_INTEGER)
    const rest = attempts.filter(({ attempt }) => attempt.id <= from)
    const next = rest[size]
    const link = next && `<${url}?per_page=${size}&cursor=v1_${next.attempt.id}>; rel="next"`
    const body = rest.slice(0, size).map(({ delivery, attempt }) => deliveryShape(delivery, attempt))
    return { status: 200, body, headers: link ? { link } : {} }
  }
}

function hookShape(url: string, hook: Hook): Record<string, unknown> {
  return {
    type: 'Repository',
    id: hook.id,
    name: 'web',
    active: true,
    events: ['*'],
    config: { content_type: 'json', insecure_ssl: '0', url: hook.url, secret: '********' },
    updated_at: '2026-01-01T00:00:00Z',
    created_at: '2026-01-01T00:00:00Z',
    url: `${url}/${hook.id}`,
    test_url: `${url}/${hook.id}/test`,
    ping_url: `${url}/${hook.id}/pings`,
    deliveries_url: `${url}/${hook.id}/deliveries`,
    last_response: { code: null, status: 'unused', message: null },
  }
}

function deliveryShape(delivery: Delivery, attempt: Attempt): Record<string, unknown> {
  const { status } = attempt
  return {
    id: attempt.id,
    guid: delivery.id,
    delivered_at: new Date(attempt.at).toISOString(),
    redelivery: attempt.redelivery,
    duration: 0.1,
    status: status === 0 ? 'failed to connect to host' : status < 300 ? 'OK' : `Invalid HTTP Response: ${status}`,
    status_code: status,
    event: delivery.event,
    action: delivery.action ?? null,
    installation_id: null,
    repository_id: (JSON.parse(delivery.body) as { repository?: { id?: number } }).repository?.id ?? null,
    throttled_at: null,
  }
}
