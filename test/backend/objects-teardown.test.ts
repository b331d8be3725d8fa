import { describe, expect, test } from 'vitest'
import type { InventoryEntry, ReviewEnvironment } from '../../src/api/index.ts'
import type { BackendContext } from '../../src/backend/backend.ts'
import { teardownObjects } from '../../src/backend/objects/teardown.ts'
import type { ObjectKey } from '../../src/kube/types.ts'
import { FakeClock } from '../controller/fake-clock.ts'

const namespace = 'shop-pr-1'
const own = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shop' }

/** A teardown against a server that holds whatever it is asked for, made by somebody else; gives what it did. */
async function tornDown(inventory: InventoryEntry[], state?: BackendContext['namespaceState']) {
  const done: string[] = []
  const kube = {
    as: () => kube,
    resourceFor: ({ kind }: ObjectKey) => Promise.resolve({ namespaced: kind !== 'ClusterRole' }),
    getMetadata: ({ apiVersion, kind, name }: ObjectKey) => {
      done.push(`look ${kind}`)
      return Promise.resolve({ apiVersion, kind, metadata: { name, uid: 'foreign' } })
    },
    delete: ({ kind }: ObjectKey) => {
      done.push(`delete ${kind}`)
      return Promise.resolve(undefined)
    },
  }
  const environment = {
    metadata: { namespace: 'team', name: 'shop-pr-1', uid: 'u1' },
    spec: { projectRef: { name: 'shop' } },
    status: { inventory },
  } as unknown as ReviewEnvironment
  const context = { environment, namespace, serviceAccount: 'own', kube, namespaceState: state, clock: new FakeClock() }
  const result = await teardownObjects(context as unknown as BackendContext)
  return { done, gone: result.gone }
}

describe('taking objects down', () => {
  test('asks nothing about what goes with the environment’s own namespace', async () => {
    expect(await tornDown([own], 'owned')).toEqual({ done: ['delete ConfigMap'], gone: true })
  })

  test('deletes nothing unseen in a namespace that is not known to be the environment’s', async () => {
    expect((await tornDown([own])).done).toEqual(['look ConfigMap'])
  })

  test.each([
    [
      'a kind without namespaces that claims one',
      { ...own, apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
    ],
    ['what another account would have to delete', { ...own, serviceAccountName: 'deployer' }],
    ['what is elsewhere', { ...own, namespace: 'kube-system' }],
  ])('nor %s', async (_, entry) => {
    const { done, gone } = await tornDown([entry], 'owned')
    expect(done).toEqual([`look ${entry.kind}`])
    expect(gone).toBe(false)
  })
})
