import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { annotations, apiVersion, finalizer, labels, type ReviewEnvironment } from '../../src/api/index.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { type Clock, systemClock } from '../../src/util/clock.ts'
import { World } from '../controller/world.ts'
import { uniqueName, waitFor } from '../harness/cluster.ts'

/** The real clock, a hundred times as fast for whoever sleeps; two days pass in no test. */
const hasty: Clock = {
  now: () => start + (Date.now() - start) * 100,
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 100, signal),
}
const start = Date.now()

describe('the sweep', () => {
  const world = new World()
  beforeAll(async () => {
    await world.start()
    await world.stopController()
  })
  afterAll(() => world.stop())

  test('removes what our environments left behind, and nothing that does not carry our mark', async () => {
    const marked = (name: string, owner: Record<string, string>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: { 'app.kubernetes.io/managed-by': 'offshoot', [labels.projectNamespace]: world.namespace },
        annotations: owner,
      },
    })
    const orphan = uniqueName('orphan')
    const foreign = uniqueName('foreign')
    const elsewhere = uniqueName('elsewhere')
    const lost = { [annotations.owner]: `${world.namespace}/shop/lost`, [annotations.ownerUid]: 'no-such-uid' }
    await world.admin.create(marked(orphan, lost))
    await world.admin.create(marked(foreign, {}))
    await world.admin.create(
      marked(elsewhere, { [annotations.owner]: 'other/shop/lost', [annotations.ownerUid]: 'no-such-uid' }),
    )
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: world.namespace, name: 'offshoot-lost' }
    const { metadata } = marked(account.name, lost)
    await world.admin.create({ ...account, metadata: { ...metadata, namespace: world.namespace } } as KubeObject)
    const stray: ReviewEnvironment = {
      apiVersion,
      kind: 'ReviewEnvironment',
      metadata: { namespace: world.namespace, name: 'stray', finalizers: [finalizer] },
      spec: { projectRef: { name: 'no-such-project' }, change: { branch: 'x' }, origin: 'automatic' },
    }
    await world.admin.create(stray)

    await world.startController({ clock: hasty })
    const namespaceOf = (name: string) => world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name })
    await waitFor(async () => (await namespaceOf(orphan)) === undefined, { describe: 'the orphan to go' })
    await waitFor(async () => (await world.admin.get(account)) === undefined, { describe: 'the account to go' })
    const strayKey = { apiVersion, kind: 'ReviewEnvironment', namespace: world.namespace, name: 'stray' }
    await waitFor(async () => (await world.admin.get(strayKey)) === undefined, { describe: 'the stray to go' })
    for (const name of [foreign, elsewhere]) {
      expect((await namespaceOf(name))?.metadata.deletionTimestamp, name).toBeUndefined()
    }
  })
})

describe("a project's whole namespace", () => {
  const world = new World()
  beforeAll(async () => {
    await world.start()
  })
  afterAll(() => world.stop())

  test('can be deleted: its environments are removed, and nothing is stuck', async () => {
    const pull = await world.repo.openPullRequest({ branch: 'doomed' })
    world.hear({ pullRequest: pull.number })
    const { status } = await world.ready({ pullRequest: pull.number })
    await world.admin.delete({ apiVersion: 'v1', kind: 'Namespace', name: world.namespace })
    for (const name of [status?.namespace ?? '', world.namespace]) {
      await waitFor(async () => (await world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name })) === undefined, {
        describe: async () =>
          `${name} to go: ${JSON.stringify((await world.environment({ pullRequest: pull.number }))?.status)}`,
        deadline: 60_000,
      })
    }
  })
})
