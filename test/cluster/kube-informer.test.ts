import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { KubeClient } from '../../src/kube/client.ts'
import { EventRecorder } from '../../src/kube/events.ts'
import { Informer } from '../../src/kube/informer.ts'
import { LeaderElector, type LeaderElectorOptions } from '../../src/kube/leader.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, uniqueName, uniqueNamespace, waitFor } from '../harness/cluster.ts'
import { type ControlPlane, startControlPlane } from '../harness/control-plane/control-plane.ts'

let namespace: string
beforeAll(async () => {
  namespace = await uniqueNamespace('kube-informer')
})
afterAll(() => adminClient().close())

function configMap(name: string, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels } }
}

describe('Informer', () => {
  it('follows a selector, objects leaving and coming back', async () => {
    const client = adminClient()
    const label = uniqueName('follow')
    const informer = new Informer(client, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace,
      labelSelector: `on=${label}`,
    })
    onTestFinished(() => informer.close())
    await informer.start().synced
    const name = uniqueName('object')
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name }
    const setLabel = (value: string) => client.patch(key, { metadata: { labels: { on: value } } }, { type: 'merge' })

    informer.assume(await client.create(configMap(name, { on: label })))
    expect(informer.get(namespace, name)).toBeDefined()
    await setLabel('elsewhere')
    await waitFor(() => informer.get(namespace, name) === undefined, { describe: 'the object to leave' })
    await setLabel(label)
    await waitFor(() => informer.get(namespace, name), { describe: 'the object to come back' })
    await client.delete(key)
    await waitFor(() => informer.size === 0, { describe: 'the object to go' })
  })

  it('keeps metadata only', async () => {
    const client = adminClient()
    await client.create({ ...configMap('whole'), data: { big: 'x' } })
    const informer = new Informer(client, { apiVersion: 'v1', kind: 'ConfigMap', namespace, metadataOnly: true })
    onTestFinished(() => informer.close())
    await informer.start().synced
    expect(informer.get(namespace, 'whole')).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' })
    expect(informer.get(namespace, 'whole')).not.toHaveProperty('data')
    const later = await client.create({ ...configMap('later'), data: { big: 'x' } })
    const seen = await waitFor(() => informer.get(namespace, 'later'))
    expect(seen).toMatchObject({ kind: 'ConfigMap', metadata: { uid: later.metadata.uid } })
    expect(seen).not.toHaveProperty('data')
  })
})

describe('with an API server that goes away', () => {
  let controlPlane: ControlPlane
  beforeAll(async () => {
    controlPlane = await startControlPlane()
  })
  afterAll(() => controlPlane.stop())

  it('an informer misses nothing, and requests wait for the server', async () => {
    const client = KubeClient.fromKubeconfig(controlPlane.adminKubeconfig)
    onTestFinished(() => client.close())
    const create = (name: string) => client.create({ ...configMap(name), metadata: { name, namespace: 'default' } })
    const informer = new Informer(client, { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default' })
    const deleted: string[] = []
    informer.addHandler({ onDelete: object => deleted.push(object.metadata.name ?? '') })
    onTestFinished(() => informer.close())
    await create('before')
    await informer.start().synced
    await controlPlane.killApiServer()
    await waitFor(() => informer.failures > 0, { describe: 'the informer to notice' })
    const request = create('during')
    await controlPlane.restartApiServer()
    await request
    await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'before' })
    await waitFor(() => informer.get('default', 'during') && deleted.includes('before'), {
      describe: () => `the informer to catch up (failures: ${informer.failures})`,
    })
  })
})

describe('LeaderElector', () => {
  const times = { leaseDuration: 3_000, renewDeadline: 2_000, retryPeriod: 200 }
  const elect = (name: string, identity: string, more: Partial<LeaderElectorOptions> = {}) => {
    const elector = new LeaderElector(adminClient(), { namespace, name, identity, ...times, ...more }).start()
    onTestFinished(() => elector.close())
    return elector
  }
  const lease = async (name: string) =>
    adminClient().get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name })

  it('lets one lead, and the other as soon as the first gives back', async () => {
    const name = uniqueName('lease')
    const first = elect(name, 'one', { annotations: { 'test.offshoot.dev/address': '127.0.0.1:1' } })
    await waitFor(() => first.isLeader)
    const second = elect(name, 'two')
    await waitFor(() => second.leader?.identity === 'one')
    expect(second.leader?.annotations).toMatchObject({ 'test.offshoot.dev/address': '127.0.0.1:1' })
    expect(second.isLeader).toBe(false)
    await first.close()
    expect(first.isLeader).toBe(false)
    await waitFor(() => second.isLeader)
    expect((await lease(name))?.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: expect.any(Number) })
  })

  it('takes over from a leader that died, whatever the times in its lease say', async () => {
    const name = uniqueName('lease')
    await adminClient().create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 1, renewTime: '2099-01-01T00:00:00.000000Z' },
    })
    const heir = elect(name, 'heir')
    await waitFor(() => heir.isLeader)
  })

  it('steps down when the lease is taken away', async () => {
    const name = uniqueName('lease')
    const lost: string[] = []
    const leader = elect(name, 'one', { onLost: reason => lost.push(reason) })
    await waitFor(() => leader.isLeader)
    await adminClient().patch(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name },
      { spec: { holderIdentity: 'thief', leaseDurationSeconds: 3600 } },
      { type: 'merge' },
    )
    await waitFor(() => lost.length > 0)
    expect(leader.isLeader).toBe(false)
    expect(lost).toEqual(['another candidate holds the lease'])
  })

  it('goes on leading when somebody else only annotates the lease', async () => {
    const name = uniqueName('lease')
    const lost: string[] = []
    const leader = elect(name, 'one', { onLost: reason => lost.push(reason) })
    await waitFor(() => leader.isLeader)
    const key = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }
    const noted = await adminClient().patch(key, { metadata: { annotations: { note: 'x' } } }, { type: 'merge' })
    await waitFor(async () => (await lease(name))?.metadata.resourceVersion !== noted.metadata.resourceVersion)
    expect(lost).toEqual([])
    expect(leader.isLeader).toBe(true)
  })
})

describe('EventRecorder', () => {
  it('writes an event that kubectl describe shows, and counts its repeats', async () => {
    const client = adminClient()
    const object = await client.create(configMap(uniqueName('noted')))
    const recorder = new EventRecorder(client, { controller: 'offshoot.dev/test', instance: 'test-1' })
    for (let times = 0; times < 3; times++) {
      recorder.record(object, { type: 'Warning', reason: 'Tested', note: `${'ä'.repeat(2_000)}` })
    }
    await recorder.close(10_000)
    // The core API shows the same event; `involvedObject.uid` is what kubectl describe selects by.
    const { items } = await client.list(
      { apiVersion: 'v1', kind: 'Event' },
      { namespace, fieldSelector: `involvedObject.uid=${object.metadata.uid}` },
    )
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ type: 'Warning', reason: 'Tested', series: { count: 3 } })
  })
})
