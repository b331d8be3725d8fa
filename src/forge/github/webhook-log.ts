import { ForgeError } from '../errors.ts'
import type { FailedDelivery, WebhookLog } from '../forge.ts'
import { HookConfig, HookDeliveries, type HookDelivery, Hooks, pageSize } from './app-schemas.ts'
import type { GitHubClient } from './client.ts'
import { Anything } from './schemas.ts'
import { actedOn } from './webhook.ts'

/** Pages of 100 attempts that are read of one webhook at a time. */
const maxPages = 10
/** Webhooks of one repository that lead to us and are looked at; GitHub allows 20. */
const maxHooks = 20
/** Answers of ours that will be the same the next time: not readable, too large, not JSON. */
const final: ReadonlySet<number> = new Set([400, 413, 415])

interface Place {
  route: string
  parameters: Record<string, string | number>
}

/**
 * The one webhook of a GitHub App.
 * Source: GitHub REST API, "GitHub App webhooks".
 */
export function appWebhooks(key: string, client: GitHubClient): WebhookLog {
  const place: Place = { route: '/app/hook/deliveries', parameters: {} }
  return {
    key,
    credential: key,
    type: 'app',
    async failed(url, since, signal) {
      const config = await client.read('/app/hook/config', {}, HookConfig, signal)
      return isBelow(config.data.url, url) ? readFailed(client, place, undefined, since, signal) : []
    },
    redeliver: ({ id }, signal) => askAgain(client, place, id, signal),
  }
}

/**
 * The webhooks of one repository; reading them needs the permission "Webhooks", asking again needs it with write.
 * Source: GitHub REST API, "Repository webhooks".
 */
export function repositoryWebhooks(
  { key, credential }: Pick<WebhookLog, 'key' | 'credential'>,
  client: GitHubClient,
  owner: string,
  repo: string,
): WebhookLog {
  const placeOf = (hook: number): Place => ({
    route: '/repos/{owner}/{repo}/hooks/{hook_id}/deliveries',
    parameters: { owner, repo, hook_id: hook },
  })
  return {
    key,
    credential,
    type: 'repository',
    async failed(url, since, signal) {
      const hooks = await client.read('/repos/{owner}/{repo}/hooks', { owner, repo, per_page: pageSize }, Hooks, signal)
      const ours = hooks.data.filter(({ active, config }) => active && isBelow(config.url, url)).slice(0, maxHooks)
      const lists = ours.map(({ id }) => readFailed(client, placeOf(id), id, since, signal))
      return (await Promise.all(lists)).flat().sort((a, b) => a.firstAt - b.firstAt)
    },
    async redeliver({ hook, id }, signal) {
      if (hook === undefined) throw new ForgeError('invalid', 'a delivery of a repository belongs to a webhook')
      await askAgain(client, placeOf(hook), id, signal)
    },
  }
}

/** Reads attempts, newest first, until `since`; what happened at the edge of the cap is looked at again next time. */
async function readFailed(
  client: GitHubClient,
  { route, parameters }: Place,
  hook: number | undefined,
  since: number,
  signal: AbortSignal | undefined,
): Promise<FailedDelivery[]> {
  const attempts: HookDelivery[] = []
  let cursor: string | undefined
  for (let page = 1; page <= maxPages; page++) {
    const where = { ...parameters, per_page: pageSize, ...(cursor === undefined ? {} : { cursor }) }
    // Only the first page is asked for again at the same address.
    const answer = await client.read(route, where, HookDeliveries, signal, { keep: page === 1 })
    attempts.push(...answer.data.filter(({ delivered_at: at }) => Date.parse(at) >= since))
    const last = answer.data.at(-1)
    const enough = last === undefined || Date.parse(last.delivered_at) < since
    if (enough || answer.cursor === undefined || answer.cursor === cursor) break
    cursor = answer.cursor
  }
  return failedOf(attempts, hook)
}

/** Events of which no attempt succeeded, and of which another one may. */
function failedOf(attempts: readonly HookDelivery[], hook: number | undefined): FailedDelivery[] {
  const byGuid = Map.groupBy(attempts, ({ guid }) => guid)
  return [...byGuid]
    .flatMap(([guid, tries]) => {
      const [newest, ...older] = tries.toSorted((a, b) => timeOf(b) - timeOf(a))
      const taken = tries.some(({ status_code: status }) => status >= 200 && status < 300)
      if (newest === undefined || taken || final.has(newest.status_code) || !actedOn.includes(newest.event)) return []
      // JSON.parse has rounded an id beyond this: asking for it would ask for another delivery.
      if (!Number.isSafeInteger(newest.id)) return []
      const { id, event, status_code: status, repository_id: repository } = newest
      const times = { firstAt: timeOf(older.at(-1) ?? newest), lastAt: timeOf(newest) }
      const about = { hook, repository: hook === undefined ? (repository ?? undefined) : undefined }
      return [{ ...about, guid, id, event, status, attempts: tries.length, ...times }]
    })
    .sort((a, b) => a.firstAt - b.firstAt)
}

async function askAgain(
  client: GitHubClient,
  { route, parameters }: Place,
  id: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await client.write('POST', `${route}/{delivery_id}/attempts`, { ...parameters, delivery_id: id }, Anything, signal)
}

function timeOf({ delivered_at: at }: HookDelivery): number {
  return Date.parse(at)
}

/** Whether an address is one of a server's. */
function isBelow(address: string | undefined, server: string): boolean {
  const [at, below] = [URL.parse(address ?? ''), URL.parse(server)]
  if (at === null || below === null || at.origin !== below.origin) return false
  return at.pathname.startsWith(`${below.pathname.replace(/\/+$/, '')}/webhooks/`)
}
