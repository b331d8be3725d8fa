import { Buffer } from 'node:buffer'
import type { ApiResource } from './discovery.ts'
import { errorFromStatus, KubeConnectionError, type Status } from './errors.ts'
import type { SelectorOptions } from './list.ts'
import { resourcePath, withQuery } from './paths.ts'
import type { TransportRequest } from './transport.ts'
import { formatGvk, type KubeObject } from './types.ts'

/** One change. A bookmark's object holds only a resourceVersion. */
export interface WatchEvent<T extends KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  object: T
}

export interface WatchOptions extends SelectorOptions {
  /** Changes after this version are reported. */
  resourceVersion: string
  /** The server ends the watch after this many seconds. Default 300. */
  timeoutSeconds?: number
  /** Bytes of one event; default 16 MiB, about ten times what etcd stores. */
  maxEventBytes?: number
  signal?: AbortSignal | undefined
}

/** The stream itself is unusable: no JSON, no event, or one beyond the cap. The same watch would meet it again. */
export class MalformedWatchError extends KubeConnectionError {}

const metadataAccept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
const defaultMaxEventBytes = 16 << 20

/**
 * Watches a kind. Events come in order; the generator ends when the server closes the watch.
 * @throws KubeError for an ERROR event (410: list again) or a refusal; KubeConnectionError for a cut or malformed stream
 */
export async function watch<T extends KubeObject>(
  resource: ApiResource,
  options: WatchOptions,
  open: (request: TransportRequest, idleTimeout: number) => Promise<AsyncIterable<Buffer>>,
): Promise<AsyncGenerator<WatchEvent<T>, void>> {
  const { timeoutSeconds = 300 } = options
  const path = withQuery(resourcePath(resource, { namespace: options.namespace }), {
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion: options.resourceVersion,
    timeoutSeconds,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
  })
  const request: TransportRequest = { method: 'GET', path, signal: options.signal }
  if (options.metadataOnly === true) request.accept = metadataAccept
  // Past the server's own timeout silence means a dead connection.
  const body = await open(request, (timeoutSeconds + 15) * 1000)
  return events<T>(resource, options, body)
}

async function* events<T extends KubeObject>(
  resource: ApiResource,
  options: WatchOptions,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<WatchEvent<T>, void> {
  const label = `watch of ${formatGvk(resource)}`
  for await (const line of lines(body, options.maxEventBytes ?? defaultMaxEventBytes, label, options.signal)) {
    const event = parseEvent<T>(line, label)
    if (event.type === 'ERROR') throw errorFromStatus(event.object as unknown as Status, 500, label)
    event.object.apiVersion = resource.apiVersion
    event.object.kind = resource.kind
    yield event as WatchEvent<T>
  }
}

function parseEvent<T extends KubeObject>(line: string, label: string): { type: string; object: T } {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new MalformedWatchError(`${label}: an event is not JSON`, { cause })
  }
  if (typeof value === 'object' && value !== null && 'type' in value && 'object' in value) {
    if (typeof value.object === 'object' && value.object !== null) return value as { type: string; object: T }
  }
  throw new MalformedWatchError(`${label}: an event has no type and object`)
}

/** Splits a stream into lines; a rest without a line break is a cut stream and an error. */
async function* lines(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  label: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void> {
  let pending: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      let start = 0
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        pending.push(chunk.subarray(start, end))
        const line = Buffer.concat(pending).toString('utf8')
        pending = []
        size = 0
        start = end + 1
        if (line.trim() !== '') yield line
      }
      if (start < chunk.length) pending.push(chunk.subarray(start))
      size += chunk.length - start
      if (size > maxBytes) throw new MalformedWatchError(`${label}: an event is larger than ${maxBytes} bytes`)
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof KubeConnectionError) throw cause
    throw new KubeConnectionError(`${label}: the connection broke`, { cause })
  }
  if (size > 0) throw new KubeConnectionError(`${label}: the stream ends inside an event`)
}
