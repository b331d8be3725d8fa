import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KubeClient } from '../../src/kube/client.ts'
import type { Condition, KubeObject } from '../../src/kube/types.ts'
import { promisedGroups, type Sandbox, startSandbox } from '../../src/sandbox/index.ts'
import { waitFor } from '../harness/wait.ts'

let sandbox: Sandbox
let client: KubeClient

beforeEach(async () => {
  sandbox = await startSandbox({ limits: { history: 10, objects: 60 } })
  client = KubeClient.fromKubeconfig({ text: sandbox.kubeconfig() })
})
afterEach(async () => {
  await client.close()
  await sandbox.close()
})

const namespace = 'default'
const configMap = (name: string, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data,
})

function send(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${sandbox.url}${path}`, { headers }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .once('error', reject)
      .end()
  })
}

describe('the sandbox', () => {
  it('serves every kind that it promises, and no other', async () => {
    const served = (await client.allResources()).map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)
    const promised = promisedGroups.flatMap(({ apiVersion, kinds }) => kinds.map(kind => `${apiVersion} ${kind}`))
    expect(served.sort()).toEqual(promised.sort())
  })

  it('answers programs on this machine, not web pages', async () => {
    expect(await send('/api/v1/namespaces', {})).toBe(200)
    expect(await send('/api/v1/namespaces', { host: 'rebound.example.com' })).toBe(403)
    expect(await send('/api/v1/namespaces', { origin: 'https://example.com' })).toBe(403)
    expect(await send('/version', { 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(new URL(sandbox.url).hostname).toBe('127.0.0.1')
  })

  it('knows its own tokens and refuses others', async () => {
    await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'bot' } })
    const token = sandbox.tokenFor(namespace, 'bot')
    expect(await send('/api/v1/namespaces', { authorization: `Bearer ${token}` })).toBe(200)
    expect(await send('/api/v1/namespaces', { authorization: `Bearer ${token}x` })).toBe(401)
    const [, claims] = token.split('.')
    expect(await send('/api/v1/namespaces', { authorization: `Bearer e30.${claims}.e30` })).toBe(401)
    expect(() => sandbox.tokenFor(namespace, 'nobody')).toThrow(/no ServiceAccount default\/nobody/)
  })

  it('tells a watch or a page from before its memory to start again', async () => {
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' }
    const { resourceVersion } = await client.list(kind, { namespace })
    for (const name of ['a', 'b', 'c']) await client.create(configMap(name))
    const page = await client.raw(`/api/v1/namespaces/${namespace}/configmaps?limit=1`)
    const token = (JSON.parse(page) as { metadata: { continue: string } }).metadata.continue
    await client.create(configMap('d'))
    sandbox.compact()
    const events = await client.watch(kind, { namespace, resourceVersion })
    await expect(events.next()).rejects.toMatchObject({ status: 410, isExpired: true })
    const next = client.raw(`/api/v1/namespaces/${namespace}/configmaps?limit=1&continue=${token}`)
    await expect(next).rejects.toMatchObject({ status: 410 })
  })

  it('says that a version is still to come', async () => {
    const path = `/api/v1/namespaces/${namespace}/configmaps?resourceVersion=`
    const { resourceVersion } = await client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace })
    expect(await send(`${path}${resourceVersion}`, {})).toBe(200)
    // A real API server says the same; clients ask again, for half a minute and more.
    expect(await send(`${path}999999999999`, {})).toBe(504)
    expect(await send(`${path}soon`, {})).toBe(400)
  })

  it('keeps no more than its limits, and says so', async () => {
    const fill = async () => {
      for (let index = 0; index < 100; index++) await client.create(configMap(`fill-${index}`))
    }
    await expect(fill()).rejects.toMatchObject({ status: 507, message: expect.stringContaining('at most 60 objects') })
  })

  it('makes workloads ready, unless they are told not to be', async () => {
    const workload = (kind: string, name: string, more: object, annotations = {}): KubeObject => ({
      apiVersion: 'apps/v1',
      kind,
      metadata: { namespace, name },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name }, annotations },
          spec: { containers: [{ name: 'a', image: 'a:1' }] },
        },
        ...more,
      },
    })
    const ready = (kind: string, name: string) => async () => {
      const found = await client.get({ apiVersion: 'apps/v1', kind, namespace, name })
      return (found?.status as { readyReplicas?: number } | undefined)?.readyReplicas === 2
    }
    await client.create(workload('Deployment', 'web', {}))
    await client.create(workload('StatefulSet', 'db', { serviceName: 'db' }))
    await waitFor(ready('Deployment', 'web'))
    await waitFor(ready('StatefulSet', 'db'))
    const pods = await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector: 'app=db' })
    expect(pods.items.map(({ metadata }) => metadata.name)).toEqual(['db-0', 'db-1'])

    await client.create(workload('Deployment', 'broken', {}, { 'sandbox.offshoot.dev/ready': 'false' }))
    await waitFor(async () => {
      const found = await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'broken' })
      const { conditions = [] } = (found?.status ?? {}) as { conditions?: Condition[] }
      return conditions.some(({ type, status }) => type === 'Available' && status === 'False')
    })

    await client.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web' })
    await waitFor(async () => {
      const left = await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector: 'app=web' })
      return left.items.length === 0
    })
  })

  it('completes jobs', async () => {
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a:1' }] } }
    await client.create({ apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace, name: 'j' }, spec: { template } })
    await waitFor(async () => {
      const job = await client.get({ apiVersion: 'batch/v1', kind: 'Job', namespace, name: 'j' })
      const { conditions = [] } = (job?.status ?? {}) as { conditions?: Condition[] }
      return conditions.some(({ type, status }) => type === 'Complete' && status === 'True')
    })
  })

  it('says why there are no logs', async () => {
    const spec = { containers: [{ name: 'a', image: 'a:1' }] }
    await client.create({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name: 'p' }, spec })
    const logs = client.raw(`/api/v1/namespaces/${namespace}/pods/p/log`)
    await expect(logs).rejects.toMatchObject({ status: 501, message: expect.stringContaining('runs no containers') })
  })

  it('shows an event by both of its names', async () => {
    await client.create({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name: 'e' },
      eventTime: '2026-01-02T03:04:05.000006Z',
      reportingController: 'test',
      reportingInstance: 'one',
      action: 'Looked',
      reason: 'Seen',
      note: 'it was seen',
      type: 'Normal',
      regarding: { kind: 'ConfigMap', name: 'a', namespace },
    })
    const core = await client.get({ apiVersion: 'v1', kind: 'Event', namespace, name: 'e' })
    expect(core).toMatchObject({ message: 'it was seen', involvedObject: { name: 'a' }, reportingComponent: 'test' })
    const modern = await client.get({ apiVersion: 'events.k8s.io/v1', kind: 'Event', namespace, name: 'e' })
    expect(modern).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'it was seen', regarding: { name: 'a' } })
  })
})
