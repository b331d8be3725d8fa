import { describe, expect, it } from 'vitest'
import { deleteObjects, deploy } from '../../../src/engine/cluster/deployment.ts'
import { follow } from '../../../src/engine/cluster/follow.ts'
import { isTransient, Retrier, retryDeadline } from '../../../src/engine/cluster/retrying.ts'
import type { ClusterContext } from '../../../src/engine/cluster/types.ts'
import { silentProgress } from '../../../src/engine/host.ts'
import { Problems } from '../../../src/engine/plan/problems.ts'
import { KubeError } from '../../../src/kube/errors.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { configMap, type Handler, json, send, startOddServer, status } from '../../kube/api-server.ts'
import { itemOf, mapOf } from '../plan/plan-items.ts'

/** A clock on which waiting takes no time but counts. */
function fastClock() {
  let time = 0
  const sleeps: number[] = []
  return {
    sleeps,
    now: () => time,
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      signal?.throwIfAborted()
      time += milliseconds
      sleeps.push(milliseconds)
    },
  }
}

async function world(handler: Handler) {
  const server = await startOddServer()
  server.handle(handler)
  const clock = fastClock()
  const problems = new Problems()
  const signal = new AbortController().signal
  const context: ClusterContext = {
    kube: server.client,
    clock,
    random: () => 0,
    progress: silentProgress,
    problems,
    signal,
  }
  return { server, clock, problems, context }
}

const none = { get: () => undefined, all: () => [] }
const applied = { ...configMap('map', '1'), metadata: { name: 'map', namespace: 'ns', resourceVersion: '1' } }
const modified = status(409, 'Conflict', 'the object has been modified')
const item = () => itemOf({ path: 'a' }, [mapOf('map')])

describe('an apply', () => {
  it.each<[string, Handler]>([
    ['500', (_, response) => json(response, 500, status(500, 'InternalError', 'etcd is away'))],
    ['503', (_, response) => json(response, 503, status(503, 'ServiceUnavailable'))],
    ['429', (_, response) => json(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '0' })],
    ['a lost race', (_, response) => json(response, 409, modified)],
    ['a lost connection', request => void request.socket.destroy()],
  ])('is sent again after %s', async (_, fail) => {
    const { server, problems, context } = await world((request, response, body) => {
      if (server.requests.length < 3) fail(request, response, body)
      else json(response, 200, applied)
    })
    const { applied: done } = await deploy(context, [item()], none)
    expect([problems.errors, done.size, server.requests.length]).toEqual([[], 1, 3])
  })

  it('is given up after the deadline, with the last error; what fails alike after it is not waited for again', async () => {
    const { server, clock, problems, context } = await world((_, response) =>
      json(response, 500, status(500, 'InternalError', 'the webhook is away')),
    )
    await deploy(context, [itemOf({ path: 'a' }, [mapOf('one'), mapOf('two')])], none)
    expect(problems.errors.map(({ message }) => message)).toEqual([
      'failed to patch ns/ConfigMap/one: the webhook is away',
      'failed to patch ns/ConfigMap/two: the webhook is away',
    ])
    expect(clock.now()).toBeGreaterThan(retryDeadline / 2)
    expect(clock.now()).toBeLessThanOrEqual(retryDeadline)
    expect(server.requests.filter(request => request.includes('/two'))).toHaveLength(1)
  })

  it.each([400, 401, 403, 422])('that is refused by %d is not sent again', async code => {
    const { server, problems, context } = await world((_, response) => json(response, code, status(code, 'No', 'no')))
    await deploy(context, [item()], none)
    expect([problems.errors.length, server.requests.length]).toEqual([1, 1])
  })
})

