import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiVersion } from '../../src/api/index.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { World } from '../controller/world.ts'
import { waitFor } from '../harness/cluster.ts'

describe('a teardown', () => {
  const world = new World()
  beforeAll(async () => {
    await world.start({}, { limits: { blockedAfter: 1_000 } })
  })
  afterAll(() => world.stop())

  const configMap = (namespace: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shop' })

  async function openReady(branch: string) {
    const pull = await world.repo.openPullRequest({ branch })
    const change = { pullRequest: pull.number }
    world.hear(change)
    const environment = await world.ready(change, pull.sha)
    return { pull, change, namespace: environment.status?.namespace ?? '' }
  }

  test('held by a foreign finalizer names object and finalizer, holds nobody up, and ends when that goes', async () => {
    const held = await openReady('held')
    const other = await openReady('other')
    const finalizers = ['example.com/hold']
    await world.admin.patch<KubeObject>(configMap(held.namespace), { metadata: { finalizers } }, { type: 'merge' })
    for (const { pull, change } of [held, other]) {
      await world.repo.close(pull.number)
      world.hear(change)
    }
    await world.gone(other.change)
    const blocked = await world.until(held.change, ({ status }) => status?.state === 'Blocked', 'blocked')
    expect(blocked.status?.blockers).toContainEqual(
      expect.objectContaining({ kind: 'ConfigMap', namespace: held.namespace, name: 'shop', finalizers }),
    )
    const said = () => world.repo.commentsOf(held.pull.number).at(-1)?.body ?? ''
    await waitFor(() => said().includes('example.com/hold') && said().includes(`ConfigMap ${held.namespace}/shop`), {
      describe: () => `the comment to name it; it says ${said()}`,
    })
    await world.admin.patch<KubeObject>(configMap(held.namespace), { metadata: { finalizers: [] } }, { type: 'merge' })
    await world.gone(held.change)
    await waitFor(() => said().includes('is gone'), { describe: 'the comment to say gone' })
  })

  test('of a change that opens again meanwhile is followed by a new environment', async () => {
    const { pull, change } = await openReady('again')
    const before = await world.environment(change)
    await world.repo.close(pull.number)
    world.hear(change)
    await world.until(change, ({ metadata }) => metadata.deletionTimestamp !== undefined, 'being deleted')
    await world.repo.reopen(pull.number)
    world.hear(change)
    const after = await waitFor(
      async () => {
        const found = await world.environment(change)
        return found !== undefined && found.metadata.uid !== before?.metadata.uid ? found : undefined
      },
      { describe: 'a new environment' },
    )
    expect(after.metadata.uid).not.toBe(before?.metadata.uid)
    await world.ready(change, pull.sha)
  })

  test('leaves a namespace alone that is not ours, and says so', async () => {
    const pull = await world.repo.openPullRequest({ branch: 'taken' })
    const change = { pullRequest: pull.number }
    const name = `${world.name}-pr-${pull.number}`
    await world.admin.create<KubeObject>({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    world.hear(change)
    const stalled = await world.until(
      change,
      ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Stalled' && is === 'True') ?? false,
      'stalled',
    )
    expect(stalled.status?.conditions).toContainEqual(expect.objectContaining({ reason: 'NamespaceTaken' }))
    await world.repo.close(pull.number)
    world.hear(change)
    await world.gone(change)
    const namespace = await world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name })
    expect(namespace?.metadata.deletionTimestamp).toBeUndefined()
  })

  test('by hand works like any other, and a namespace deleted by hand comes back', async () => {
    const { change, namespace } = await openReady('by-hand')
    const uid = (await world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace }))?.metadata.uid
    await world.admin.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
    await waitFor(
      async () => {
        const found = await world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
        return found !== undefined && found.metadata.uid !== uid
      },
      { describe: 'the namespace to come back' },
    )
    await waitFor(async () => (await world.admin.get(configMap(namespace))) !== undefined, {
      describe: 'its ConfigMap to come back',
    })
    await world.ready(change)
    await world.admin.delete(world.environmentKey(change))
    await world.gone(change)
  })

  test('of a project takes all its environments along', async () => {
    const { namespace } = await openReady('last')
    await world.admin.delete({ apiVersion, kind: 'ReviewProject', namespace: world.namespace, name: 'shop' })
    await waitFor(async () => (await world.project()) === undefined, {
      describe: async () => `the project to go: ${JSON.stringify((await world.project())?.status)}`,
      deadline: 60_000,
    })
    expect(await world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace })).toBeUndefined()
    const kind = { apiVersion, kind: 'ReviewEnvironment' }
    expect((await world.admin.list(kind, { namespace: world.namespace })).items).toEqual([])
  })
})
