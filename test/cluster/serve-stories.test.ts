import { describe, expect, it } from 'vitest'
import { findCondition, type ReviewEnvironment } from '../../src/api/index.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { uniqueName, uniqueNamespace, waitFor } from '../harness/cluster.ts'
import { aHouse } from '../harness/house.ts'

const configMap = (namespace: string, name = 'shop') => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
const manifest = (extra: object) => ({
  objects: { manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop' } }, extra] },
})
const messages = ({ status }: ReviewEnvironment) => (status?.conditions ?? []).map(({ message }) => message).join('\n')

describe('many changes', () => {
  it('two projects on one repository each give twenty pull requests an environment at once', async () => {
    await using house = await aHouse().withProject('shop').withProject('docs', { repository: 'acme/shop' }).start()
    const pulls = await house.repo('shop').openPullRequests(Array.from({ length: 20 }, () => ({})))
    for (const project of ['shop', 'docs']) {
      await Promise.all(pulls.map(pull => house.environment(pull, project).toBeReady(pull.sha)))
    }
    expect(await house.environments()).toHaveLength(40)
    expect((await house.project('shop'))?.status).toMatchObject({ environments: 20 })
  })

  it('deliveries that come twice and in reverse order end in the newest state', async () => {
    await using house = await aHouse().withProject('shop').start()
    house.forge.deliveries.hold()
    house.forge.deliveries.copies = 2
    const [open, closed] = [await house.repo().openPullRequest(), await house.repo().openPullRequest()]
    const sha = await house.repo().pushTo(open.number, { 'a.txt': 'a' })
    await house.repo().close(closed.number)
    await house.forge.deliveries.release(held => held.toReversed())
    await house.environment(open).toBeReady(sha)
    expect(await house.environment(closed).get()).toBeUndefined()
    expect((await house.environments()).map(({ metadata }) => metadata.name)).toEqual([house.environment(open).name])
  })

  it('branches that read alike, with emoji or 250 characters, have namespaces of their own', async () => {
    await using house = await aHouse()
      .withProject('shop', { changes: { branches: { include: ['**'], exclude: ['main'] } } })
      .start()
    const branches = ['feature/x', 'feature-x', 'feature_x', '🚀', 'a{{target}}b', `long/${'y'.repeat(200)}`]
    for (const branch of branches) await house.repo().push(branch, { 'a.txt': branch })
    const found = await Promise.all(branches.map(branch => house.environment({ branch }).toBeReady()))
    const namespaces = found.map(({ status }) => status?.namespace ?? '')
    expect(new Set(namespaces).size).toBe(branches.length)
    for (const namespace of namespaces) expect(namespace).toMatch(/^[a-z0-9-]{1,63}$/)
  })
})

describe('tenancy', () => {
  it.each([
    [
      'a ClusterRoleBinding',
      (name: string) => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:authenticated' }],
      }),
    ],
    [
      'an object of a foreign namespace',
      (_name: string, foreign: string) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'intruder', namespace: foreign },
      }),
    ],
  ])('refuses %s, and says so', async (_what, make) => {
    const foreign = await uniqueNamespace('foreign')
    const name = uniqueName('grab')
    const object = make(name, foreign) as KubeObject
    await using house = await aHouse()
      .withProject('shop', { deploy: manifest(object) })
      .start()
    const pull = await house.repo().openPullRequest()
    const failed = await house
      .environment(pull)
      .toMatch(found => /forbidden|cannot|refused/i.test(messages(found)), 'refused')
    expect(messages(failed)).toContain(object.kind)
    expect(failed.status?.state).not.toBe('Ready')
    const key = {
      ...object.metadata,
      apiVersion: object.apiVersion,
      kind: object.kind,
      name: object.metadata.name ?? '',
    }
    expect(await house.kube.get(key)).toBeUndefined()
    await house.repo().close(pull.number)
    await house.environment(pull).toBeGone()
  })

  it('does not give a cluster role that the installation does not allow', async () => {
    const environment = { name: `${uniqueName('x')}-{{ change.slug }}`, clusterRole: 'cluster-admin' }
    await using house = await aHouse().withProject('shop', { environment }).start()
    const pull = await house.repo().openPullRequest()
    const refused = await house
      .environment(pull)
      .toMatch(found => findCondition(found.status?.conditions, 'Stalled')?.status === 'True', 'stalled')
    expect(messages(refused)).toContain('cluster-admin')
  })

  it('never reads a Secret of another namespace', async () => {
    const foreign = await uniqueNamespace('foreign')
    await using house = await aHouse().withProject('shop').start()
    const metadata = { namespace: foreign, name: 'only-here' }
    await house.kube.create({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { token: 'fake-token' } })
    await house.editProject('shop', { source: { forge: { secretRef: { name: 'only-here' } } } })
    await waitFor(async () => {
      const project = await house.project('shop')
      return findCondition(project?.status?.conditions, 'Ready')?.message.includes('only-here')
    })
  })
})

