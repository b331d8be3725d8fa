import { beforeAll, describe, expect, it } from 'vitest'
import type { Condition } from '../../../src/kube/types.ts'
import { waitFor } from '../wait.ts'
import { type ContractWorld, configMap, freshNamespace, mapKey } from './world.ts'

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
