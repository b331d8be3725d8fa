import type { Clock } from '../util/clock.ts'
import { KubeError } from './errors.ts'
import type { Transport } from './transport.ts'
import { formatGvk, type GroupVersionKind } from './types.ts'
import { within } from './within.ts'

/** How the API serves one kind. */
export interface ApiResource extends GroupVersionKind {
  /** Name in paths, such as `deployments`. */
  plural: string
  singular: string
  shortNames: readonly string[]
  namespaced: boolean
  verbs: readonly string[]
  /** Such as `status` and `scale`. */
  subresources: readonly string[]
}

interface DiscoveryList {
  items?: {
    metadata?: { name?: string }
    versions?: { version: string; resources?: DiscoveredResource[]; freshness?: string }[]
  }[]
}

interface DiscoveredResource {
  resource: string
  responseKind?: { group?: string; version?: string; kind?: string }
  scope?: string
  singularResource?: string
  verbs?: string[]
  shortNames?: string[]
  subresources?: { subresource: string }[]
}

const accept = ['v2', 'v2beta1']
  .map(version => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(',')

/** A miss asks the server again, but not more often than this (milliseconds). */
const missInterval = 1_000

/** Milliseconds; below the default deadline of requests, so that they fail with the reason why discovery did. */
const loadTimeout = 10_000

/**
 * Which kinds the server has: aggregated discovery (KEP-3352, Kubernetes 1.27 and later), two requests for everything,
 * cached until a kind is missed or {@link Discovery.invalidate} is called.
 */
export class Discovery {
  readonly #transport: Transport
  readonly #clock: Clock
  #resources: Promise<ReadonlyMap<string, ApiResource>> | undefined
  #known: ReadonlyMap<string, ApiResource> | undefined
  #loadedAt = Number.NEGATIVE_INFINITY

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport
    this.#clock = clock
  }

  /**
   * The resource of a kind; `timeout` in milliseconds, default 30,000.
   * @throws KubeError with reason `KindNotFound` when the server has no such kind
   */
  async resourceFor(
    gvk: GroupVersionKind,
    options: { signal?: AbortSignal | undefined; timeout?: number | undefined } = {},
  ): Promise<ApiResource> {
    const id = `${gvk.apiVersion} ${gvk.kind}`
    const known = this.#known?.get(id) ?? (await this.#wait(options)).get(id)
    if (known) return known
    if (this.#clock.now() - this.#loadedAt >= missInterval) {
      this.invalidate()
      const found = (await this.#wait(options)).get(id)
      if (found) return found
    }
    throw new KubeError(404, 'KindNotFound', `the API server has no kind ${formatGvk(gvk)}: is its CRD installed?`)
  }

  /**
   * Every kind that the server serves, all versions; as it was up to `maxAge` milliseconds ago, default: however long
   * ago. Nobody misses a kind that they do not know of.
   */
  async allResources(maxAge = Number.POSITIVE_INFINITY): Promise<readonly ApiResource[]> {
    if (this.#clock.now() - this.#loadedAt > maxAge) this.invalidate()
    return [...(await this.#load()).values()]
  }

  /** Asks the server anew at the next use. */
  invalidate(): void {
    this.#resources = undefined
    this.#known = undefined
  }

  #wait(options: { signal?: AbortSignal | undefined; timeout?: number | undefined }) {
    return within(this.#load(), 'discovery', options.timeout ?? 30_000, options.signal)
  }

  #load(): Promise<ReadonlyMap<string, ApiResource>> {
    if (this.#resources) return this.#resources
    const loading = this.#fetch()
    this.#resources = loading
    this.#loadedAt = this.#clock.now()
    loading.then(
      resources => {
        if (this.#resources === loading) this.#known = resources
      },
      () => {
        if (this.#resources === loading) this.#resources = undefined
      },
    )
    return loading
  }

  async #fetch(): Promise<ReadonlyMap<string, ApiResource>> {
    const answers = await Promise.all(
      ['/api', '/apis'].map(path => this.#transport.send({ method: 'GET', path, accept, timeout: loadTimeout })),
    )
    const resources = new Map<string, ApiResource>()
    for (const answer of answers) {
      for (const resource of parseDiscovery(JSON.parse(answer.body) as DiscoveryList)) {
        resources.set(`${resource.apiVersion} ${resource.kind}`, resource)
      }
    }
    return resources
  }
}

function parseDiscovery(list: DiscoveryList): ApiResource[] {
  const resources: ApiResource[] = []
  if (list.items === undefined) {
    throw new KubeError(
      406,
      'NotAcceptable',
      'the API server has no aggregated discovery: Kubernetes 1.27 or later is needed',
    )
  }
  for (const group of list.items) {
    for (const version of group.versions ?? []) {
      const name = group.metadata?.name ?? ''
      const apiVersion = name === '' ? version.version : `${name}/${version.version}`
      for (const found of version.resources ?? []) {
        // `responseKind` of a subresource-like resource may belong to another group: `kind` alone counts.
        if (found.responseKind?.kind === undefined) continue
        resources.push({
          apiVersion,
          kind: found.responseKind.kind,
          plural: found.resource,
          singular: found.singularResource ?? found.resource,
          shortNames: found.shortNames ?? [],
          namespaced: found.scope === 'Namespaced',
          verbs: found.verbs ?? [],
          subresources: (found.subresources ?? []).map(sub => sub.subresource),
        })
      }
    }
  }
  return resources
}
