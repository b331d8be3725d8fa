import type { ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Informer, type InformerOptions } from '../../src/kube/informer.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { waitFor } from '../harness/wait.ts'
import { configMap, json, type OddServer, send, startOddServer, status } from './api-server.ts'

function start(server: OddServer, options: Partial<InformerOptions<KubeObject>> = {}) {
  const log: string[] = []
  const informer = new Informer<KubeObject>(server.client, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    random: () => 0,
    backoff: { first: 1, max: 4 },
    ...options,
  })
  informer.addHandler({
    onAdd: object => log.push(`add ${object.metadata.name}`),
    onUpdate: (object, old) =>
      log.push(`update ${object.metadata.name} ${old.metadata.resourceVersion}>${object.metadata.resourceVersion}`),
    onDelete: object => log.push(`delete ${object.metadata.name}`),
  })
  informer.start()
  onTestFinished(() => informer.close())
  return { informer, log }
}

const list = (items: KubeObject[], resourceVersion: string) => ({ metadata: { resourceVersion }, items })

/** Serves lists and watches one after the other; the last of each stays. */
function script(
  server: OddServer,
  lists: ((response: ServerResponse) => void)[],
  watches: ((response: ServerResponse) => void)[],
) {
  server.handle((request, response) => {
    const steps = request.url?.includes('watch=true') ? watches : lists
    const step = steps.length > 1 ? steps.shift() : steps[0]
    step?.(response)
  })
}
const answer = (items: KubeObject[], version: string) => (response: ServerResponse) =>
  json(response, 200, list(items, version))
const hang = (response: ServerResponse) => response.writeHead(200).flushHeaders()
const seen = (log: string[], length: number) =>
  waitFor(() => log.length >= length, { describe: () => `${length} of: ${log.join('; ')}`, deadline: 5_000 })

