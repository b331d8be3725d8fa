// Names of every length and letter, as laws: test/environment/names.test.ts. A namespace whose environment was never
// ready in it: test/cluster/controller-teardown.test.ts.
import { describe, expect, it } from 'vitest'
import type { ReviewEnvironment } from '../../../src/api/index.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { uniqueName } from '../../harness/cluster.ts'
import { aHouse } from '../../harness/house.ts'
import { engine, kluctlStandIn, objects } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

const deadline = { deadline: 100_000 }

const messages = ({ status }: ReviewEnvironment) => (status?.conditions ?? []).map(({ message }) => message).join('\n')

describe.each([objects, kluctlStandIn, engine])(
  'deployed by $title',
  { concurrent: true, timeout: 240_000 },
  backend => {
    it('branches that read alike, 250 characters and emoji have namespaces of their own, and end alone', async () => {
      const project = backend.project({
        changes: { branches: { include: ['**'], exclude: ['main'] } },
        environment: { name: `${uniqueName('n')}-{{ change.slug }}` },
        deploy: backend.deploying('{{ change.sha }}'),
      })
      await using house = await aHouse().deployingBy(backend).withProject('shop', project).start()
      const repo = house.repo()
      const long = `l/${'o'.repeat(247)}`
      const branches = ['feature/x', 'feature-x', 'feature_x', `${long}n`, `${long}g`, '🚀', '🛰️', 'a{{target}}b']
      const shas = new Map<string, string>()
      for (const branch of branches) shas.set(branch, await repo.push(branch, { 'branch.txt': branch }))

      const found = await Promise.all(
        branches.map(branch => house.environment({ branch }).toBeReady(shas.get(branch), deadline)),
      )
      const namespaces = found.map(({ status }) => status?.namespace ?? '')
      expect(new Set(namespaces).size).toBe(branches.length)
      for (const namespace of namespaces) expect(namespace).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      for (const branch of branches) {
        expect(await house.environment({ branch }).find()).toMatchObject({ data: { version: shas.get(branch) } })
      }

      await repo.deleteBranch('feature-x')
      await repo.deleteBranch(`${long}n`)
      await house.environment({ branch: 'feature-x' }).toBeGone(deadline)
      await house.environment({ branch: `${long}n` }).toBeGone(deadline)
      await house.settled()
      for (const branch of ['feature/x', 'feature_x', `${long}g`]) {
        await house.environment({ branch }).toBeReady(shas.get(branch), deadline)
        expect(await house.environment({ branch }).find()).toMatchObject({ data: { version: shas.get(branch) } })
      }
      expect(await house.environmentNamespaces()).toHaveLength(branches.length - 2)
    })

    it('a{{target}}b is no template: it is refused where it is asked for, and nobody else is held up', async () => {
      const project = backend.project({
        changes: { branches: { include: ['**'], exclude: ['main'] } },
        deploy: backend.deploying('{{ change.branch }}'),
      })
      await using house = await aHouse().deployingBy(backend).withProject('shop', project).start()
      const repo = house.repo()
      const bad = await repo.push('a{{target}}b', { 'a.txt': 'a' })
      const good = await repo.push('plain/🚀', { 'a.txt': 'a' })
      const refused = await house.environment({ branch: 'a{{target}}b' }).toStall('Invalid', deadline)
      expect(refused).toMatch(new RegExp(`spec\\.deploy\\.${backend.field}\\..*\\.version: `))
      expect(refused).toMatch(/change\.branch is refused: it holds \{\{/)
      await house.toMark(bad, 'failure')
      const environment = house.environment({ branch: 'plain/🚀' })
      await environment.toBeReady(good, deadline)
      expect(await environment.find()).toMatchObject({ data: { version: 'plain/🚀' } })
      await repo.deleteBranch('a{{target}}b')
      await house.environment({ branch: 'a{{target}}b' }).toBeGone(deadline)
    })

    it('a title with a line break and YAML stays a title, and is refused where it is asked for until it is mended', async () => {
      await using house = await aHouse()
        .deployingBy(backend)
        .withProject('shop', backend.project())
        .withProject(
          'titles',
          backend.project({ repository: 'acme/shop', deploy: backend.deploying('{{ change.title }}') }),
        )
        .start()
      const repo = house.repo()
      const title = 'Add search\nmetadata:\n  namespace: kube-system\n@everyone <!-- x -->'
      const pull = await repo.openPullRequest({ title })
      const unused = await house.environment(pull, 'shop').toBeReady(pull.sha, deadline)
      expect(unused.status?.summary).toMatch(/^#1 Add search metadata: [^\p{Cc}]*$/u)
      expect(await house.environment(pull, 'shop').find()).toMatchObject({ data: { version: pull.sha } })

      const environment = house.environment(pull, 'titles')
      expect(await environment.toStall('Invalid', deadline)).toMatch(/change\.title is refused: .*control characters/)
      await repo.retitle(pull.number, 'Add: search # now, {a: 1}')
      await environment.toBeReady(pull.sha, deadline)
      expect(await environment.find()).toMatchObject({ data: { version: 'Add: search # now, {a: 1}' } })
    })

    it('a namespace that is somebody else’s is refused and left as it is, and taken when it is free', async () => {
      const name = uniqueName('n')
      const project = backend.project({ environment: { name: `${name}-{{ change.slug }}` } })
      await using house = await aHouse().deployingBy(backend).withProject('shop', project).start()
      const { kube } = house
      const repo = house.repo()
      const foreign = `${name}-pr-1`
      const key = { apiVersion: 'v1', kind: 'Namespace', name: foreign }
      const labels = { team: 'other', 'offshoot.dev/project-namespace': house.namespace }
      await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: foreign, labels } })
      const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: foreign, name: 'config' } }
      const theirs = await kube.create<KubeObject>({ ...config, data: { version: 'theirs' } })
      const same = async () => {
        expect((await kube.get(key))?.metadata).toMatchObject({ labels })
        expect((await kube.get(key))?.metadata).not.toHaveProperty('deletionTimestamp')
        const { namespace, name: at = '' } = theirs.metadata
        const found = await kube.get({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: at,
          ...(namespace ? { namespace } : {}),
        })
        expect(found?.metadata.resourceVersion).toBe(theirs.metadata.resourceVersion)
      }
      const pull = await repo.openPullRequest()
      expect(pull.number).toBe(1)
      const environment = house.environment(pull)
      expect(await environment.toStall('NamespaceTaken', deadline)).toContain(`namespace ${foreign}`)
      await house.toSay(pull, 'failed', foreign)
      const other = await repo.openPullRequest()
      await house.environment(other).toBeReady(other.sha, deadline)
      await same()

      await repo.close(pull.number)
      await waitFor(async () => (await environment.get()) === undefined, { ...deadline, describe: 'it to be gone' })
      await house.toSay(pull, 'is gone')
      await same()

      await repo.reopen(pull.number)
      await environment.toStall('NamespaceTaken', deadline)
      await kube.delete(key)
      await waitFor(async () => (await kube.get(key)) === undefined, { ...deadline, describe: 'the namespace to go' })
      const pushed = await repo.pushTo(pull.number, { 'more.txt': 'more' })
      await environment.toBeReady(pushed, deadline)
      expect(await environment.find()).toMatchObject({ data: { version: pushed } })
    })
  },
)

describe('whatever deploys', { concurrent: true, timeout: 240_000 }, () => {
  it('two changes whose templates give one namespace: the first has it, the second is refused and harms nothing', async () => {
    const environment = { name: '{{ change.author }}', namespace: { name: uniqueName('shared') } }
    await using house = await aHouse().withProject('shop', objects.project({ environment })).start()
    const repo = house.repo()
    const first = await repo.openPullRequest()
    const { status } = await house.environment(first).toBeReady(first.sha, deadline)
    const uid = (await house.environment(first).find())?.metadata.uid
    const second = await repo.openPullRequest()
    const message = await house.environment(second).toStall('NamespaceTaken', deadline)
    expect(message).toContain(status?.namespace)
    expect(message).toContain(house.environment(first).name)
    await repo.close(second.number)
    await house.toSay(second, 'is gone')
    expect((await house.environment(first).find())?.metadata.uid).toBe(uid)
    const after = await house.environment(first).toBeReady(first.sha, deadline)
    expect(messages(after)).not.toContain('exists')
  })
})
