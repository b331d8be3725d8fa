import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where Kubernetes mounts a pod's own account. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** What a client is made from: one cluster and who speaks to it. */
export interface ClusterConfig {
  getCurrentCluster(): { server: string; proxyUrl?: string } | null
  getContextObject(name: string): { namespace?: string } | null
  getCurrentContext(): string
  /** Puts certificate authority and credentials, as they are now, into the options. */
  applyToHTTPSOptions(options: RequestOptions): Promise<void>
}

/**
 * The account of the pod that this runs in; undefined outside of pods, or where a kubeconfig goes before it. The library
 * knows this too, but costs some 80 MB of memory, which an installed controller has no other use for.
 */
export function podConfig(
  env: NodeJS.ProcessEnv = process.env,
  { home = homedir(), folder = accountFolder }: { home?: string; folder?: string } = {},
): ClusterConfig | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
  if (host === undefined || host === '' || (env.KUBECONFIG ?? '') !== '') return undefined
  if (existsSync(join(home, '.kube', 'config')) || !existsSync(join(folder, 'token'))) return undefined
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    getCurrentCluster: () => ({ server }),
    getContextObject: () => namespaceIn(folder),
    getCurrentContext: () => 'pod',
    // Both files are replaced while the pod runs.
    async applyToHTTPSOptions(options) {
      const [token, ca] = await Promise.all([readFile(join(folder, 'token'), 'utf8'), readFile(join(folder, 'ca.crt'))])
      Object.assign(options, { ca, headers: { authorization: `Bearer ${token.trim()}` } })
    },
  }
}

function namespaceIn(folder: string): { namespace?: string } {
  const path = join(folder, 'namespace')
  return existsSync(path) ? { namespace: readFileSync(path, 'utf8').trim() } : {}
}
