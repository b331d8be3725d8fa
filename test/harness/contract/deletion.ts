import { beforeAll, describe, expect, it } from 'vitest'
import type { Condition } from '../../../src/kube/types.ts'
import { waitFor } from '../wait.ts'
import { sendRaw } from './raw.ts'
import { type ContractWorld, configMap, freshNamespace, mapKey, mapKind } from './world.ts'

/** How things go away on every API server. */
export function deletionContract(world: ContractWorld): void {
  describe('deletion', () => {
    let namespace = ''
    beforeAll(async () => {
      namespace = await freshNamespace(world)
    })

    async function family(prefix: string): Promise<void> {
      const client = world.client()
      const owner = await client.create(configMap(namespace, `${prefix}-owner`))
      const { uid = '' } = owner.metadata
      const ownerReferences = [
        { apiVersion: 'v1', kind: 'ConfigMap', name: `${prefix}-owner`, uid, blockOwnerDeletion: true },
      ]
      await client.create(configMap(namespace, `${prefix}-child`, {}, { ownerReferences }))
    }
    const isGone = async (name: string) => (await world.client().get(mapKey(namespace, name))) === undefined

    it('takes dependents along', async () => {
      await family('background')
      await world.client().delete(mapKey(namespace, 'background-owner'), { propagation: 'Background' })
      await waitFor(() => isGone('background-child'))
    })

    it('in the foreground waits for dependents', async () => {
      await family('foreground')
      const client = world.client()
      await client.patch(
        mapKey(namespace, 'foreground-child'),
        { metadata: { finalizers: ['a.b/hold'] } },
        { type: 'merge' },
      )
      const owner = await client.delete(mapKey(namespace, 'foreground-owner'), { propagation: 'Foreground' })
      expect(owner?.metadata.finalizers).toContain('foregroundDeletion')
      await waitFor(async () => {
        const child = await client.get(mapKey(namespace, 'foreground-child'))
        return child?.metadata.deletionTimestamp !== undefined
      })
      expect(await isGone('foreground-owner')).toBe(false)
      await client.patch(mapKey(namespace, 'foreground-child'), { metadata: { finalizers: null } }, { type: 'merge' })
      await waitFor(() => isGone('foreground-owner'))
    })

    it('can leave dependents behind', async () => {
      await family('orphan')
      const client = world.client()
      await client.delete(mapKey(namespace, 'orphan-owner'), { propagation: 'Orphan' })
      await waitFor(() => isGone('orphan-owner'))
      const child = await client.get(mapKey(namespace, 'orphan-child'))
      expect(child?.metadata.ownerReferences).toBeUndefined()
    })

    it('removes what names an owner that does not exist', async () => {
      const uid = '00000000-0000-4000-8000-000000000000'
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid }]
      await world.client().create(configMap(namespace, 'dangling', {}, { ownerReferences }))
      await waitFor(() => isGone('dangling'))
    })

    it('of a collection takes what is selected in one namespace, and waits for finalizers', async () => {
      const client = world.client()
      const [inside, outside] = await Promise.all([freshNamespace(world), freshNamespace(world)])
      const labels = { collection: 'yes' }
      for (const name of ['one', 'two']) await client.create(configMap(inside, name, {}, { labels }))
      await client.create(configMap(inside, 'held', {}, { labels, finalizers: ['example.com/hold'] }))
      await client.create(configMap(inside, 'other'))
      await client.create(configMap(outside, 'one', {}, { labels }))
      const path = `/api/v1/namespaces/${inside}/configmaps?labelSelector=collection%3Dyes`
      const names = async (namespace: string) => {
        const { items } = await client.list(mapKind, { namespace, fieldSelector: 'metadata.name!=kube-root-ca.crt' })
        return items.map(({ metadata }) => metadata.name)
      }
      const dry = await sendRaw(world, 'delete', `${path}&dryRun=All`)
      expect([dry.reason, await names(inside)]).toEqual(['', ['held', 'one', 'other', 'two']])
      const { body } = await sendRaw(world, 'delete', path)
      expect(body).toMatchObject({ kind: 'ConfigMapList', items: [{}, {}, {}] })
      expect(await names(inside)).toEqual(['held', 'other'])
      expect(await names(outside)).toEqual(['one'])
      const held = await client.get(mapKey(inside, 'held'))
      expect(held?.metadata.deletionTimestamp).toBeDefined()
    })

    it('of a collection is for one namespace at a time, and not for namespaces', async () => {
      for (const kind of ['configmaps', 'namespaces']) {
        const { reason } = await sendRaw(world, 'delete', `/api/v1/${kind}?labelSelector=no%3Dbody`)
        expect([kind, reason]).toEqual([kind, 'MethodNotAllowed'])
      }
    })

    it('of a namespace empties it, names what holds it up, and refuses what is new', async () => {
      const client = world.client()
      const name = await freshNamespace(world)
      const key = { apiVersion: 'v1', kind: 'Namespace', name }
      await client.create(configMap(name, 'held', {}, { finalizers: ['example.com/hold'] }))
      await client.create(configMap(name, 'free'))
      await client.delete(key)
      const condition = await waitFor(async () => {
        const { conditions = [] } = ((await client.get(key))?.status ?? {}) as { conditions?: Condition[] }
        return conditions.find(({ type, status }) => type === 'NamespaceFinalizersRemaining' && status === 'True')
      })
      expect(condition.message).toContain('example.com/hold in 1 resource instances')
      const status = (await client.get(key))?.status
      expect(status).toMatchObject({ phase: 'Terminating' })
      const remaining = (status as { conditions: Condition[] }).conditions.find(
        ({ type }) => type === 'NamespaceContentRemaining',
      )
      expect(remaining).toMatchObject({
        status: 'True',
        message: expect.stringContaining('configmaps. has 1 resource instances'),
      })
      await expect(client.create(configMap(name, 'new'))).rejects.toMatchObject({
        status: 403,
        isNamespaceTerminating: true,
      })
      await client.patch(mapKey(name, 'held'), { metadata: { finalizers: null } }, { type: 'merge' })
      await waitFor(async () => (await client.get(key)) === undefined)
    })
  })
}
