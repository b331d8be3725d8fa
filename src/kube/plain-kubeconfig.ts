import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { KubeconfigOptions } from './config.ts'
import type { ClusterConfig } from './pod.ts'

const text = z.string()
const unread = z.unknown().optional()

const Cluster = z.strictObject({
  server: text.regex(/^https?:/),
  'certificate-authority': text.optional(),
  'certificate-authority-data': text.optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': text.optional(),
  extensions: unread,
})
const User = z.strictObject({
  token: text.optional(),
  username: text.optional(),
  password: text.optional(),
  'client-certificate': text.optional(),
  'client-certificate-data': text.optional(),
  'client-key': text.optional(),
  'client-key-data': text.optional(),
})
const Context = z.strictObject({ cluster: text, user: text, namespace: text.optional(), extensions: unread })
const named = z.looseObject({ name: text.min(1) })
const Kubeconfig = z.looseObject({
  'current-context': text.optional(),
  clusters: z.array(named),
  users: z.array(named),
  contexts: z.array(named),
})

/**
 * The cluster of a kubeconfig that holds its credentials itself or names files with them; undefined for everything else
 * (exec plugins, OIDC, proxies, several files, mistakes), which is the library's. That costs some 70 MB of memory and
 * half a second of every start, and most kubeconfigs need none of it.
 */
export function plainKubeconfig(
  options: KubeconfigOptions,
  env: NodeJS.ProcessEnv = process.env,
): ClusterConfig | undefined {
  const path = options.text === undefined ? (options.path ?? standardPath(env)) : undefined
  const config = Kubeconfig.safeParse(parsed(options.text ?? (path === undefined ? undefined : contentOf(path)))).data
  if (config === undefined) return undefined
  const name = options.context ?? config['current-context']
  const context = Context.safeParse(only(config.contexts, name)?.context).data
  const cluster = Cluster.safeParse(only(config.clusters, context?.cluster)?.cluster).data
  const user = User.safeParse(only(config.users, context?.user)?.user ?? {}).data
  if (name === undefined || context === undefined || cluster === undefined || user === undefined) return undefined
  if (only(config.users, context.user) === undefined) return undefined
  const folder = path === undefined ? '' : dirname(path)
  const { namespace } = context
  return {
    getCurrentCluster: () => ({ server: cluster.server.replace(/\/$/, '') }),
    getContextObject: () => (namespace === undefined || namespace === '' ? {} : { namespace }),
    getCurrentContext: () => name,
    applyToHTTPSOptions: async request => void Object.assign(request, optionsOf(cluster, user, folder)),
  }
}

/** What a request needs; files are read each time, as they may be replaced. */
function optionsOf(cluster: z.infer<typeof Cluster>, user: z.infer<typeof User>, folder: string) {
  const { username, token } = user
  const insecure = cluster['insecure-skip-tls-verify'] === true || cluster.server.startsWith('http:')
  const servername = cluster['tls-server-name']
  const ca = bytesOf(folder, cluster['certificate-authority'], cluster['certificate-authority-data'])
  const cert = bytesOf(folder, user['client-certificate'], user['client-certificate-data'])
  const key = bytesOf(folder, user['client-key'], user['client-key-data'])
  return {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    ...(username ? { auth: `${username}:${user.password}` } : {}),
    ...(insecure ? { rejectUnauthorized: false } : {}),
    ...(servername ? { servername } : {}),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  }
}

/** A file goes before what stands beside it. */
function bytesOf(folder: string, file: string | undefined, data: string | undefined): Buffer | undefined {
  if (file) return readFileSync(resolve(folder, file))
  return data ? Buffer.from(data, 'base64') : undefined
}

/** The one file that kubectl's rules name; undefined where they name none, or several. */
function standardPath({ KUBECONFIG = '', HOME = homedir() }: NodeJS.ProcessEnv): string | undefined {
  const files = KUBECONFIG.split(delimiter).filter(file => file !== '')
  if (files.length > 0) return files.length === 1 ? files[0] : undefined
  const path = join(HOME, '.kube', 'config')
  return existsSync(path) ? path : undefined
}

/** Undefined when it cannot be read: the library says why. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function parsed(content: string | undefined): unknown {
  try {
    return content === undefined ? undefined : parse(content)
  } catch {
    return undefined
  }
}

/** The only entry of a name; of two the library decides. */
function only<T extends { name: string }>(entries: readonly T[], name: string | undefined): T | undefined {
  const found = entries.filter(entry => entry.name === name)
  return found.length === 1 ? found[0] : undefined
}
