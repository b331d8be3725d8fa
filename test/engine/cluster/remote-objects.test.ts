import { describe, expect, it } from 'vitest'
import { findRemoteObjects, type RemoteRequest } from '../../../src/engine/cluster/remote-objects.ts'
import { silentProgress } from '../../../src/engine/host.ts'
import { Problems } from '../../../src/engine/plan/problems.ts'
import type { ObjectRef } from '../../../src/engine/plan/types.ts'
import { FakeClock } from '../../controller/fake-clock.ts'
import { configMap, type Handler, json, startOddServer, status } from '../../kube/api-server.ts'

const configMaps = '/api/v1/configmaps'
const leases = '/apis/coordination.k8s.io/v1/leases'

/** A server that has nothing, but for what `paths` answer. */
async function world(paths: Record<string, Handler> = {}) {
  const clock = new FakeClock()
  const server = await startOddServer({ clock })
  server.handle((request, response, body) => {
    const path = (request.url ?? '').replace(/\?.*/, '')
    const handler = paths[path]
    if (handler !== undefined) handler(request, response, body)
    else if (path.endsWith('s')) json(response, 200, { items: [] })
    else json(response, 404, status(404, 'NotFound', 'not there', { name: path, kind: 'x' }))
  })
  const problems = new Problems()
  const abort = new AbortController()
  const context = { kube: server.client, clock, problems, random: () => 0, progress: silentProgress }
  const find = (request: Partial<RemoteRequest> = {}) =>
    findRemoteObjects({ ...context, signal: abort.signal }, { discriminator: 'd', refs: [], ...request })
  const asked = () => server.requests.map(request => request.replace(/\?.*/, ''))
  return { find, asked, server, clock, abort, problems }
}

const listOf =
  (...names: string[]): Handler =>
  (_, response) =>
    json(response, 200, { items: names.map(name => configMap(name, '1')) })

const refuse: Handler = (_, response) => json(response, 403, status(403, 'Forbidden', 'may not'))
const ref = (name: string, namespace = 'default'): ObjectRef => ({ version: 'v1', kind: 'ConfigMap', name, namespace })

describe('finding objects', () => {
  it('asks for each kind once, by label, whole only where the kind is rendered', async () => {
    const accepts: Record<string, string | undefined> = {}
    const note: Handler = (request, response) => {
      accepts[(request.url ?? '').replace(/\?.*/, '')] = request.headers.accept
      json(response, 200, { items: [] })
    }
    const { find, server } = await world({ [configMaps]: note, [leases]: note })
    await find({ refs: [ref('a')] })
    const lists = server.requests.filter(request => request.includes('?'))
    expect(lists).toHaveLength(4)
    for (const list of lists) expect(list).toContain('labelSelector=kluctl.io%2Fdiscriminator%3Dd')
    expect(accepts[configMaps]).not.toContain('PartialObjectMetadata')
    expect(accepts[leases]).toContain('PartialObjectMetadata')
  })

  it('asks by name only for what the lists did not have', async () => {
    const { find, asked } = await world({
      [configMaps]: listOf('a'),
      '/api/v1/namespaces/default/configmaps/b': (_, response) => json(response, 200, configMap('b', '2')),
    })
    const remote = await find({ refs: [ref('a'), ref('b'), ref('b')] })
    expect(remote.all()).toHaveLength(2)
    expect(asked().filter(path => path.includes('/default/configmaps/'))).toEqual([
      'GET /api/v1/namespaces/default/configmaps/b',
    ])
  })

  it('asks for nothing in a namespace that is not there', async () => {
    const { find, asked, problems } = await world()
    const remote = await find({ discriminator: '', refs: [ref('a', 'gone'), ref('b', 'gone')] })
    expect(remote.all()).toEqual([])
    expect(asked()).toEqual(['GET /api/v1/namespaces/gone'])
    expect(problems.errors).toEqual([])
  })

  it('lists nothing without a discriminator, and only rendered kinds for a validation', async () => {
    const one = await world()
    await one.find({ discriminator: '' })
    expect(one.asked()).toEqual([])
    const other = await world()
    await other.find({ refs: [ref('a')], onlyUsedKinds: true })
    expect(other.asked()).toEqual([`GET ${configMaps}`, 'GET /api/v1/namespaces/default/configmaps/a'])
  })

  it('learns of kinds that came after it last looked', async () => {
    const { find, server, clock } = await world()
    await find()
    const before = server.discoveries()
    await find()
    expect(server.discoveries()).toBe(before)
    await clock.advance(31_000)
    await find()
    expect(server.discoveries()).toBe(before + 2)
  })
})

describe('what goes wrong', () => {
  it('with one kind is a warning about this kind, and the others are found', async () => {
    const broken: Handler = (_, response) => json(response, 422, status(422, 'Invalid', 'broken'))
    const { find, problems } = await world({ [configMaps]: listOf('a'), [leases]: broken })
    expect((await find()).all()).toHaveLength(1)
    expect(problems.warnings).toEqual([
      { ref: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', name: '' }, message: 'broken' },
    ])
    expect(problems.errors).toEqual([])
  })

  it('because a kind is gone is nothing to tell', async () => {
    const gone: Handler = (_, response) => response.writeHead(404).end('404 page not found')
    const { find, problems } = await world({ [leases]: gone })
    await find()
    expect([...problems.warnings, ...problems.errors]).toEqual([])
  })

  it('for lack of rights leads into the namespaces that are known of', async () => {
    const { find, asked, problems } = await world({
      [configMaps]: refuse,
      '/api/v1/namespaces': refuse,
      '/api/v1/namespaces/default/configmaps': listOf('a'),
      '/api/v1/namespaces/other/configmaps': refuse,
    })
    const remote = await find({ refs: [ref('a')], namespaces: ['other', 'third'] })
    expect(remote.get(ref('a'))).toBeDefined()
    expect(asked()).toContain('GET /api/v1/namespaces/third/configmaps')
    expect(asked().filter(path => path === 'GET /api/v1/namespaces')).toHaveLength(1)
    expect(problems.warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('reverted to listing on namespace level'),
      expect.stringContaining('at least one permission error'),
    ])
  })

  it('with one object is an error about it', async () => {
    const path = '/api/v1/namespaces/default/configmaps/bad'
    const invalid: Handler = (_, response) => json(response, 422, status(422, 'Invalid', 'broken'))
    const { find, problems } = await world({ [path]: invalid })
    await find({ refs: [ref('bad')] })
    expect(problems.errors).toEqual([{ ref: ref('bad'), message: 'broken' }])
  })

  it('because of an abort ends it', async () => {
    const { find, abort } = await world({ [configMaps]: () => abort.abort(new Error('enough')) })
    await expect(find()).rejects.toThrow('enough')
  })
})
