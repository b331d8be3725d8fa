import { afterAll, expect, it } from 'vitest'
import { namespaceBlockers } from '../../src/backend/namespace-blockers.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, uniqueNamespace, waitFor } from '../harness/cluster.ts'

afterAll(() => adminClient().close())

it('reads what a real namespace controller says about a namespace that does not go', async () => {
  const admin = adminClient()
  const namespace = await uniqueNamespace('blocked')
  const names = ['one', 'two']
  for (const name of names) {
    const metadata = { namespace, name, finalizers: ['example.com/hold'] }
    await admin.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
  }
  const key = { apiVersion: 'v1', kind: 'Namespace', name: namespace }
  await admin.delete(key)
  const find = () => admin.get<KubeObject>(key)
  const counted = await waitFor(
    async () => {
      const found = await find()
      const blockers = found === undefined ? [] : namespaceBlockers(found, [])
      return blockers.length > 0 && found !== undefined ? { found, blockers } : undefined
    },
    { describe: 'the namespace controller to count what remains' },
  )
  expect(counted.blockers).toMatchObject([
    { kind: 'configmaps', namespace, name: '(2)', finalizers: ['example.com/hold'] },
  ])
  const known = names.map(name => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }))
  expect(namespaceBlockers(counted.found, known)).toEqual(known)
  for (const { apiVersion, kind, name } of known) {
    await admin.patch({ apiVersion, kind, namespace, name }, { metadata: { finalizers: null } }, { type: 'merge' })
  }
  await waitFor(async () => (await find()) === undefined, { deadline: 60_000, describe: 'the namespace to go' })
})
