import { systemClock } from '../util/clock.ts'
import { Credentials, clusterConfig } from './config.ts'
import { type ApiResource, Discovery } from './discovery.ts'
import { KubeError } from './errors.ts'
import { type ListOptions, type ListResult, listAll } from './list.ts'
import type {
  ApplyOptions,
  ClientOptions,
  DeleteOptions,
  Identity,
  PatchOptions,
  RequestOptions,
  WriteOptions,
} from './options.ts'
import { type PathParts, type Query, resourcePath, withQuery } from './paths.ts'
import { type Answer, Transport, type TransportRequest } from './transport.ts'
import type { GroupVersionKind, KubeObject, ObjectKey } from './types.ts'
import { type WatchEvent, type WatchOptions, watch } from './watch.ts'

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}
const metadataAccept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

interface Shared {
  transport: Transport
  discovery: Discovery
  onWarning: ((warning: string) => void) | undefined
}

/**
 * A dynamic client: every kind by its apiVersion and kind, objects as plain JSON. All methods throw KubeError when the
 * server refuses, KubeConnectionError when no answer came in time, and the signal's reason when aborted.
 */
export class KubeClient {
  readonly #shared: Shared
  readonly #headers: Record<string, string | string[]>

  private constructor(shared: Shared, headers: Record<string, string | string[]>) {
    this.#shared = shared
    this.#headers = headers
  }

  /**
   * A client for a kubeconfig file, `KUBECONFIG`, `~/.kube/config` or the pod's own account.
   * @throws OffshootError when there is no usable configuration
   */
  static fromKubeconfig(source: string | ClientOptions = {}): KubeClient {
    const options = typeof source === 'string' ? { path: source } : source
    const clock = options.clock ?? systemClock
    const { connections, timeout, maxBodyBytes, observe } = options
    const transport = new Transport(new Credentials(clusterConfig(options), clock), {
      ...(connections === undefined ? {} : { connections }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
      ...(observe === undefined ? {} : { observe }),
      retry: { clock, random: options.random ?? Math.random },
    })
    return new KubeClient({ transport, discovery: new Discovery(transport, clock), onWarning: options.onWarning }, {})
  }

  /** The same connections, with requests made as somebody else. */
  as(identity: Identity): KubeClient {
    if ('serviceAccount' in identity) {
      const { namespace, name } = identity.serviceAccount
      // The server adds the account's groups itself when none are named.
      return new KubeClient(this.#shared, { 'impersonate-user': `system:serviceaccount:${namespace}:${name}` })
    }
    return new KubeClient(this.#shared, {
      'impersonate-user': identity.user,
      ...(identity.groups === undefined ? {} : { 'impersonate-group': identity.groups }),
    })
  }

  /** URL of the API server. */
  get server(): string {
    return this.#shared.transport.credentials.server
  }

  /** Name of the kubeconfig's current context. */
  get context(): string {
    return this.#shared.transport.credentials.context
  }

  /** Namespace of the kubeconfig's current context. */
  get defaultNamespace(): string | undefined {
    return this.#shared.transport.credentials.namespace
  }

  /** The object, or undefined when it does not exist. A kind that does not exist is an error. */
  async get<T extends KubeObject>(key: ObjectKey, options: RequestOptions = {}): Promise<T | undefined> {
    return this.#getAs(key, undefined, options) as Promise<T | undefined>
  }

  /** The object's metadata only, under its own apiVersion and kind. */
  async getMetadata(key: ObjectKey, options: RequestOptions = {}): Promise<KubeObject | undefined> {
    const found = await this.#getAs(key, metadataAccept, options)
    return found && { ...found, apiVersion: key.apiVersion, kind: key.kind }
  }

  /** All objects of a kind, page by page, as of one resourceVersion. */
  async list<T extends KubeObject>(kind: GroupVersionKind, options: ListOptions = {}): Promise<ListResult<T>> {
    const resource = await this.resourceFor(kind, options)
    return listAll<T>(resource, options, request => this.#send(request))
  }

  /** Changes of a kind from a resourceVersion on; ends when the server ends it. See Informer for one that does not. */
  async watch<T extends KubeObject>(
    kind: GroupVersionKind,
    options: WatchOptions,
  ): Promise<AsyncGenerator<WatchEvent<T>, void>> {
    const resource = await this.resourceFor(kind, options)
    return watch<T>(resource, options, (request, idle) =>
      this.#shared.transport.stream({ ...request, headers: this.#headers }, idle),
    )
  }

  /** Creates; `metadata.generateName` may stand for a name. */
  async create<T extends KubeObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace } = object.metadata
    const body = serialize(object)
    return this.#write<T>({ method: 'POST', body }, object, { namespace }, options)
  }

