import { EngineError } from '../../errors.ts'
import { exchange, type HttpAnswer, HttpError, parseHttpUrl } from '../../http.ts'
import type { FoundSecret, SecretQuery } from '../remote.ts'
import type { RemoteHost } from './direct.ts'

type VaultQuery = Extract<SecretQuery, { store: 'vault' }>

const attempts = 3

/**
 * A secret of HashiCorp Vault's KV engine as JSON: `data.data` of version 2, `data` of version 1. `VAULT_TOKEN` and
 * `VAULT_NAMESPACE` of the environment open it.
 * @throws EngineError
 */
export async function vaultSecret(host: RemoteHost, query: VaultQuery, signal: AbortSignal): Promise<FoundSecret> {
  const path = query.path.replace(/^\/+/, '')
  const answer = await vaultRequest(host, query.address, path, undefined, signal)
  const data = answer === undefined ? undefined : mapAt(answer, 'data')
  // Version 2 answers for a deleted version with its metadata and no data.
  const inner = data === undefined || !('metadata' in data && 'data' in data) ? data : mapAt(data, 'data')
  if (inner === undefined) return { missing: `the specified vault secret was not found: ${path}` }
  return { text: JSON.stringify(mapAt(inner, 'data') ?? inner) }
}

/** An answer of Vault's API; undefined for 404 without data. A body makes it a POST. @throws EngineError */
export async function vaultRequest(
  host: RemoteHost,
  address: string,
  path: string,
  body: Readonly<Record<string, string>> | undefined,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const url = new URL(`v1/${path}`, `${parseHttpUrl(address).href.replace(/\/*$/, '')}/`).href
  const token = host.environment.VAULT_TOKEN
  const namespace = host.environment.VAULT_NAMESPACE
  const headers = {
    'x-vault-request': 'true',
    ...(token ? { 'x-vault-token': token } : {}),
    ...(namespace ? { 'x-vault-namespace': namespace } : {}),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const request = {
    url,
    headers,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    maxBytes: 16 * 1024 * 1024,
    deadline: 15_000,
    signal,
    redirects: 1,
    allowsUrl: (one: string) => host.policy.allowsUrl(one),
  }
  const answer = await withRetries(host, signal, () => exchange(request))
  const json = parsed(answer)
  if (answer.status === 404) return json !== undefined && mapAt(json, 'data') !== undefined ? json : undefined
  if (answer.status < 300 && json !== undefined) return json
  const errors = Array.isArray(json?.errors) ? json.errors.join('; ') : ''
  const hint = answer.status === 403 && !token ? ' (VAULT_TOKEN is not set)' : ''
  throw new EngineError(`reading from vault failed: ${path}: HTTP ${answer.status}${errors && `: ${errors}`}${hint}`)
}

async function withRetries(
  host: RemoteHost,
  signal: AbortSignal,
  send: () => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await send()
      if (attempt >= attempts || (answer.status < 500 && answer.status !== 429)) return answer
    } catch (error) {
      if (attempt >= attempts || !(error instanceof HttpError)) throw error
    }
    await host.clock.sleep(500 * attempt, signal)
  }
}

function parsed(answer: HttpAnswer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(answer.body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // Not Vault's own answer, such as a proxy's page: the status says enough.
    return undefined
  }
}

function mapAt(value: Record<string, unknown>, key: string): Record<string, unknown> | undefined {
  const inner = value[key]
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    ? (inner as Record<string, unknown>)
    : undefined
}
