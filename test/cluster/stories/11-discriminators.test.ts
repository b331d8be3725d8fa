// Empty discriminators, and what kluctl may be told before its discriminator is known: test/cluster/backend-kluctl.test.ts.
import { describe, expect, it } from 'vitest'
import { apiVersion, findCondition } from '../../../src/api/index.ts'
import { kluctlDeploymentName } from '../../../src/environment/names.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import type { EnvironmentProbe } from '../../harness/environment-probe.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { kluctlFiles } from '../../harness/kluctl-project.ts'
import { kluctlRepositoryFiles, kluctlStandIn, projectBackends } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

type Deployment = KubeObject & { spec: Record<string, unknown> }

const kind = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' }

async function deploymentOf(house: House, { name }: EnvironmentProbe): Promise<Deployment | undefined> {
  return house.kube.get({ ...kind, namespace: house.namespace, name: kluctlDeploymentName(name) })
}

/** What tells an unharmed object from one that was deleted and made anew. */
async function uidOf(environment: EnvironmentProbe, name?: string): Promise<string | undefined> {
  return (await environment.find(name))?.metadata.uid
}

/** `.kluctl.yaml` with this discriminator, to be pushed. */
function discriminatedBy(discriminator: string): Record<string, string> {
  return { 'deploy/.kluctl.yaml': kluctlFiles({ discriminator })['deploy/.kluctl.yaml'] ?? '' }
}

