// A project's whole namespace deleted: test/cluster/serve-stories.test.ts (objects), test/cluster/serve-kluctl.test.ts.
import { describe, expect, it } from 'vitest'
import { apiVersion } from '../../../src/api/index.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { kluctlFiles } from '../../harness/kluctl-project.ts'
import { backends, kluctlStandIn, objects } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

const finalizer = 'example.com/hold'
const deadline = { deadline: 90_000 }

function hold(house: House, namespace: string, finalizers: string[]): Promise<KubeObject> {
  const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'config' }
  return house.kube.patch<KubeObject>(key, { metadata: { finalizers } }, { type: 'merge' })
}

const standIns = backends.filter(({ kluctl }) => kluctl !== 'real')

describe.each(standIns)('deployed by $title', { concurrent: true, timeout: 240_000 }, backend => {
  it('a pull request that reopens during its teardown gets a new environment after it', async () => {
    await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
    const repo = house.repo()
    const pull = await repo.openPullRequest()
    const environment = house.environment(pull)
    const before = await environment.toBeReady(pull.sha, deadline)
    const namespace = await environment.namespace()
    await hold(house, namespace, [finalizer])
    await repo.close(pull.number)
    await environment.toMatch(({ status }) => status?.times?.teardownStarted !== undefined, 'in teardown', deadline)

    await repo.reopen(pull.number)
    const pushed = await repo.pushTo(pull.number, { 'more.txt': 'more' })
    await house.settled()
    const during = await environment.get()
    expect(during?.metadata).toMatchObject({ uid: before.metadata.uid, deletionTimestamp: expect.any(String) })

    await hold(house, namespace, [])
    const after = await environment.toMatch(
      ({ metadata }) => metadata.uid !== before.metadata.uid,
      'a new environment',
      deadline,
    )
    expect(after.metadata.deletionTimestamp).toBeUndefined()
    await environment.toBeReady(pushed, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: pushed } })
    await house.toSay(pull, 'is ready', pushed.slice(0, 12))
    expect(repo.commentsOf(pull.number)).toHaveLength(1)
  })

  it('a branch that is pushed with force is deployed as it is then', async () => {
    await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
    const repo = house.repo()
    const extra = kluctlFiles({ extra: true })['deploy/app/extra.yaml'] ?? ''
    const pull = await repo.openPullRequest({ branch: 'feature', files: { 'deploy/app/extra.yaml': extra } })
    const environment = house.environment(pull)
    const { sha } = pull
    await environment.toBeReady(sha, deadline)
    if (backend.rendersProject) expect(await environment.find('extra')).toBeDefined()

    const forced = await repo.forcePush('feature', { 'other.txt': 'other' })
    expect(await repo.git.isAncestor(sha, forced)).toBe(false)
    await environment.toBeReady(forced, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: forced } })
    await waitFor(async () => (await environment.find('extra')) === undefined, {
      ...deadline,
      describe: 'what only the old commits had to be pruned',
    })
    await house.toMark(forced, 'success')
  })

  it('an edited project reaches every environment without a push, and moves none of them', async () => {
    const deploy = backend.deploying('before {{ change.sha }}')
    await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project({ deploy })).start()
    const pulls = await house.repo().openPullRequests([{}, {}])
    const environments = pulls.map(pull => house.environment(pull))
    const namespaces = await Promise.all(
      environments.map(async (environment, index) => {
        const { status } = await environment.toBeReady(pulls[index]?.sha, deadline)
        return status?.namespace
      }),
    )

    await house.editProject('shop', {
      deploy: backend.deploying('after {{ change.sha }}'),
      environment: { name: `${house.name}-moved-{{ change.slug }}`, namespace: { labels: { team: 'blue' } } },
    })
    for (const [index, environment] of environments.entries()) {
      const version = `after ${pulls[index]?.sha}`
      await waitFor(async () => (await environment.find())?.data, { ...deadline, describe: 'a ConfigMap' })
      await waitFor(
        async () => ((await environment.find())?.data as { version?: string } | undefined)?.version === version,
        { ...deadline, describe: async () => `${version}; seen: ${JSON.stringify(await environment.find())}` },
      )
      const { status } = await environment.toBeReady(pulls[index]?.sha, deadline)
      expect(status?.namespace).toBe(namespaces[index])
      const namespace = await house.kube.get<KubeObject>({
        apiVersion: 'v1',
        kind: 'Namespace',
        name: namespaces[index] ?? '',
      })
      expect(namespace?.metadata.labels).toMatchObject({ team: 'blue' })
    }
    const later = await house.repo().openPullRequest()
    await house.environment(later).toBeReady(later.sha, deadline)
    expect(await house.environment(later).namespace()).toBe(`${house.name}-moved-pr-${later.number}`)
  })

  it('a deleted project takes all its environments along, names the one that is held, and waits for it', async () => {
    await using house = await aHouse()
      .deployingBy(backend)
      .withOffshoot({ limits: { blockedAfter: 1_000 } })
      .withProject('shop', backend.project())
      .withProject('docs', backend.project({ repository: 'acme/shop' }))
      .start()
    const pulls = await house.repo().openPullRequests([{}, {}])
    for (const pull of pulls) {
      await house.environment(pull, 'shop').toBeReady(pull.sha, deadline)
      await house.environment(pull, 'docs').toBeReady(pull.sha, deadline)
    }
    const [held, other] = pulls.map(pull => house.environment(pull, 'shop'))
    const namespace = (await held?.namespace()) ?? ''
    await hold(house, namespace, [finalizer])
    await house.kube.delete({ apiVersion, kind: 'ReviewProject', namespace: house.namespace, name: 'shop' })

    await other?.toBeGone(deadline)
    await held?.toBe('Blocked', deadline)
    const message = async () => (await house.project('shop'))?.status?.conditions?.find(({ type }) => type === 'Ready')
    await waitFor(async () => (await message())?.message.includes(held?.name ?? ''), {
      ...deadline,
      describe: async () => `the project to name ${held?.name}: ${JSON.stringify(await message())}`,
    })
    // Nothing begins in a project that ends.
    const late = await house.repo().openPullRequest()
    await house.environment(late, 'docs').toBeReady(late.sha, deadline)
    expect(await house.environment(late, 'shop').get()).toBeUndefined()

    await hold(house, namespace, [])
    await held?.toBeGone(deadline)
    await waitFor(async () => (await house.project('shop')) === undefined, {
      ...deadline,
      describe: 'the project to go',
    })
    expect((await house.environments()).map(({ spec }) => spec.projectRef.name)).toEqual(['docs', 'docs', 'docs'])
    for (const pull of pulls) await house.environment(pull, 'docs').toBeReady(pull.sha, deadline)
  })
})

