import { beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/types.ts'
import { waitFor } from '../wait.ts'
import { sendRaw } from './raw.ts'
import { type ContractWorld, configMap, freshNamespace, mapKey } from './world.ts'

type Namespace = KubeObject & { spec: { finalizers?: string[] } }

const mine = 'example.com/mine'

/** What keeps an object on every API server. */
export function finalizerContract(world: ContractWorld): void {
  describe('a finalizer', () => {
    let namespace = ''
    beforeAll(async () => {
      namespace = await freshNamespace(world)
    })

    it('keeps its object, which only says that it is to go, until the last one is taken off', async () => {
      const client = world.client()
      const key = mapKey(namespace, 'kept')
      await client.create(configMap(namespace, 'kept', {}, { finalizers: [mine, 'example.com/other'] }))
      const left = await client.delete(key)
      expect(left?.metadata).toMatchObject({ deletionTimestamp: expect.any(String), deletionGracePeriodSeconds: 0 })
      // It can still be changed, its time of deletion cannot, and another delete changes nothing.
      const changed = await client.patch(
        key,
        { metadata: { deletionTimestamp: null, finalizers: [mine] }, data: { a: '1' } },
        { type: 'merge' },
      )
      expect(changed.metadata).toMatchObject({
        deletionTimestamp: left?.metadata.deletionTimestamp,
        finalizers: [mine],
      })
      const again = await client.delete(key)
      expect(again?.metadata.resourceVersion).toBe(changed.metadata.resourceVersion)
      await expect(client.create(configMap(namespace, 'kept'))).rejects.toMatchObject({ reason: 'AlreadyExists' })
      await client.patch(key, { metadata: { finalizers: [] } }, { type: 'merge' })
      expect(await client.get(key)).toBeUndefined()
    })
  })

  describe('the finalize endpoint of a namespace', () => {
    async function made(): Promise<{ namespace: Namespace; path: string }> {
      const name = await freshNamespace(world)
      const namespace = await world.client().get<Namespace>({ apiVersion: 'v1', kind: 'Namespace', name })
      if (namespace === undefined) throw new Error('it was just made')
      return { namespace, path: `/api/v1/namespaces/${name}/finalize` }
    }
    const keyOf = ({ metadata: { name = '' } }: KubeObject) => ({ apiVersion: 'v1', kind: 'Namespace', name })
    const read = (namespace: KubeObject) => world.client().get<Namespace>(keyOf(namespace))

    it('sets the finalizers of its spec, which nothing else can', async () => {
      const { namespace, path } = await made()
      expect(namespace.spec.finalizers).toEqual(['kubernetes'])
      const wanted = { ...namespace, spec: { finalizers: ['kubernetes', mine] }, status: { phase: 'Terminating' } }
      expect((await sendRaw(world, 'replace', path, wanted)).reason).toBe('')
      await world.client().patch(keyOf(namespace), { spec: { finalizers: [] } }, { type: 'merge' })
      expect(await read(namespace)).toMatchObject({
        spec: { finalizers: ['kubernetes', mine] },
        status: { phase: 'Active' },
      })
    })

    it('refuses an old version, a name that is none, and to be read', async () => {
      const { namespace, path } = await made()
      await world.client().patch(keyOf(namespace), { metadata: { labels: { a: 'b' } } }, { type: 'merge' })
      expect((await sendRaw(world, 'replace', path, namespace)).reason).toBe('Conflict')
      const { name } = namespace.metadata
      const bad = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: ['unqualified'] } }
      expect((await sendRaw(world, 'replace', path, bad)).reason).toBe('Invalid')
      expect((await sendRaw(world, 'get', path)).reason).toBe('MethodNotAllowed')
      expect((await read(namespace))?.spec.finalizers).toEqual(['kubernetes'])
    })

    it('lets a namespace go that was deleted, whatever is still inside', async () => {
      const { namespace, path } = await made()
      const { name = '' } = namespace.metadata
      const client = world.client()
      await client.create(configMap(name, 'held', {}, { finalizers: [mine] }))
      const deleting = await client.delete(keyOf(namespace))
      expect(deleting?.metadata.deletionTimestamp).toBeDefined()
      expect(deleting?.metadata.deletionGracePeriodSeconds).toBeUndefined()
      await waitFor(async () => {
        const { reason } = await sendRaw(world, 'replace', path, {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name },
          spec: { finalizers: [] },
        })
        return reason === '' && (await read(namespace)) === undefined
      })
      expect(await client.get(mapKey(name, 'held'))).toBeDefined()
    })
  })
}
