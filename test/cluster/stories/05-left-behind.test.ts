import { describe, expect, it } from 'vitest'
import type { ReviewEnvironment } from '../../../src/api/index.ts'
import { accountName, kluctlDeploymentName } from '../../../src/environment/names.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import type { EnvironmentProbe } from '../../harness/environment-probe.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { kluctlFiles } from '../../harness/kluctl-project.ts'
import { kluctlBackends, kluctlStandIn, projectBackends } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

function keyOf(house: House, environment: { name: string }) {
  const name = kluctlDeploymentName(environment.name)
  return { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment', namespace: house.namespace, name }
}

async function dropped(house: House, environment: { name: string }): Promise<void> {
  const look = async () => (await house.kube.get(keyOf(house, environment))) === undefined
  await waitFor(look, { deadline: 60_000, describe: 'the KluctlDeployment to be dropped' })
}

async function hold(house: House, environment: EnvironmentProbe, name: string, finalizers: string[]): Promise<void> {
  const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: await environment.namespace(), name }
  await house.kube.patch<KubeObject>(key, { metadata: { finalizers } }, { type: 'merge' })
}

describe.each(projectBackends)('deployed by $title', { concurrent: true }, backend => {
  const deadline = { deadline: 60_000 * backend.patience }

  it('what a deletion leaves behind is found and removed: kluctl lets go although an object is held (K6)', async () => {
    await using house = await aHouse()
      .deployingBy(backend)
      .withOffshoot({ limits: { blockedAfter: 1_000 } })
      .withProject('shop', backend.project())
      .start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    await hold(house, environment, 'config', ['example.com/hold'])
    await house.repo().close(pull.number)
    if (backend.kluctl) await dropped(house, environment)
    const names = (finalizer: string) => (found: ReviewEnvironment) =>
      (found.status?.blockers ?? []).some(
        ({ kind, finalizers }) => kind === 'ConfigMap' && finalizers?.includes(finalizer),
      )
    await environment.toMatch(names('example.com/hold'), 'blocked by the ConfigMap', deadline)
    await hold(house, environment, 'config', [])
    await environment.toBeGone(deadline)
    expect(await house.remains()).toEqual([])
  })

  it('so is everything, as an account of one namespace, as which kluctl finds nothing (K13)', async () => {
    await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    if (backend.kluctl) {
      const deployment = await house.kube.get<KubeObject & { spec: object }>(keyOf(house, environment))
      expect(deployment?.spec).toMatchObject({ serviceAccountName: accountName(environment.name), delete: true })
    }
    const config = await environment.find()
    await house.repo().close(pull.number)
    if (backend.kluctl) await dropped(house, environment)
    await environment.toBeGone(deadline)
    expect(config?.metadata.labels).toHaveProperty(['kluctl.io/discriminator'])
    expect(await house.remains()).toEqual([])
  })

  it('what had an older discriminator goes too, although no commit names it any more', async () => {
    await using house = await aHouse()
      .deployingBy(backend)
      .withOffshoot({ limits: { blockedAfter: 1_000 } })
      .withProject('shop', backend.project())
      .start()
    const repo = house.repo()
    const { 'deploy/app/extra.yaml': extra = null } = kluctlFiles({ extra: true })
    const pull = await repo.openPullRequest({ files: { 'deploy/app/extra.yaml': extra } })
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    const [first] = (await environment.get())?.status?.discriminators ?? []
    const second = `${house.name}-later`
    const pushed = await repo.pushTo(pull.number, {
      'deploy/.kluctl.yaml': kluctlFiles({ discriminator: second })['deploy/.kluctl.yaml'] ?? null,
      'deploy/app/extra.yaml': null,
    })
    const { status } = await environment.toBeReady(pushed, deadline)
    expect(status?.discriminators).toEqual([first, second])
    // Nothing prunes it: it is no object of the new discriminator.
    expect((await environment.find('extra'))?.metadata.labels).toMatchObject({ 'kluctl.io/discriminator': first })

    await hold(house, environment, 'extra', ['example.com/hold'])
    await repo.close(pull.number)
    const named = ({ status: seen }: ReviewEnvironment) => (seen?.blockers ?? []).some(({ name }) => name === 'extra')
    await environment.toMatch(named, 'blocked by what the older commit deployed', deadline)
    await hold(house, environment, 'extra', [])
    await environment.toBeGone(deadline)
    expect(await house.remains()).toEqual([])
  })
})

describe.each(kluctlBackends)('deployed by $title', { concurrent: true }, backend => {
  const deadline = { deadline: 60_000 * backend.patience }

  it('a KluctlDeployment that somebody deletes comes back, and the environment with it', async () => {
    await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    const uid = (await house.kube.get(keyOf(house, environment)))?.metadata.uid
    await house.kube.delete(keyOf(house, environment))
    await waitFor(
      async () => {
        const found = await house.kube.get(keyOf(house, environment))
        return found !== undefined && found.metadata.uid !== uid
      },
      { deadline: 60_000 * backend.patience, describe: 'the KluctlDeployment to come back' },
    )
    await environment.toBeReady(pull.sha, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: pull.sha } })
  })
})

describe('without a kluctl controller', { concurrent: true }, () => {
  it('a teardown names the KluctlDeployment that nobody lets go of, removes the rest, and ends when it is let go', async () => {
    await using house = await aHouse()
      .deployingBy(kluctlStandIn)
      .withOffshoot({ limits: { blockedAfter: 1_000, teardownPatience: 3_000 } })
      .withProject('shop', kluctlStandIn.project())
      .start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha)
    const namespace = await environment.namespace()
    await house.kluctl?.stop()
    await house.repo().close(pull.number)
    const blocked = await environment.toBe('Blocked')
    const { kind, name } = keyOf(house, environment)
    expect(blocked.status?.blockers).toContainEqual(
      expect.objectContaining({ kind, name, finalizers: ['finalizers.gitops.kluctl.io'] }),
    )
    await house.toSay(pull, 'cannot be removed yet', `KluctlDeployment ${house.namespace}/${name}`)
    await waitFor(
      async () => (await house.kube.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace })) === undefined,
      {
        deadline: 60_000,
        describe: 'the namespace to go all the same',
      },
    )
    await environment.toBe('Blocked')
    await house.kube.patch<KubeObject>(keyOf(house, environment), { metadata: { finalizers: [] } }, { type: 'merge' })
    await environment.toBeGone()
    expect(await house.remains()).toEqual([])
  })
})