describe('whatever deploys', { concurrent: true, timeout: 240_000 }, () => {
  it('a pull request that goes to another branch loses its environment, and has it again when it is back', async () => {
    const changes = { pullRequests: { targetBranches: ['main', 'release/*'] } }
    const manifest = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'config' },
      data: { base: '{{ change.base }}' },
    }
    const deploy = { objects: { manifests: [manifest] } }
    await using house = await aHouse().withProject('shop', { changes, deploy }).start()
    const repo = house.repo()
    for (const branch of ['release/1', 'attic']) await repo.push(branch, { [`${branch}.txt`]: branch })
    const pull = await repo.openPullRequest({ base: 'main' })
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    const namespace = await environment.namespace()

    await repo.retarget(pull.number, 'release/1')
    const base = async () => ((await environment.find())?.data as { base?: string } | undefined)?.base
    await waitFor(async () => (await base()) === 'release/1', { ...deadline, describe: 'its base to be deployed' })
    expect(await environment.namespace()).toBe(namespace)

    await repo.retarget(pull.number, 'attic')
    await environment.toBeGone(deadline)
    await house.toSay(pull, 'is gone')
    await repo.retarget(pull.number, 'main')
    await environment.toBeReady(pull.sha, deadline)
    expect(await base()).toBe('main')
  })

  it('a draft has none until it is ready for review, and none when it is a draft again', async () => {
    await using house = await aHouse()
      .withProject('shop', { changes: { pullRequests: { drafts: false } } })
      .start()
    const repo = house.repo()
    const pull = await repo.openPullRequest({ draft: true })
    const environment = house.environment(pull)
    await house.settled()
    await house.list()
    await house.settled()
    expect(await environment.get()).toBeUndefined()
    expect(house.comment(pull)).toBe('')

    await repo.draft(pull.number, false)
    await environment.toBeReady(pull.sha, deadline)
    await repo.draft(pull.number, true)
    await environment.toBeGone(deadline)
    await house.toSay(pull, 'is gone')
  })

  it('an edited filter takes those away that no longer match, and an edited template what is no longer in it', async () => {
    const second = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'second' } }
    const first = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' } }
    const deploy = { objects: { manifests: [first, second] } }
    await using house = await aHouse().withProject('shop', { deploy }).start()
    const repo = house.repo()
    const stays = await repo.openPullRequest({ labels: ['preview'] })
    const goes = await repo.openPullRequest()
    for (const pull of [stays, goes]) await house.environment(pull).toBeReady(pull.sha, deadline)
    expect(await house.environment(stays).find('second')).toBeDefined()

    await house.editProject('shop', {
      changes: { pullRequests: { labels: { any: ['preview'] } } },
      deploy: { objects: { manifests: [first] } },
    })
    await house.environment(goes).toBeGone(deadline)
    await waitFor(async () => (await house.environment(stays).find('second')) === undefined, {
      ...deadline,
      describe: 'what left the template to be pruned',
    })
    await house.environment(stays).toBeReady(stays.sha, deadline)
    expect(await house.environment(stays).find('config')).toBeDefined()
  })

  it('a suspended project neither makes nor removes, but for deletes by hand; what it missed comes when it goes on', async () => {
    await using house = await aHouse().withProject('shop').start()
    const repo = house.repo()
    const [closing, byHand, staying] = [
      await repo.openPullRequest(),
      await repo.openPullRequest(),
      await repo.openPullRequest(),
    ]
    for (const pull of [closing, byHand, staying]) await house.environment(pull).toBeReady(pull.sha, deadline)
    const { sha } = staying
    await house.editProject('shop', { suspend: true })
    await house.settled()

    await repo.close(closing.number)
    const missed = await repo.openPullRequest()
    const pushed = await repo.pushTo(staying.number, { 'more.txt': 'more' })
    const { name } = house.environment(byHand)
    await house.kube.delete({ apiVersion, kind: 'ReviewEnvironment', namespace: house.namespace, name })
    await house.environment(byHand).toBeGone(deadline)
    await house.settled()
    await house.environment(closing).toBeReady(closing.sha, deadline)
    await house.environment(staying).toBeReady(sha, deadline)
    expect(await house.environment(missed).get()).toBeUndefined()

    await house.editProject('shop', { suspend: false })
    await house.environment(closing).toBeGone(deadline)
    await house.environment(staying).toBeReady(pushed, deadline)
    await house.environment(missed).toBeReady(missed.sha, deadline)
  })

  it('an edit that asks for another backend harms nothing that runs: it says so, and holds for what is made anew', async () => {
    const { files, deploy } = kluctlStandIn.project()
    await using house = await aHouse()
      .deployingBy(kluctlStandIn)
      .withProject('shop', objects.project(files ? { files } : {}))
      .start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    const uid = (await environment.find())?.metadata.uid
    await house.editProject('shop', { deploy: { objects: null, ...(deploy as object) } })
    expect(await environment.toStall('BackendChanged', deadline)).toContain('delete this environment')
    expect((await environment.find())?.metadata.uid).toBe(uid)
    const { name } = environment
    await house.kube.delete({ apiVersion, kind: 'ReviewEnvironment', namespace: house.namespace, name })
    await environment.toBeGone(deadline)
    await house.list()
    const again = await environment.toBeReady(pull.sha, deadline)
    expect(again.status?.backend).toBe('kluctlDeployment')
    expect(await environment.find()).toMatchObject({ data: { version: pull.sha } })
  })
})
