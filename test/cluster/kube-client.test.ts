import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/kube/types.ts'
import {
  adminClient,
  createServiceAccount,
  serviceAccountClient,
  uniqueName,
  uniqueNamespace,
  waitFor,
} from '../harness/cluster.ts'

type ConfigMap = KubeObject & { data?: Record<string, string> }

let namespace: string
beforeAll(async () => {
  namespace = await uniqueNamespace('kube-client')
})
afterAll(() => adminClient().close())

function configMap(name: string, data: Record<string, string> = { a: '1' }, meta: object = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ...meta }, data }
}
const key = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })

describe('KubeClient', () => {
  it('creates, reads, replaces, patches and deletes', async () => {
    const client = adminClient()
    const name = uniqueName('crud')
    const created = await client.create(configMap(name))
    expect(created.metadata.uid).toBeDefined()
    await expect(client.create(configMap(name))).rejects.toMatchObject({ isAlreadyExists: true, isConflict: false })

    const replaced = await client.replace({ ...created, data: { a: '2' } })
    await expect(client.replace({ ...created, data: { a: '3' } })).rejects.toMatchObject({ isConflict: true })
    expect((await client.get<ConfigMap>(key(name)))?.data).toEqual({ a: '2' })

    await client.patch(key(name), { data: { b: '1' } }, { type: 'merge' })
    const patched = await client.patch<ConfigMap>(key(name), [{ op: 'remove', path: '/data/a' }], { type: 'json' })
    expect(patched.data).toEqual({ b: '1' })

    const metadata = await client.getMetadata(key(name))
    expect(metadata).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
    expect(metadata).not.toHaveProperty('data')

    await expect(client.delete(key(name), { uid: 'another' })).rejects.toMatchObject({ isConflict: true })
    expect(await client.delete(key(name), { uid: replaced.metadata.uid ?? '' })).toBeUndefined()
    expect(await client.get(key(name))).toBeUndefined()
    expect(await client.delete(key(name))).toBeUndefined()
  })

  it('gives the object back while a finalizer holds it', async () => {
    const client = adminClient()
    const name = uniqueName('held')
    await client.create(configMap(name, {}, { finalizers: ['example.com/hold'] }))
    const held = await client.delete(key(name))
    expect(held?.metadata.deletionTimestamp).toBeDefined()
    await client.patch(key(name), { metadata: { finalizers: null } }, { type: 'merge' })
    expect(await client.get(key(name))).toBeUndefined()
  })

  it('stores nothing in a dry run', async () => {
    const client = adminClient()
    const name = uniqueName('dry')
    await client.create(configMap(name), { dryRun: true })
    await client.apply(configMap(name), { fieldManager: 'one', dryRun: true })
    expect(await client.get(key(name))).toBeUndefined()
    await client.create(configMap(name))
    await client.delete(key(name), { dryRun: true })
    expect(await client.get(key(name))).toBeDefined()
  })

  it('reports a field manager conflict with the field, and forces it', async () => {
    const client = adminClient()
    const name = uniqueName('apply')
    await client.apply(configMap(name, { a: '1' }), { fieldManager: 'one' })
    const conflict = client.apply(configMap(name, { a: '2' }), { fieldManager: 'two' })
    await expect(conflict).rejects.toMatchObject({ isConflict: true, details: { causes: [{ field: '.data.a' }] } })
    const forced = await client.apply(configMap(name, { a: '2' }), { fieldManager: 'two', force: true })
    expect(forced.data).toEqual({ a: '2' })
  })

  it('refuses unknown fields where asked to', async () => {
    const object = { ...configMap(uniqueName('strict')), dta: {} }
    const refused = adminClient().apply(object, { fieldManager: 'one', fieldValidation: 'Strict' })
    await expect(refused).rejects.toThrow(/dta/)
  })

  it('lists all pages, by selector and as metadata only', async () => {
    const client = adminClient()
    const label = uniqueName('page')
    for (let index = 0; index < 7; index++) {
      await client.create(configMap(`${label}-${index}`, {}, { labels: { page: label } }))
    }
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' }
    const all = await client.list<ConfigMap>(kind, { namespace, labelSelector: `page=${label}`, limit: 2 })
    expect(all.items.map(item => item.metadata.name)).toEqual([0, 1, 2, 3, 4, 5, 6].map(i => `${label}-${i}`))
    expect(all.resourceVersion).toMatch(/^\d+$/)
    const metadata = await client.list(kind, { namespace, labelSelector: `page=${label}`, metadataOnly: true })
    expect(metadata.items[0]).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' })
    expect(metadata.items[0]).not.toHaveProperty('data')
    await expect(client.list(kind, { namespace, limit: 2, maxItems: 3 })).rejects.toThrow(/more than 3 objects/)
  })

  it('knows kinds by discovery, and a new CRD at once', async () => {
    const client = adminClient()
    expect(await client.resourceFor({ apiVersion: 'apps/v1', kind: 'Deployment' })).toMatchObject({
      plural: 'deployments',
      namespaced: true,
    })
    const plural = `${uniqueName('thing').replaceAll('-', '')}s`
    const group = 'kube.test.offshoot.dev'
    const kind = { apiVersion: `${group}/v1`, kind: plural.charAt(0).toUpperCase() + plural.slice(1, -1) }
    const missing = client.get({ ...kind, name: 'x', namespace })
    await expect(missing).rejects.toMatchObject({ isKindMissing: true, reason: 'KindNotFound' })
    await client.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        names: { plural, kind: kind.kind },
        scope: 'Namespaced',
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    })
    await waitFor(async () => (await client.resourceFor(kind)).plural === plural, { describe: 'the kind in discovery' })
    expect(await client.get({ ...kind, name: 'x', namespace })).toBeUndefined()
  })

  it('acts as a ServiceAccount over the same connections', async () => {
    const client = adminClient()
    await createServiceAccount(namespace, 'reader', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }])
    const reader = client.as({ serviceAccount: { namespace, name: 'reader' } })
    expect(await reader.get(key('missing'))).toBeUndefined()
    await expect(reader.create(configMap(uniqueName('no')))).rejects.toMatchObject({ isForbidden: true })
    const foreign = reader.get({ ...key('x'), namespace: 'kube-system' })
    await expect(foreign).rejects.toThrow(/system:serviceaccount:.*:reader/)
  })

  it('acts with a ServiceAccount token', async () => {
    await createServiceAccount(namespace, 'holder', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }])
    const holder = await serviceAccountClient(namespace, 'holder')
    expect(await holder.get(key('missing'))).toBeUndefined()
    await expect(holder.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace })).rejects.toMatchObject({
      isForbidden: true,
    })
  })

  it('refuses names that lead to other paths', async () => {
    for (const name of ['..', '.', '', 'a/b', 'a%2fb']) {
      await expect(adminClient().get(key(name))).rejects.toThrow(/cannot be a name/)
    }
    const outside = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' }
    await expect(adminClient().get(outside)).rejects.toThrow(/needs a namespace/)
  })

  it('stops at once when aborted', async () => {
    const abort = AbortSignal.abort(new Error('enough'))
    await expect(adminClient().get(key('x'), { signal: abort })).rejects.toThrow('enough')
  })
})
