import type { RequestOptions } from 'node:https'
import { createRequire } from 'node:module'
import type { KubeConfig } from '@kubernetes/client-node'
import type { Clock } from '../util/clock.ts'
import { OffshootError } from '../util/errors.ts'
import { plainKubeconfig } from './plain-kubeconfig.ts'
import { type ClusterConfig, podConfig } from './pod.ts'

/** Where the connection to a cluster is described. Absent fields follow kubectl's rules. */
export interface KubeconfigOptions {
  /** Kubeconfig file; default: `KUBECONFIG`, `~/.kube/config`, then the pod's own account. */
  path?: string
  /** Kubeconfig as text, instead of a file. */
  text?: string
  /** Context to use; default: the file's current one. */
  context?: string
}

/** TLS material and headers for one user of one cluster. */
export interface Access {
  headers: Record<string, string>
  tls: TlsOptions
}

/** What goes to `tls.connect`; absent fields keep Node's defaults. */
export interface TlsOptions {
  ca?: string | Buffer
  cert?: string | Buffer
  key?: string | Buffer
  servername?: string
  rejectUnauthorized?: boolean
}

/** How long access data is reused: token files and exec plugins are asked again after this. */
const refreshMilliseconds = 10_000

const require = createRequire(import.meta.url)

/**
 * The cluster that the options name: the pod's own account where nothing else is asked for, else a kubeconfig's.
 * @throws OffshootError as {@link loadKubeconfig}
 */
export function clusterConfig(options: KubeconfigOptions = {}): ClusterConfig {
  const isAsked = options.text !== undefined || options.path !== undefined || options.context !== undefined
  return (isAsked ? undefined : podConfig()) ?? plainKubeconfig(options) ?? loadKubeconfig(options)
}

/**
 * Loads a kubeconfig, with whatever it may ask for.
 * @throws OffshootError when nothing usable is found or the context does not exist.
 */
export function loadKubeconfig(options: KubeconfigOptions = {}): KubeConfig {
  // Loaded when it is needed: most of the memory and the start of a process would be this library's.
  const library = require('@kubernetes/client-node') as typeof import('@kubernetes/client-node')
  const config = new library.KubeConfig()
  try {
    if (options.text !== undefined) config.loadFromString(options.text)
    else if (options.path !== undefined) config.loadFromFile(options.path)
    else config.loadFromDefault()
  } catch (cause) {
    throw new OffshootError(`cannot load the kubeconfig ${options.path ?? '(default rules)'}`, { cause })
  }
  if (options.context !== undefined) {
    if (!config.getContexts().some(context => context.name === options.context)) {
      const known = config.getContexts().map(context => context.name)
      throw new OffshootError(
        `context "${options.context}" does not exist in the kubeconfig (it has: ${known.join(', ')})`,
      )
    }
    config.setCurrentContext(options.context)
  }
  if (!config.getCurrentCluster()) {
    throw new OffshootError('the kubeconfig names no cluster: set current-context or pass a context')
  }
  // The library refuses plain HTTP (kubectl proxy, our sandbox) unless told that there is no certificate to check.
  config.clusters = config.clusters.map(cluster =>
    cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
  )
  return config
}

/** Keeps one user's credentials fresh: token files, exec plugins, OIDC, client certificates. */
export class Credentials {
  readonly #config: ClusterConfig
  readonly #clock: Clock
  #access: Promise<Access> | undefined
  #fresh: Access | undefined
  #readAt = 0

  constructor(config: ClusterConfig, clock: Clock) {
    this.#config = config
    this.#clock = clock
  }

  /** Base URL of the API server, without a trailing slash. */
  get server(): string {
    const server = this.#config.getCurrentCluster()?.server ?? ''
    return server.endsWith('/') ? server.slice(0, -1) : server
  }

  /** HTTP proxy of the cluster entry, if any. */
  get proxyUrl(): string | undefined {
    return this.#config.getCurrentCluster()?.proxyUrl
  }

  /** Namespace of the current context. */
  get namespace(): string | undefined {
    return this.#config.getContextObject(this.#config.getCurrentContext())?.namespace
  }

  /** Name of the current context. */
  get context(): string {
    return this.#config.getCurrentContext()
  }

  /** Current access data without a wait, if it has been read in the last ten seconds. */
  get fresh(): Access | undefined {
    return this.#clock.now() - this.#readAt < refreshMilliseconds ? this.#fresh : undefined
  }

  /** Current access data; read again every ten seconds. */
  access(): Promise<Access> {
    const now = this.#clock.now()
    if (this.#access && now - this.#readAt < refreshMilliseconds) return this.#access
    const reading = this.#read()
    this.#readAt = now
    this.#access = reading
    this.#fresh = undefined
    reading.then(
      access => {
        if (this.#access === reading) this.#fresh = access
      },
      () => {
        if (this.#access === reading) this.#access = undefined
      },
    )
    return reading
  }

  /** Forgets cached access data, after a 401. */
  invalidate(): void {
    this.#access = undefined
    this.#fresh = undefined
  }

  async #read(): Promise<Access> {
    const raw: RequestOptions & TlsOptions = {}
    try {
      await this.#config.applyToHTTPSOptions(raw)
    } catch (cause) {
      throw new OffshootError('cannot get credentials for the cluster', { cause })
    }
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(raw.headers ?? {})) headers[name.toLowerCase()] = String(value).trim()
    if (raw.auth) headers.authorization = `Basic ${Buffer.from(raw.auth).toString('base64')}`
    const tls: TlsOptions = {}
    if (raw.ca !== undefined) tls.ca = raw.ca
    if (raw.cert !== undefined) tls.cert = raw.cert
    if (raw.key !== undefined) tls.key = raw.key
    if (raw.servername !== undefined) tls.servername = raw.servername
    if (raw.rejectUnauthorized !== undefined) tls.rejectUnauthorized = raw.rejectUnauthorized
    return { headers, tls }
  }
}