describe('what a change brings in', () => {
  it('a title with a line break and YAML harms nobody who does not ask for it, and is refused where it is used', async () => {
    const deploy = {
      objects: {
        manifests: [
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop' }, data: { title: '{{ change.title }}' } },
        ],
      },
    }
    await using house = await aHouse()
      .withProject('shop')
      .withProject('titles', { repository: 'acme/shop', deploy })
      .start()
    const pull = await house.repo().openPullRequest({ title: 'x\ndata: {{ "{{" }} a' })
    await house.environment(pull, 'shop').toBeReady()
    const refused = await house
      .environment(pull, 'titles')
      .toMatch(found => /change\.title/.test(messages(found)), 'refused')
    expect(refused.status?.state).not.toBe('Ready')
  })

  it('an undefined variable stalls its own project with path and name, and no other', async () => {
    const broken = manifest({ ...configMap(''), metadata: { name: 'b' }, data: { a: '{{ change.nothing }}' } })
    await using house = await aHouse()
      .withProject('shop')
      .withProject('broken', { repository: 'acme/shop', deploy: broken })
      .start()
    const pull = await house.repo().openPullRequest()
    await house.environment(pull, 'shop').toBeReady()
    await waitFor(async () => {
      const { message = '' } = findCondition((await house.project('broken'))?.status?.conditions, 'Ready') ?? {}
      return message.includes('spec.deploy.objects.manifests[1].data.a') && message.includes('nothing')
    })
  })
})

describe('a project', () => {
  it('that is deleted takes its environments along', async () => {
    await using house = await aHouse().withProject('shop').start()
    const pull = await house.repo().openPullRequest()
    await house.environment(pull).toBeReady()
    await house.kube.delete({
      apiVersion: 'offshoot.dev/v1alpha1',
      kind: 'ReviewProject',
      namespace: house.namespace,
      name: 'shop',
    })
    await house.environment(pull).toBeGone()
    await waitFor(async () => (await house.project('shop')) === undefined, { describe: 'the project to be gone' })
  })

  it('whose whole namespace is deleted leaves nothing behind', async () => {
    await using house = await aHouse().withProject('shop').start()
    const pull = await house.repo().openPullRequest()
    await house.environment(pull).toBeReady()
    const key = { apiVersion: 'v1', kind: 'Namespace', name: house.namespace }
    await house.kube.delete(key)
    await waitFor(async () => (await house.environmentNamespaces()).length === 0, {
      deadline: 90_000,
      describe: async () => `namespaces to go: ${JSON.stringify(await house.environments())}`,
    })
    await waitFor(async () => (await house.kube.get(key)) === undefined, {
      deadline: 60_000,
      describe: async () => {
        const left = [await house.kube.get(key), await house.project('shop'), ...(await house.environments())]
        return `the namespace to be gone: ${JSON.stringify(left)}\n${house.offshoot.log.slice(-20).join('\n')}`
      },
    })
  })
})