describe('Informer', () => {
  it('lists, then follows the watch', async () => {
    const server = await startOddServer()
    script(
      server,
      [answer([configMap('a', '1')], '5')],
      [
        response => {
          send(response, 'ADDED', configMap('b', '6'))
          send(response, 'MODIFIED', configMap('a', '7'))
          send(response, 'DELETED', configMap('b', '8'))
        },
      ],
    )
    const { informer, log } = start(server)
    await informer.synced
    await seen(log, 4)
    expect(log).toEqual(['add a', 'add b', 'update a 1>7', 'delete b'])
    expect(server.requests[1]).toContain('resourceVersion=5')
    expect(informer.list().map(object => object.metadata.name)).toEqual(['a'])
  })

  it('goes on from a bookmark', async () => {
    const server = await startOddServer()
    script(
      server,
      [answer([], '5')],
      [
        response => {
          send(response, 'BOOKMARK', { metadata: { resourceVersion: '42' } })
          response.end()
        },
        hang,
      ],
    )
    start(server)
    await waitFor(() => server.requests.some(url => url.includes('resourceVersion=42')), { deadline: 5_000 })
  })

  it.each([
    ['an ERROR event 410', (response: ServerResponse) => send(response, 'ERROR', status(410, 'Expired'))],
    ['an ERROR event 500', (response: ServerResponse) => send(response, 'ERROR', status(500, 'InternalError'))],
    ['HTTP 410', (response: ServerResponse) => json(response, 410, status(410, 'Gone'))],
    ['an event that is not JSON', (response: ServerResponse) => response.write('{"type": oops}\n')],
    ['an event without an object', (response: ServerResponse) => response.write('{"type":"ADDED"}\n')],
    ['an endless line', (response: ServerResponse) => response.write('x'.repeat(5_000))],
  ])('lists again after %s and finds what it missed', async (_, fail) => {
    const server = await startOddServer()
    script(
      server,
      [
        answer([configMap('a', '1'), configMap('b', '2')], '5'),
        answer([configMap('b', '9'), configMap('c', '8')], '10'),
      ],
      [fail, hang],
    )
    const { log } = start(server, { maxEventBytes: 4_096 })
    await seen(log, 5)
    expect(log).toEqual(['add a', 'add b', 'delete a', 'update b 2>9', 'add c'])
  })

  it.each([
    ['is cut inside an event', (response: ServerResponse) => response.end('{"type":"ADDED","obj')],
    ['loses its connection', (response: ServerResponse) => response.socket?.destroy()],
    ['is refused with 500', (response: ServerResponse) => json(response, 500, status(500, 'InternalError'))],
    ['is refused with 403', (response: ServerResponse) => json(response, 403, status(403, 'Forbidden'))],
  ])('watches again from where it was when the watch %s', async (_, fail) => {
    const server = await startOddServer()
    script(
      server,
      [answer([], '5')],
      [
        response => {
          send(response, 'ADDED', configMap('a', '6'))
          response.end()
        },
        fail,
        fail,
        response => send(response, 'ADDED', configMap('b', '7')),
      ],
    )
    const { log } = start(server)
    await seen(log, 2)
    expect(log).toEqual(['add a', 'add b'])
    expect(server.requests.filter(url => !url.includes('watch=true'))).toHaveLength(1)
    expect(server.requests.at(-1)).toContain('resourceVersion=6')
  })

  it('outlasts any number of failed lists', async () => {
    const server = await startOddServer()
    const failures = Array.from({ length: 15 }, (_, index) => (response: ServerResponse) => {
      if (index % 3 === 0) json(response, 500, status(500, 'InternalError'))
      else if (index % 3 === 1) json(response, 403, status(403, 'Forbidden'))
      else response.writeHead(200).end('{"items": [')
    })
    script(server, [...failures, answer([configMap('a', '1')], '5')], [hang])
    const { informer } = start(server)
    expect(informer.hasSynced).toBe(false)
    await informer.synced
    expect(informer.size).toBe(1)
    expect(informer.failures).toBeGreaterThanOrEqual(15)
  })

  it('keeps what it knows while the server is away', async () => {
    const server = await startOddServer()
    let down = false
    server.handle((request, response) => {
      if (down) request.socket.destroy()
      else if (request.url?.includes('watch=true')) hang(response)
      else answer([configMap('a', '1')], '5')(response)
    })
    const { informer, log } = start(server)
    await informer.synced
    await waitFor(() => server.requests.length === 2)
    down = true
    server.cut()
    await waitFor(() => informer.failures > 2, { deadline: 5_000 })
    expect(log).toEqual(['add a'])
    expect(informer.get('default', 'a')).toBeDefined()
  })

  it('shows a write at once and tells of it once', async () => {
    const server = await startOddServer()
    const opened = Promise.withResolvers<ServerResponse>()
    script(
      server,
      [answer([configMap('a', '1')], '5')],
      [
        response => {
          hang(response)
          opened.resolve(response)
        },
      ],
    )
    const { informer, log } = start(server)
    const response = await opened.promise
    informer.assume(configMap('a', '8'))
    expect(informer.get('default', 'a')?.metadata.resourceVersion).toBe('8')
    send(response, 'MODIFIED', configMap('a', '7'))
    send(response, 'MODIFIED', configMap('a', '8'))
    send(response, 'ADDED', configMap('end', '9'))
    await seen(log, 3)
    expect(log).toEqual(['add a', 'update a 1>8', 'add end'])
  })

  it('tells when its watch has come as far as a write, or that it has not in time', async () => {
    const server = await startOddServer()
    const watch = Promise.withResolvers<ServerResponse>()
    script(server, [answer([], '5')], [response => watch.resolve(response)])
    const { informer } = start(server)
    const { signal } = new AbortController()
    await informer.synced
    informer.assume(configMap('a', '8'))
    expect(await informer.hears('5', 60_000, signal)).toBe(true)
    expect(await informer.hears('8', 1, signal)).toBe(false)
    const heard = informer.hears('8', 60_000, signal)
    send(await watch.promise, 'ADDED', configMap('a', '8'))
    expect(await heard).toBe(true)
    await expect(informer.hears('9', 60_000, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
  })

  it('does not bring a deleted object back', async () => {
    const server = await startOddServer()
    script(server, [answer([configMap('a', '1')], '5')], [response => send(response, 'DELETED', configMap('a', '9'))])
    const { informer, log } = start(server)
    await seen(log, 2)
    informer.assume(configMap('a', '8'))
    expect(informer.size).toBe(0)
    informer.assume(configMap('a', '12', 'another-uid'))
    expect(log).toEqual(['add a', 'delete a', 'add a'])
  })

  it('finds objects by index, also after they moved', async () => {
    const server = await startOddServer()
    script(server, [answer([], '5')], [hang])
    const owner = (object: KubeObject) => [object.metadata.labels?.owner ?? 'nobody']
    const { informer } = start(server, { indexes: { owner } })
    await informer.synced
    const labelled = (version: string, label: string) => {
      const object = configMap('a', version)
      return { ...object, metadata: { ...object.metadata, labels: { owner: label } } }
    }
    informer.assume(labelled('6', 'x'))
    informer.assume(labelled('7', 'y'))
    expect(informer.byIndex('owner', 'x')).toEqual([])
    expect(informer.byIndex('owner', 'y')).toHaveLength(1)
    expect(() => informer.byIndex('nonsense', 'y')).toThrow(/no index/)
  })

  it('keeps of an assumed object only what it keeps of all', async () => {
    const server = await startOddServer()
    script(server, [answer([], '5')], [hang])
    const { informer } = start(server, { metadataOnly: true })
    await informer.synced
    informer.assume({ ...configMap('a', '6'), data: { big: 'x' } })
    expect(informer.get('default', 'a')).toEqual(configMap('a', '6'))
  })

  it('drops managedFields and survives a handler that throws', async () => {
    const server = await startOddServer()
    const object = configMap('a', '1')
    script(server, [answer([{ ...object, metadata: { ...object.metadata, managedFields: [{}] } }], '5')], [hang])
    const { informer } = start(server)
    informer.addHandler({
      onAdd: () => {
        throw new Error('broken')
      },
    })
    await informer.synced
    expect(informer.get('default', 'a')?.metadata).not.toHaveProperty('managedFields')
  })
})
