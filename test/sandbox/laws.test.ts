import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts'

const kind = { apiVersion: 'v1', kind: 'ConfigMap' }
const name = fc.constantFrom('a', 'b', 'c', 'd')
const value = fc.constantFrom('1', '2', '3')
const step = fc.oneof(
  fc.record({ do: fc.constant('apply' as const), name, value }),
  fc.record({ do: fc.constant('patch' as const), name, value }),
  fc.record({ do: fc.constant('delete' as const), name, value }),
)
type Step = { do: 'apply' | 'patch' | 'delete'; name: string; value: string }

let sandbox: Sandbox
let client: KubeClient
let runs = 0

beforeAll(async () => {
  sandbox = await startSandbox()
  client = KubeClient.fromKubeconfig({ text: sandbox.kubeconfig() })
})
afterAll(async () => {
  await client.close()
  await sandbox.close()
})

async function newNamespace(): Promise<string> {
  const namespace = `law-${++runs}`
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  return namespace
}

async function carryOut(namespace: string, at: Step): Promise<void> {
  const key = { ...kind, namespace, name: at.name }
  if (at.do === 'delete') await client.delete(key)
  else if (at.do === 'apply') {
    const object = { ...kind, metadata: { namespace, name: at.name }, data: { applied: at.value } }
    await client.apply(object, { fieldManager: 'law' })
  } else if ((await client.get(key)) !== undefined) {
    await client.patch(key, { data: { patched: at.value } }, { type: 'merge' })
  }
}

/** The objects that a law is about: not what the namespace is given by controllers, at any time. */
async function listed(namespace: string, limit = 500): Promise<{ items: KubeObject[]; resourceVersion: string }> {
  const { items, resourceVersion } = await client.list<KubeObject>(kind, { namespace, limit })
  return { items: items.filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt'), resourceVersion }
}

test('law: a list, and the watch from its version on, give what a later list gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.array(step, { maxLength: 8 }), async (before, after) => {
      const namespace = await newNamespace()
      for (const at of before) await carryOut(namespace, at)
      const old = await listed(namespace)
      for (const at of after) await carryOut(namespace, at)
      const end: KubeObject = { ...kind, metadata: { namespace, name: 'end' } }
      await client.create(end)
      const known = new Map(old.items.map(object => [object.metadata.name, object]))
      const stop = new AbortController()
      const events = await client.watch(kind, { namespace, resourceVersion: old.resourceVersion, signal: stop.signal })
      for await (const { type, object } of events) {
        if (type === 'DELETED') known.delete(object.metadata.name)
        else if (type !== 'BOOKMARK') known.set(object.metadata.name, object)
        if (object.metadata.name === 'end') break
      }
      stop.abort()
      known.delete('kube-root-ca.crt')
      const now = (await listed(namespace)).items
      expect([...known.values()].toSorted(byName)).toEqual(now.toSorted(byName))
    }),
    { numRuns: 20 },
  )
})

test('law: applying the same again changes nothing, and pages of any size are the whole list', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.integer({ min: 1, max: 5 }), async (steps, limit) => {
      const namespace = await newNamespace()
      for (const at of steps) {
        await carryOut(namespace, at)
        if (at.do !== 'apply') continue
        const key = { ...kind, namespace, name: at.name }
        const first = await client.get(key)
        await carryOut(namespace, at)
        expect(await client.get(key)).toEqual(first)
      }
      expect((await listed(namespace, limit)).items).toEqual((await listed(namespace)).items)
    }),
    { numRuns: 20 },
  )
})

function byName(a: KubeObject, b: KubeObject): number {
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
