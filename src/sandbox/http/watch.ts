import type { ServerResponse } from 'node:http'
import type { KubeObject } from '../../kube/types.ts'
import type { Api } from '../api.ts'
import { badRequest, expired, StatusError } from '../errors.ts'
import { asServed } from '../kinds/versions.ts'
import type { Change } from '../store/history.ts'
import type { Stored } from '../store/store.ts'
import { tableOf } from '../tables/table.ts'
import { matcherOf, metadataOnly, objectJson, type Selection } from './read.ts'

const bookmarkMilliseconds = 30_000
const maxTimeoutSeconds = 3_600
/** Bytes that may wait for a slow client before its watch is cut off. */
const maxPending = 64 << 20

/**
 * Answers a watch: what has happened since a revision, then what happens, until the client or its timeout ends it.
 * @throws StatusError (400) for a resourceVersion that is no number
 */
export function watchObjects(api: Api, selection: Selection, response: ServerResponse): void {
  const { resource, query } = selection
  const from = query.get('resourceVersion') ?? ''
  if (from !== '' && !/^\d{1,16}$/.test(from)) throw badRequest(`invalid resource version ${JSON.stringify(from)}`)
  const initial = query.get('sendInitialEvents') === 'true'
  const watch = new Watch(api, selection, response)
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
  response.flushHeaders()
  const revision = Number(from === '' ? 0 : from)
  if (revision > api.store.revision + 1_000_000) {
    watch.fail(new StatusError(504, 'Timeout', 'Too large resource version'))
    return
  }
  if (initial || revision === 0) watch.sendAll(initial)
  else {
    const since = api.store.changes(resource.storage, revision)
    if (!since) {
      watch.fail(expired(`too old resource version: ${revision}`))
      return
    }
    for (const change of since) watch.send(change)
  }
  watch.follow()
}

class Watch {
  readonly #api: Api
  readonly #selection: Selection
  readonly #response: ServerResponse
  readonly #matches: ((object: KubeObject) => boolean) | undefined
  readonly #bookmarks: boolean
  #sentColumns = false

  constructor(api: Api, selection: Selection, response: ServerResponse) {
    this.#api = api
    this.#selection = selection
    this.#response = response
    this.#matches = matcherOf(selection)
    this.#bookmarks = selection.query.get('allowWatchBookmarks') === 'true'
  }

  /** Every object there is, and that this was all if the client asked for it. */
  sendAll(mark: boolean): void {
    const { resource, namespace } = this.#selection
    const found = [...this.#api.store.list(resource.storage, namespace)]
    found.sort((a, b) => a.revision - b.revision)
    for (const stored of found) if (this.#fits(stored)) this.#write('ADDED', stored)
    if (mark && this.#bookmarks) this.#bookmark({ 'k8s.io/initial-events-end': 'true' })
  }

  /** A change, as the selection sees it: an object that stops matching counts as deleted. */
  send({ type, current, previous }: Change): void {
    const { namespace } = this.#selection
    if (namespace !== undefined && current.namespace !== namespace) return
    const was = previous !== undefined && this.#fits(previous)
    const is = type !== 'DELETED' && this.#fits(current)
    if (is) this.#write(was ? 'MODIFIED' : 'ADDED', current)
    else if (was) this.#write('DELETED', type === 'DELETED' ? current : leaving(previous, current))
  }

  /** Sends what happens from now on. */
  follow(): void {
    const { resource, query } = this.#selection
    const end = this.#api.store.subscribe(resource.storage, change => this.send(change))
    const asked = Number(query.get('timeoutSeconds') ?? 0)
    const seconds = asked > 0 ? Math.min(asked, maxTimeoutSeconds) : maxTimeoutSeconds
    const beat = setInterval(() => this.#bookmark({}), bookmarkMilliseconds)
    const timer = setTimeout(() => {
      this.#bookmark({})
      this.#response.end()
    }, seconds * 1000)
    this.#response.once('close', () => {
      end()
      clearInterval(beat)
      clearTimeout(timer)
    })
  }

  /** Ends the watch with an error event. */
  fail(error: StatusError): void {
    const status = { ...error.status, apiVersion: 'v1', metadata: {} }
    this.#response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)
  }

  #fits({ object, namespace }: Stored): boolean {
    const { resource, namespace: wanted } = this.#selection
    if (wanted !== undefined && namespace !== wanted) return false
    return this.#matches === undefined || this.#matches(asServed(object, resource))
  }

  #write(type: string, stored: Stored): void {
    const response = this.#response
    if (response.writableEnded || response.destroyed) return
    response.write(`{"type":"${type}","object":${this.#json(stored)}}\n`)
    if (response.writableLength > maxPending) response.destroy()
  }

  #json(stored: Stored): string {
    const { resource, form, query } = this.#selection
    if (form !== 'table') return objectJson(stored, resource, form)
    const options = { includeObject: query.get('includeObject') ?? 'Metadata' }
    const table = tableOf([asServed(stored.object, resource)], resource, this.#api, options, stored.revision)
    if (this.#sentColumns) table.columnDefinitions = []
    this.#sentColumns = true
    return JSON.stringify(table)
  }

  #bookmark(annotations: Record<string, string>): void {
    const { resource, form } = this.#selection
    if (!this.#bookmarks || this.#response.writableEnded || this.#response.destroyed) return
    const metadata = {
      resourceVersion: String(this.#api.store.revision),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    }
    const whole: KubeObject = { kind: resource.kind, apiVersion: resource.apiVersion, metadata }
    const object = form === 'metadata' ? metadataOnly(whole) : whole
    this.#response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`)
  }
}

/** An object that left the selection, in its last state inside and with the resourceVersion of the change. */
function leaving(previous: Stored, current: Stored): Stored {
  const metadata = { ...previous.object.metadata, resourceVersion: String(current.revision) }
  const object = { ...previous.object, metadata }
  return { ...previous, object, json: JSON.stringify(object), revision: current.revision }
}
