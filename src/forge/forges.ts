import { credentialKey } from '../util/credential.ts'
import { InvalidInputError } from '../util/errors.ts'
import { LruMap } from '../util/lru.ts'
import { BareGitForge } from './bare-git/forge.ts'
import type { Forge, ForgeDependencies, ForgeOptions, Forges } from './forge.ts'
import { type ClientLimits, GitHubClient } from './github/client.ts'
import { deriveApiUrl } from './github/context.ts'
import { GitHubForge } from './github/forge.ts'

/** Credentials change and projects go: what is no longer asked for is forgotten. */
const maxClients = 1000
const maxForges = 10_000

/**
 * The forges of this process: one client per API and credential, with the rate limit and the answers seen that belong
 * to it; one forge per repository on top.
 * `limits` widens or narrows what a client may do.
 */
export function createForges(dependencies: ForgeDependencies, limits: Partial<ClientLimits> = {}): Forges {
  const clients = new LruMap<string, GitHubClient>(maxClients)
  const forges = new LruMap<string, Forge>(maxForges)

  const clientFor = (options: ForgeOptions): GitHubClient => {
    const apiUrl = checkApiUrl(options)
    const key = JSON.stringify([apiUrl, credentialKey(options.credential)])
    const token = options.credential?.token ?? options.credential?.password
    const client =
      clients.get(key) ?? new GitHubClient({ apiUrl, limits, ...(token === undefined ? {} : { token }) }, dependencies)
    clients.set(key, client)
    return client
  }

  return {
    get(options) {
      const { type, url, apiUrl, credential } = options
      const key = JSON.stringify([type, url, apiUrl ?? null, credentialKey(credential)])
      const known = forges.get(key)
      if (known) return known
      const remote = { url, ...(credential ? { credential } : {}) }
      const forge =
        type === 'github' ? new GitHubForge(url, clientFor(options)) : new BareGitForge(remote, dependencies.git)
      forges.set(key, forge)
      return forge
    },
  }
}

/** @throws InvalidInputError unless it is HTTPS, or HTTP without a credential or on this machine. */
function checkApiUrl({ apiUrl, url, credential }: ForgeOptions): string {
  const base = URL.parse(apiUrl ?? deriveApiUrl(url))
  const loopback = base !== null && /^(127(\.[0-9]+){3}|localhost|\[::1\])$/.test(base.hostname)
  if (base === null || (base.protocol !== 'https:' && base.protocol !== 'http:') || base.username || base.password) {
    throw new InvalidInputError([{ path: 'apiUrl', message: 'expected the base of a REST API: https://host/path' }])
  }
  if (base.protocol === 'http:' && credential !== undefined && !loopback) {
    throw new InvalidInputError([{ path: 'apiUrl', message: 'expected https: a credential is not sent unencrypted' }])
  }
  return base.href.replace(/\/+$/, '')
}
