import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { annotations, type InventoryEntry, type ReviewEnvironment } from '../../src/api/index.ts'
import { identityOf } from '../../src/backend/objects/identity.ts'
import { type Look, planObjects } from '../../src/backend/objects/plan.ts'
import type { PreparedObject } from '../../src/backend/objects/prepare.ts'
import { ownershipOf } from '../../src/backend/ownership.ts'
import type { KubeObject } from '../../src/kube/types.ts'

function environmentWith(inventory: InventoryEntry[]): ReviewEnvironment {
  return {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewEnvironment',
    metadata: { namespace: 'team', name: 'shop-pr-1', uid: 'u1' },
    spec: { projectRef: { name: 'shop' }, change: { pullRequest: 1 }, origin: 'automatic' },
    status: { inventory },
  }
}

function prepared(name: string, digest: string): PreparedObject {
  const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop-pr-1', name }
  const own = ownershipOf(environmentWith([]))
  const metadata = {
    name,
    namespace: key.namespace,
    labels: own.labels,
    annotations: { ...own.annotations, [annotations.digest]: digest },
  }
  return { id: identityOf(key), key, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata }, digest, reports: false }
}

const wantedObjects = fc.uniqueArray(
  fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), digest: fc.constantFrom('1', '2') }),
  {
    selector: ({ name }) => name,
  },
)

/** A cluster that does as planned. */
function carryOut(cluster: Map<string, KubeObject>, plan: ReturnType<typeof planObjects>): void {
  for (const { prepared: item } of plan.apply) {
    const live = { ...item.object, metadata: { ...item.object.metadata, uid: `uid-${item.id}` } }
    cluster.set(item.id, live)
  }
  for (const entry of plan.prune) cluster.delete(identityOf(entry))
}

const looksAt = (cluster: Map<string, KubeObject>, wanted: PreparedObject[]): Map<string, Look> =>
  new Map(wanted.map(({ id }) => [id, cluster.has(id) ? { live: cluster.get(id)! } : {}]))

describe('the plan of backend objects', () => {
  it('leaves nothing to do when it was carried out, and everything that was ever applied stays recorded until gone', () => {
    fc.assert(
      fc.property(fc.array(wantedObjects, { minLength: 1, maxLength: 5 }), versions => {
        const cluster = new Map<string, KubeObject>()
        let inventory: InventoryEntry[] = []
        for (const version of versions) {
          const wanted = version.map(({ name, digest }) => prepared(name, digest))
          const plan = planObjects(environmentWith(inventory), wanted, looksAt(cluster, wanted), undefined)
          const recorded = new Set(plan.inventory.map(identityOf))
          for (const id of [...cluster.keys(), ...plan.apply.map(({ prepared: { id: applied } }) => applied)]) {
            expect(recorded).toContain(id)
          }
          carryOut(cluster, plan)
          inventory = plan.inventory.filter(entry => cluster.has(identityOf(entry)))
          const again = planObjects(environmentWith(inventory), wanted, looksAt(cluster, wanted), undefined)
          expect(again).toMatchObject({ apply: [], prune: [], refusals: [] })
          expect(again.inventory).toEqual(inventory)
          expect([...cluster.keys()].sort()).toEqual(wanted.map(({ id }) => id).sort())
        }
      }),
    )
  })

  it('never touches what is not ours, and prunes nothing while anything is refused', () => {
    const wanted = [prepared('a', '1'), prepared('b', '1')]
    const foreign: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'shop-pr-1', uid: 'x' },
    }
    const looks = new Map<string, Look>([[wanted[0]!.id, { live: foreign }]])
    const plan = planObjects(environmentWith([prepared('old', '1').key]), wanted, looks, undefined)
    expect(plan.refusals).toMatchObject([{ reason: 'NotOurs' }])
    expect(plan.apply.map(({ prepared: { key } }) => key.name)).toEqual(['b'])
    expect(plan.prune).toEqual([])
    expect(plan.inventory.map(({ name }) => name)).toEqual(['old', 'b'])
  })

  it('takes an object of an environment of the same name before it for another’s', () => {
    const [item] = [prepared('a', '1')]
    const live = structuredClone(item.object)
    live.metadata.annotations = { ...live.metadata.annotations, [annotations.ownerUid]: 'u0' }
    const plan = planObjects(environmentWith([]), [item], new Map([[item.id, { live }]]), undefined)
    expect(plan).toMatchObject({ apply: [], inventory: [], refusals: [{ reason: 'NotOurs' }] })
  })

  it('sees the same object under another version of its kind', () => {
    const entry = { apiVersion: 'apps/v1beta1', kind: 'Deployment', namespace: 'shop-pr-1', name: 'web' }
    const item = { ...prepared('web', '1'), key: { ...entry, apiVersion: 'apps/v1' } }
    const wanted = [{ ...item, id: identityOf(item.key) }]
    const plan = planObjects(environmentWith([entry]), wanted, new Map(), undefined)
    expect(plan.prune).toEqual([])
    expect(plan.inventory).toEqual([item.key])
  })

  it('remembers as whom an object was applied, and takes the new account with the new application', () => {
    const wanted = [prepared('a', '1')]
    const entry = { ...wanted[0]!.key, serviceAccountName: 'old' }
    const plan = planObjects(environmentWith([entry]), wanted, new Map(), 'new')
    expect(plan.inventory).toMatchObject([{ serviceAccountName: 'new' }])
    const refusal = { object: wanted[0]!.key, reason: 'Forbidden' as const, message: '' }
    const refused = planObjects(environmentWith([entry]), wanted, new Map([[wanted[0]!.id, { refusal }]]), 'new')
    expect(refused.inventory).toEqual([entry])
  })
})
