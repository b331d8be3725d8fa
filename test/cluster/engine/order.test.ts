import { afterAll, expect, it } from 'vitest'
import { KubeClient } from '../../../src/kube/client.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { startApiProxy } from '../../harness/api-proxy.ts'
import { adminClient, createServiceAccount, sharedCluster, uniqueNamespace } from '../../harness/cluster.ts'
import { deployProject } from '../../harness/engine/deployer.ts'
import { accountKubeconfigFile } from '../../harness/test-cluster.ts'
import { waitFor } from '../../harness/wait.ts'

const cluster = adminClient()
afterAll(() => cluster.close())

it('items are worked on side by side up to a barrier, the objects of one in turn, and nothing passes the barrier', async () => {
  const namespace = await uniqueNamespace('order')
  const account = { namespace, name: 'deployer' }
  await createServiceAccount(namespace, account.name, [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }])
  const shared = sharedCluster()
  const proxy = await startApiProxy(shared.url, shared.ca)
  const kube = KubeClient.fromKubeconfig(await accountKubeconfigFile(shared, account, proxy.url))
  const map = (name: string) => configMap(name, {}, `  namespace: ${namespace}\n`)
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: one\n- path: two\n- barrier: true\n- path: three\n',
    'one/a.yaml': map('one-a'),
    'one/b.yaml': map('one-b'),
    'two/a.yaml': map('two-a'),
    'three/a.yaml': map('three-a'),
  })
  try {
    const held = proxy.hold({ method: 'PATCH', path: /\/configmaps\/one-a/ }, 'before')
    const there = async (name: string) =>
      (await cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })) !== undefined
    const deploying = deployProject(project, { kube })
    await held.hit
    await waitFor(() => there('two-a'), { describe: 'the other item' })
    expect(proxy.requests.filter(request => /^PATCH .*(one-b|three-a)/.test(request))).toEqual([])
    held.release()
    expect((await deploying).errors).toEqual([])
    const applied = proxy.requests.flatMap(request => /^PATCH .*\/configmaps\/([a-z-]+)/.exec(request)?.[1] ?? [])
    expect(applied.filter(name => name !== 'two-a')).toEqual(['one-a', 'one-b', 'three-a'])
  } finally {
    await kube.close()
    await proxy.close()
  }
})

it('what asks to be ignored is neither applied nor compared', async () => {
  const namespace = await uniqueNamespace('order')
  const map = (name: string, annotations: string) =>
    configMap(name, {}, `  namespace: ${namespace}\n  annotations: {${annotations}}\n`)
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/seen.yaml': map('seen', ''),
    'a/ignored.yaml': map('ignored', 'kluctl.io/ignore: "true"'),
  })
  const { errors, result } = await deployProject(project, { kube: cluster })
  expect([errors, result.created.map(({ name }) => name)]).toEqual([[], ['seen']])
  expect(await cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'ignored' })).toBeUndefined()
})