describe.each(projectBackends)('deployed by $title', { concurrent: true }, backend => {
  const deadline = { deadline: 100_000 * backend.patience }
  const timeout = 150_000 * backend.patience

  it(
    'where all targets have one discriminator, the first environment has it, and the others stall without harm',
    async () => {
      await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
      const repo = house.repo()
      // Not `x-`: the houses of other stories have the same cluster, and so the same discriminators.
      await repo.push('main', discriminatedBy(`${house.name}-{{ target.name }}`))
      const first = await repo.openPullRequest()
      const one = house.environment(first)
      await one.toBeReady(first.sha, deadline)
      const uid = await uidOf(one)

      const second = await repo.openPullRequest()
      const two = house.environment(second)
      const message = await two.toStall('DiscriminatorTaken', deadline)
      expect(message).toContain(`${house.name}-preview`)
      expect(message).toContain(one.name)
      expect(await deploymentOf(house, two)).toBeUndefined()
      expect(await two.find()).toBeUndefined()
      await house.toSay(second, 'failed', 'DiscriminatorTaken', one.name)
      await house.toMark(second.sha, 'failure')

      // Its pushes and its end are as harmless, and so is the first one's own push.
      const again = await repo.pushTo(second.number, { 'more.txt': 'more' })
      await two.toMatch(({ status }) => status?.observedRevision === again, 'asked for the newest commit', deadline)
      await two.toStall('DiscriminatorTaken', deadline)
      await repo.close(second.number)
      await two.toBeGone(deadline)
      expect(await uidOf(one)).toBe(uid)
      const pushed = await repo.pushTo(first.number, { 'more.txt': 'more' })
      await one.toBeReady(pushed, deadline)
      expect(await uidOf(one)).toBe(uid)

      // When the first one is gone, who waits can have it: at the next look, which this one asks for.
      const third = await repo.openPullRequest()
      const three = house.environment(third)
      await three.toStall('DiscriminatorTaken', deadline)
      await repo.close(first.number)
      await one.toBeGone(deadline)
      const asked = { metadata: { annotations: { 'offshoot.dev/requested-at': 'now' } } }
      const key = { apiVersion, kind: 'ReviewEnvironment', namespace: house.namespace, name: three.name }
      await house.kube.patch(key, asked, { type: 'merge' })
      await three.toBeReady(third.sha, deadline)
      await repo.close(third.number)
      await three.toBeGone(deadline)
      expect(await house.remains()).toEqual([])
    },
    timeout,
  )

  it(
    'a push that takes a neighbour’s stalls and harms neither, whether it is taken back or its change ends',
    async () => {
      await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
      const repo = house.repo()
      const [neighbour, pusher] = [await repo.openPullRequest(), await repo.openPullRequest()]
      const [theirs, own] = [house.environment(neighbour), house.environment(pusher)]
      const { sha } = pusher
      const { status } = await theirs.toBeReady(neighbour.sha, deadline)
      const [stolen] = status?.discriminators ?? []
      const before = (await own.toBeReady(sha, deadline)).status?.discriminators
      const uids = [await uidOf(theirs), await uidOf(own)]
      const both = async () => [await uidOf(theirs), await uidOf(own)]

      await repo.pushTo(pusher.number, discriminatedBy(stolen ?? ''))
      const message = await own.toStall('DiscriminatorTaken', deadline)
      expect(message).toContain(theirs.name)
      if (backend.kluctl) {
        const kept = { dryRun: false, source: { git: { ref: { commit: sha } } } }
        expect((await deploymentOf(house, own))?.spec).toMatchObject(kept)
      }
      expect(await both()).toEqual(uids)
      expect(await own.find()).toMatchObject({ data: { version: sha } })
      expect((await own.get())?.status).toMatchObject({ discriminators: before, deployedRevision: sha })
      await house.toSay(pusher, 'failed', 'DiscriminatorTaken', theirs.name)

      const back = await repo.pushTo(pusher.number, kluctlRepositoryFiles())
      await own.toBeReady(back, deadline)
      expect(await both()).toEqual(uids)

      const again = await repo.pushTo(pusher.number, discriminatedBy(stolen ?? ''))
      await own.toMatch(({ status: seen }) => seen?.observedRevision === again, 'asked for the newest commit', deadline)
      await own.toStall('DiscriminatorTaken', deadline)
      await repo.close(pusher.number)
      await own.toBeGone(deadline)
      await theirs.toBeReady(neighbour.sha, deadline)
      expect(await uidOf(theirs)).toBe(uids[0])
      await repo.close(neighbour.number)
      await theirs.toBeGone(deadline)
      expect(await house.remains()).toEqual([])
    },
    timeout,
  )

  it(
    'a change whose project cannot be loaded is told file and line, and holds up nobody else',
    async () => {
      await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
      const repo = house.repo()
      const files = { 'deploy/.kluctl.yaml': 'targets:\n  - nam: preview\n' }
      const broken = await repo.openPullRequest({ files })
      const fine = await repo.openPullRequest()
      const [one, other] = [house.environment(broken), house.environment(fine)]
      // The engine renders while it deploys, with values from elsewhere that may mend: it tries again.
      const reason = backend.kluctl ? 'ProjectInvalid' : 'DeployFailed'
      const toFail = (environment: EnvironmentProbe) =>
        environment.toMatch(
          ({ status }) => {
            const ready = findCondition(status?.conditions, 'Ready')
            return ready?.reason === reason && ready.message.includes('deploy/.kluctl.yaml:2:')
          },
          `${reason} with file and line`,
          deadline,
        )
      await toFail(one)
      expect(await one.find()).toBeUndefined()
      expect(await deploymentOf(house, one)).toBeUndefined()
      await house.toSay(broken, 'failed', reason, 'deploy/.kluctl.yaml:2:')
      await house.toMark(broken.sha, 'failure')
      await other.toBeReady(fine.sha, deadline)

      const mended = await repo.pushTo(broken.number, kluctlRepositoryFiles())
      await one.toBeReady(mended, deadline)
      await repo.pushTo(broken.number, files)
      await toFail(one)
      expect(await one.find()).toMatchObject({ data: { version: mended } })
      if (backend.kluctl) {
        expect((await deploymentOf(house, one))?.spec).toMatchObject({ source: { git: { ref: { commit: mended } } } })
      }
      await repo.close(broken.number)
      await one.toBeGone(deadline)
    },
    timeout,
  )

  it(
    'nor does it take what a person deployed: nothing of that is pruned or deleted',
    async () => {
      // A person deploys with kluctl, whatever Offshoot deploys with.
      const { kluctl = kluctlStandIn.kluctl } = backend
      await using house = await aHouse()
        .deployingBy(kluctl ? { kluctl } : {})
        .withProject('shop', backend.project())
        .start()
      const { kube, namespace, name } = house
      const repo = house.repo()
      const theirs = `${name}-by-hand`
      await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: theirs } })
      const source = { git: { url: repo.url, path: 'deploy' } }
      const args = { environment: theirs, namespace: theirs, version: 'mine' }
      const spec = { interval: '1h', source, target: 'preview', args, prune: true, delete: true }
      await kube.create({ ...kind, metadata: { namespace, name: 'by-hand' }, spec })
      const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace: theirs, name: 'config' }
      const uid = async () => (await kube.get(config))?.metadata.uid
      const before = await waitFor(uid, { ...deadline, describe: 'what a person deploys' })

      const files = discriminatedBy(`preview-${theirs}`)
      const thief = await repo.openPullRequest({ files })
      const environment = house.environment(thief)
      expect(await environment.toStall('DiscriminatorTaken', deadline)).toContain('KluctlDeployment by-hand')
      await repo.close(thief.number)
      await environment.toBeGone(deadline)
      expect(await uid()).toBe(before)
      expect(await kube.get({ ...kind, namespace, name: 'by-hand' })).toBeDefined()
      expect(
        await kube.get({ apiVersion, kind: 'ReviewEnvironment', namespace, name: environment.name }),
      ).toBeUndefined()
    },
    timeout,
  )
})