it('a replace takes the version that is current when it lost a race', async () => {
  const sent: unknown[] = []
  const { problems, context } = await world((request, response, body) => {
    if (request.method === 'PATCH') json(response, 422, status(422, 'Invalid', 'immutable'))
    else if (request.method === 'GET') json(response, 200, configMap('map', '7'))
    else {
      const { metadata } = JSON.parse(body) as KubeObject
      sent.push(metadata.resourceVersion)
      if (metadata.resourceVersion === '7') json(response, 200, applied)
      else json(response, 409, modified)
    }
  })
  const remote = {
    get: () => ({ ...mapOf('map'), metadata: { name: 'map', namespace: 'ns', resourceVersion: '5' } }),
    all: () => [],
  }
  const { applied: done } = await deploy(context, [item()], remote, { replaceOnError: true })
  expect([problems.errors, done.size, sent]).toEqual([[], 1, ['5', '7']])
})

it('a delete whose answer was lost counts, though nothing is there the second time', async () => {
  const { server, problems, context } = await world((request, response) => {
    if (server.requests.length === 1) request.socket.destroy()
    else json(response, 404, status(404, 'NotFound', 'not found', { name: 'map', kind: 'configmaps' }))
  })
  const ref = { version: 'v1', kind: 'ConfigMap', name: 'map', namespace: 'ns' }
  expect(await deleteObjects(context, [ref], { wait: true })).toEqual([ref])
  expect([problems.errors, server.requests.length]).toEqual([[], 2])
})

it('a watch that breaks, expires or is put off goes on with a list', async () => {
  let watches = 0
  const { server, context } = await world((request, response) => {
    if (!request.url?.includes('watch=true')) {
      json(response, 200, { metadata: { resourceVersion: '1' }, items: watches < 4 ? [] : [configMap('map', '2')] })
      return
    }
    switch (watches++) {
      case 0:
        return void request.socket.destroy()
      case 1:
        return json(response, 410, status(410, 'Expired'))
      case 2:
        return json(response, 503, status(503, 'ServiceUnavailable'))
      default:
        response.writeHead(200, { 'content-type': 'application/json' })
        send(response, 'ERROR', status(410, 'Expired'))
        response.end()
    }
  })
  const seen: unknown[] = []
  const look = (object: KubeObject | undefined) => {
    seen.push(object?.metadata.name)
    return object !== undefined
  }
  const ref = { version: 'v1', kind: 'ConfigMap', name: 'map', namespace: 'default' }
  await follow(context, ref, look, context.signal)
  expect([watches, seen.at(-1)]).toEqual([4, 'map'])
  expect(server.requests.every(request => request.includes('fieldSelector=metadata.name%3Dmap'))).toBe(true)
})

it('an object without its namespace is not looked for in all of them', async () => {
  const { server, context } = await world((_, response) => json(response, 200, { items: [configMap('map', '2')] }))
  const ref = { version: 'v1', kind: 'ConfigMap', name: 'map' }
  await expect(follow(context, ref, () => true, context.signal)).rejects.toThrow('needs a namespace')
  expect(server.requests).toEqual([])
})

it('what is wrong with the looking itself ends it', async () => {
  const { context } = await world((_, response) => json(response, 200, { items: [] }))
  const ref = { version: 'v1', kind: 'ConfigMap', name: 'map', namespace: 'ns' }
  const look = () => {
    throw new TypeError('a mistake')
  }
  await expect(follow(context, ref, look, context.signal)).rejects.toThrow('a mistake')
})

it('fields of others are no lost race', () => {
  const conflict = new KubeError(409, 'Conflict', '', { causes: [{ reason: 'FieldManagerConflict' }] })
  expect(isTransient(conflict)).toBe(false)
})

it('nothing is sent again once it is aborted', async () => {
  const stop = new AbortController()
  let tries = 0
  const retrier = new Retrier({ clock: fastClock(), random: () => 0 })
  const work = async () => {
    tries++
    stop.abort(new Error('interrupted'))
    throw new KubeError(503, 'ServiceUnavailable', 'away')
  }
  await expect(retrier.run(work, stop.signal)).rejects.toThrow('away')
  await expect(retrier.run(work, stop.signal)).rejects.toThrow('interrupted')
  expect(tries).toBe(1)
})
