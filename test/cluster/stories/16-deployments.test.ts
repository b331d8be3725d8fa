// What the engine does with single objects: test/cluster/engine. Killed in the middle: 08-killed. In Jobs: 15-in-jobs.
import { describe, expect, it } from 'vitest'
import { findCondition, type ReviewEnvironment } from '../../../src/api/index.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import type { EnvironmentProbe } from '../../harness/environment-probe.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { makeDeploymentReady, makePodsFail } from '../../harness/kluctl-controller/ready.ts'
import { engine, kluctlRepositoryFiles } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

const deadline = { deadline: 120_000 }
const notReady = { 'kluctl.io/is-ready': 'false' }

/** A ConfigMap in an item's folder of the same name, with this annotations and data. */
function item(name: string, annotations: Record<string, string> = {}, data: Record<string, string> = {}) {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data }
  return { [`deploy/${name}/map.yaml`]: JSON.stringify(object) }
}

/** `deployment.yaml` with these lines after the item that every story has. */
function deploying(...lines: string[]): Record<string, string> {
  return { 'deploy/deployment.yaml': `deployments:\n- path: app\n${lines.map(line => `- ${line}\n`).join('')}` }
}

/** The engine's project with these settings besides. */
function projectWith(settings: Record<string, unknown>, files = {}) {
  const { deploy, ...project } = engine.project({ files })
  const { engine: backend } = deploy as { engine: Record<string, unknown> }
  return { ...project, deploy: { engine: { ...backend, ...settings } } }
}

const messageOf = ({ status }: ReviewEnvironment) => findCondition(status?.conditions, 'Ready')?.message ?? ''

/** Ready or not, with this in its message. */
function toTell(environment: EnvironmentProbe, text: string): Promise<ReviewEnvironment> {
  return environment.toMatch(found => messageOf(found).includes(text), `telling ${text}`, deadline)
}

async function edit(house: House, environment: EnvironmentProbe, name: string, patch: object): Promise<void> {
  const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: await environment.namespace(), name }
  await house.kube.patch<KubeObject>(key, patch, { type: 'merge', fieldManager: 'kubectl-edit' })
}