  /** Replaces; with a resourceVersion only if that is still the current one. */
  async replace<T extends KubeObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const body = serialize(object)
    return this.#write<T>({ method: 'PUT', body }, object, object.metadata, options)
  }

  /** Replaces the status and nothing else. */
  async replaceStatus<T extends KubeObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const body = serialize(object)
    return this.#write<T>({ method: 'PUT', body }, object, { ...object.metadata, subresource: 'status' }, options)
  }

  /** Patches an object that exists. */
  async patch<T extends KubeObject>(key: ObjectKey, patch: unknown, options: PatchOptions): Promise<T> {
    const request = { method: 'PATCH', body: serialize(patch), contentType: patchTypes[options.type] } as const
    return this.#write<T>(request, key, { ...key, subresource: options.subresource }, options)
  }

  /** Server-side apply: creates the object or brings the named fields to the given values. */
  async apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    const request = {
      method: 'PATCH',
      // JSON is YAML, and much cheaper to write.
      body: serialize(object),
      contentType: 'application/apply-patch+yaml',
    } as const
    const query = { force: options.force === true ? true : undefined }
    return this.#write<T>(request, object, { ...object.metadata, subresource: options.subresource }, options, query)
  }

  /**
   * Deletes. Gives the object while something still holds it (finalizers, a grace period), undefined when it is gone
   * or never was.
   */
  async delete<T extends KubeObject>(key: ObjectKey, options: DeleteOptions = {}): Promise<T | undefined> {
    const { uid, resourceVersion, propagation, gracePeriodSeconds, dryRun } = options
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion },
      propagationPolicy: propagation,
      gracePeriodSeconds,
      dryRun: dryRun === true ? ['All'] : undefined,
    })
    const resource = await this.resourceFor(key, options)
    try {
      const path = resourcePath(resource, key)
      const answer = await this.#send({ ...requestOptions(options), method: 'DELETE', path, body })
      const left = JSON.parse(answer.body) as T
      return left.metadata?.deletionTimestamp === undefined ? undefined : left
    } catch (error) {
      const isGone = error instanceof KubeError && error.isNotFound && !error.isKindMissing
      if (isGone && options.mustExist !== true) return undefined
      throw error
    }
  }

  /** A token for a ServiceAccount (TokenRequest), valid for `expirationSeconds` (default one hour, at least 600). */
  async createToken(
    namespace: string,
    name: string,
    options: RequestOptions & { expirationSeconds?: number; audiences?: string[] } = {},
  ): Promise<{ token: string; expirationTimestamp: string }> {
    const { expirationSeconds = 3600, audiences } = options
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds, audiences },
    }
    const account = await this.resourceFor({ apiVersion: 'v1', kind: 'ServiceAccount' }, options)
    const path = resourcePath(account, { namespace, name, subresource: 'token' })
    const answer = await this.#send({ ...requestOptions(options), method: 'POST', path, body: JSON.stringify(body) })
    return (JSON.parse(answer.body) as { status: { token: string; expirationTimestamp: string } }).status
  }

  /** How the server serves a kind; asks again when the kind is missing. */
  resourceFor(kind: GroupVersionKind, options: RequestOptions = {}): Promise<ApiResource> {
    return this.#shared.discovery.resourceFor(kind, options)
  }

  /** Every kind the server serves, in all versions, as known for at most `maxAge` milliseconds; default: for ever. */
  allResources(maxAge?: number): Promise<readonly ApiResource[]> {
    return this.#shared.discovery.allResources(maxAge)
  }

  /** Forgets discovery, after CRDs changed. */
  invalidate(): void {
    this.#shared.discovery.invalidate()
  }

  /** The body of any GET, for what is no resource: `/version`, `/readyz`, `/openapi/v3`. */
  async raw(path: string, options: RequestOptions & { accept?: string } = {}): Promise<string> {
    const accept = options.accept ?? '*/*'
    return (await this.#send({ ...requestOptions(options), method: 'GET', path, accept })).body
  }

  /** Closes the connections; this client and those made by `as` cannot be used again. */
  close(): Promise<void> {
    return this.#shared.transport.close()
  }

  async #getAs(key: ObjectKey, accept: string | undefined, options: RequestOptions): Promise<KubeObject | undefined> {
    const resource = await this.resourceFor(key, options)
    const request: TransportRequest = { ...requestOptions(options), method: 'GET', path: resourcePath(resource, key) }
    if (accept !== undefined) request.accept = accept
    try {
      return JSON.parse((await this.#send(request)).body) as KubeObject
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound && !error.isKindMissing) return undefined
      throw error
    }
  }

  async #write<T>(
    request: Pick<TransportRequest, 'method' | 'body' | 'contentType'>,
    kind: GroupVersionKind,
    parts: PathParts,
    options: WriteOptions,
    query: Query = {},
  ): Promise<T> {
    const resource = await this.resourceFor(kind, options)
    const path = withQuery(resourcePath(resource, parts), {
      ...query,
      dryRun: options.dryRun === true ? 'All' : undefined,
      fieldManager: options.fieldManager,
      fieldValidation: options.fieldValidation,
    })
    return JSON.parse((await this.#send({ ...requestOptions(options), ...request, path })).body) as T
  }

  async #send(request: TransportRequest): Promise<Answer> {
    const { transport, discovery } = this.#shared
    const answer = await transport.send({ ...request, headers: this.#headers }).catch(error => {
      // Discovery knew a kind that the server has no more, or serves elsewhere by now.
      if (error instanceof KubeError && error.isKindMissing) discovery.invalidate()
      throw error
    })
    const { warning: warnings = [] } = answer.headers
    for (const warning of [warnings].flat().map(warningText)) {
      this.#shared.onWarning?.(warning)
      request.onWarning?.(warning)
    }
    return answer
  }
}

function requestOptions({ signal, timeout, onWarning }: RequestOptions): RequestOptions {
  return { signal, timeout, onWarning }
}

/** JSON of an object, in which integers that a double cannot hold may be bigints. */
function serialize(object: unknown): string {
  try {
    return JSON.stringify(object)
  } catch {
    return JSON.stringify(object, (_, value: unknown) => (typeof value === 'bigint' ? rawJson(String(value)) : value))
  }
}

/** `JSON.rawJSON` (ES2026), which TypeScript's libraries do not know yet. */
const rawJson = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON

/** The text of a `Warning` header (RFC 7234): `299 - "text"`, where quotes inside are escaped. */
function warningText(header: string): string {
  return header.replace(/^\d+ \S+ "(.*)"$/, '$1').replaceAll(/\\(.)/g, '$1')
}