describe('a deployment by the engine', { concurrent: true, timeout: 300_000 }, () => {
  it('is ready as soon as its objects are, of which it hears; until then it says what it waits for', async () => {
    const files = kluctlRepositoryFiles({ deployment: true })
    await using house = await aHouse().withApiProxy().withProject('shop', engine.project({ files })).start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    const waiting = await toTell(environment, 'waits until 1 of 2 objects are ready')
    expect(waiting.status?.state).toBe('Deploying')
    await house.toSay(pull, 'is being deployed', 'waits until 1 of 2 objects are ready')
    await house.toMark(pull.sha, 'pending')

    const looks = (of: RegExp) => house.api.requests.filter(request => of.test(request)).length
    const before = looks(/^GET .*\/deployments\/web/)
    await makeDeploymentReady(house.kube, await environment.namespace(), 'web')
    await environment.toBeReady(pull.sha, deadline)
    // Each look at the Deployment comes from a watch, but for one that makes sure.
    expect(looks(/^GET .*\/deployments\?.*watch=true/)).toBeGreaterThan(0)
    expect(looks(/^GET .*\/deployments\/web/) - before).toBeLessThanOrEqual(1)
    const said = await house.toSay(pull, 'is ready', 'Deployed', '2 objects')
    expect(said).not.toContain('waits until')
  })

  it('tells what went wrong by object, deploys the rest, and succeeds when the obstacle is gone', async () => {
    await using house = await aHouse().withProject('shop', engine.project()).start()
    const repo = house.repo()
    const pull = await repo.openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    const namespace = await environment.namespace()
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { namespace, name: 'no-secrets' } }
    await house.kube.create({ ...quota, spec: { hard: { 'count/secrets': '0' } } })

    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'second' }, stringData: { a: 'hidden-value' } }
    const pushed = await repo.pushTo(pull.number, { 'deploy/app/second.yaml': JSON.stringify(secret) })
    const refused = await toTell(environment, `${namespace}/Secret/second: `)
    expect(refused.status).toMatchObject({
      state: 'Failed',
      engine: { result: 'failed', revision: pushed, errors: [expect.stringContaining('quota')] },
    })
    // What could be deployed was.
    expect(await environment.find()).toMatchObject({ data: { version: pushed } })
    const said = await house.toSay(pull, 'failed', 'DeployFailed', `${namespace}/Secret/second`)
    expect(said).not.toContain('hidden-value')
    await house.toMark(pushed, 'failure')

    await house.kube.delete({ ...quota, namespace, name: 'no-secrets' })
    await environment.toBeReady(pushed, deadline)
    expect(await environment.find('second', 'Secret')).toBeDefined()
    await house.toSay(pull, 'is ready', '2 objects')
  })

  it('ends with a push: what it has not begun is left, and the newest commit is deployed', async () => {
    const waiting = { ...notReady, 'kluctl.io/wait-readiness': 'true' }
    const files = {
      ...deploying('path: slow', 'barrier: true', 'path: later'),
      ...item('slow', waiting),
      ...item('later'),
    }
    await using house = await aHouse().withApiProxy().withProject('shop', engine.project({ files })).start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    const slow = await waitFor(
      async () => (await environment.get())?.status?.namespace !== undefined && environment.find('slow'),
      { ...deadline, describe: 'the first item' },
    )
    expect(slow.metadata.annotations).toMatchObject(notReady)

    const pushed = await house.repo().pushTo(pull.number, { ...deploying(), 'deploy/slow/map.yaml': null })
    await environment.toBeReady(pushed, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: pushed } })
    expect(await environment.find('slow')).toBeUndefined()
    expect(house.api.requests.filter(request => /^PATCH .*\/configmaps\/later/.test(request))).toEqual([])
  })

  it('holds up no other while it waits, and ends with its change', async () => {
    const waiting = { ...notReady, 'kluctl.io/wait-readiness': 'true' }
    const files = { ...deploying('path: slow'), ...item('slow', waiting) }
    await using house = await aHouse().withProject('shop', engine.project()).start()
    const repo = house.repo()
    // More than are rendered at a time.
    const stuck = await repo.openPullRequests([1, 2, 3, 4, 5].map(index => ({ branch: `stuck-${index}`, files })))
    for (const pull of stuck) await toTell(house.environment(pull), '/ConfigMap/slow to get ready')
    const good = await repo.openPullRequest({ branch: 'good' })
    await house.environment(good).toBeReady(good.sha, deadline)
    for (const pull of stuck) expect((await house.environment(pull).get())?.status?.state).toBe('Deploying')
    for (const { number } of [...stuck, good]) await repo.close(number)
    for (const pull of [...stuck, good]) await house.environment(pull).toBeGone(deadline)
    expect(await house.remains()).toEqual([])
  })

  it('sees at its interval what differs, shows it while it stays ready, and the next push puts it back', async () => {
    await using house = await aHouse()
      .withProject('shop', projectWith({ interval: '2s' }, item('app')))
      .start()
    const repo = house.repo()
    const pull = await repo.openPullRequest({ files: item('app', {}, { a: 'b' }) })
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    await edit(house, environment, 'config', { data: { version: 'by hand' } })
    await house.kube.delete({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: await environment.namespace(),
      name: 'app',
    })
    const drifted = await toTell(environment, '2 differ from the project by now')
    expect(drifted.status).toMatchObject({ state: 'Ready', deployedRevision: pull.sha, engine: { drifted: 2 } })
    await house.toSay(pull, 'is ready', '2 differ from the project by now')
    expect(await environment.find()).toMatchObject({ data: { version: 'by hand' } })

    const pushed = await repo.pushTo(pull.number, { 'a.txt': 'a' })
    await environment.toBeReady(pushed, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: pushed } })
    expect(await environment.find('app')).toMatchObject({ data: { a: 'b' } })
    await waitFor(() => !house.comment(pull).includes('differ'), { ...deadline, describe: 'nothing to differ' })
    expect((await environment.get())?.status?.engine?.drifted).toBeUndefined()
  })

  it('is ready no more when one of its objects breaks later, and is again when that has passed', async () => {
    const files = kluctlRepositoryFiles({ deployment: true })
    await using house = await aHouse()
      .withProject('shop', projectWith({ interval: '2s' }, files))
      .start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    await toTell(environment, 'waits until 1 of 2 objects are ready')
    const namespace = await environment.namespace()
    await makeDeploymentReady(house.kube, namespace, 'web')
    await environment.toBeReady(pull.sha, deadline)

    await makePodsFail(house.kube, namespace)
    const broken = await toTell(environment, 'Deployment/web: ')
    expect(broken.status?.state).toBe('Deploying')
    await house.toSay(pull, 'is being deployed', 'Deployment/web')
    await makeDeploymentReady(house.kube, namespace, 'web')
    await environment.toBeReady(pull.sha, deadline)
  })

  it('is taken down from its last stage to its first, and then the namespace', async () => {
    const files = {
      ...deploying('path: first', 'barrier: true', 'path: second', 'barrier: true', 'path: third'),
      ...item('first'),
      ...item('second'),
      ...item('third'),
    }
    await using house = await aHouse().withProject('shop', engine.project({ files })).start()
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    const there = async () => {
      const found = await Promise.all(['config', 'first', 'second', 'third'].map(name => environment.find(name)))
      return found.filter(object => object !== undefined).map(({ metadata }) => metadata.name)
    }
    const hold = (name: string, finalizers: string[]) => edit(house, environment, name, { metadata: { finalizers } })
    await hold('third', ['example.com/hold'])
    await hold('second', ['example.com/hold'])
    await house.repo().close(pull.number)
    const going = async (name: string) => (await environment.find(name))?.metadata.deletionTimestamp !== undefined
    await waitFor(() => going('third'), { ...deadline, describe: 'the last stage to go' })
    await house.settled()
    expect(await going('second')).toBe(false)
    expect(await there()).toEqual(['config', 'first', 'second', 'third'])
    await hold('third', [])
    await waitFor(() => going('second'), { ...deadline, describe: 'the stage before it to go' })
    expect(await there()).toEqual(['config', 'first', 'second'])
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: await environment.namespace() }
    expect((await house.kube.get(namespace))?.metadata).not.toHaveProperty('deletionTimestamp')
    await hold('second', [])
    await environment.toBeGone(deadline)
    expect(await house.remains()).toEqual([])
  })

  it('goes by the settings of its project: images, pruning, and how long objects may take', async () => {
    const images = [{ image: 'app', resultImage: 'registry.example.com/app:{{ change.sha }}' }]
    const files = item('image', {}, { image: "{{ images.get_image('app') }}" })
    const project = projectWith(
      { images, prune: false, readinessTimeout: '1s' },
      { ...files, ...deploying('path: image') },
    )
    await using house = await aHouse().withProject('shop', project).start()
    const repo = house.repo()
    const pull = await repo.openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    expect(await environment.find('image')).toMatchObject({ data: { image: `registry.example.com/app:${pull.sha}` } })

    const late = await repo.pushTo(pull.number, { ...deploying('path: slow'), ...item('slow', notReady) })
    await toTell(environment, 'timed out while waiting for readiness')
    expect(messageOf(await environment.toBe('Failed', deadline))).toContain('/ConfigMap/slow: ')
    expect(await environment.find()).toMatchObject({ data: { version: late } })
    // Nothing of the project any more, and not pruned.
    expect(await environment.find('image')).toBeDefined()
  })

  it('is rendered in a cage: a branch reads no variable, no file and no object of its host', async () => {
    await using house = await aHouse().withProject('shop', engine.project()).start()
    const repo = house.repo()
    const vars = (source: string) => ({
      'deploy/deployment.yaml': `vars:\n- ${source}\ndeployments:\n- path: app\n`,
    })
    const secret = `{clusterSecret: {name: shop-forge, namespace: ${house.namespace}, key: token}}`
    const attacks = [
      vars('systemEnvVars: {found: HOME}'),
      vars('file: ../../../../../../etc/hosts'),
      vars(secret.slice(1, -1)),
      {
        'deploy/app/config.yaml': item('config', {}, { a: '{% include "/etc/hostname" %}' })['deploy/config/map.yaml'],
      },
    ]
    const pulls = await repo.openPullRequests(
      attacks.map((files, index) => ({ branch: `attack-${index}`, files: files as Record<string, string> })),
    )
    const good = await repo.openPullRequest({ branch: 'good' })
    for (const pull of pulls) {
      const environment = house.environment(pull)
      const failed = await environment.toBe('Failed', deadline)
      expect(failed.status?.engine).toMatchObject({ result: 'failed', objects: 0 })
      expect(messageOf(failed)).not.toContain('fake-token')
      expect(await environment.find()).toBeUndefined()
    }
    await house.environment(good).toBeReady(good.sha, deadline)
  })
})
