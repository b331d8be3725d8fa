import { afterAll, expect, it } from 'vitest'
import { deleteObjects } from '../../../src/engine/cluster/deployment.ts'
import { KubeClient } from '../../../src/kube/client.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { startApiProxy } from '../../harness/api-proxy.ts'
import { adminClient, createServiceAccount, sharedCluster, uniqueNamespace } from '../../harness/cluster.ts'
import { deployProject, shown, testContext } from '../../harness/engine/deployer.ts'
import { deploymentOfImage, TargetStory } from '../../harness/engine/target-story.ts'
import { accountKubeconfigFile } from '../../harness/test-cluster.ts'

const cluster = adminClient()
afterAll(() => cluster.close())

const keyOf = (namespace: string, name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })

/** An account of a namespace whose way to the API server can be cut. */
async function throughProxy(rules: Parameters<typeof createServiceAccount>[2] = []) {
  const namespace = await uniqueNamespace('lost')
  const account = { namespace, name: 'deployer' }
  await createServiceAccount(namespace, account.name, [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['*'] },
    ...rules,
  ])
  const shared = sharedCluster()
  const proxy = await startApiProxy(shared.url, shared.ca)
  const kubeconfig = await accountKubeconfigFile(shared, account, proxy.url)
  const kube = KubeClient.fromKubeconfig(kubeconfig)
  const end = async () => {
    await kube.close()
    await proxy.close()
  }
  return { namespace, proxy, kube, kubeconfig, [Symbol.asyncDispose]: end }
}

const place = (namespace: string, annotations = '') => `  namespace: ${namespace}\n  annotations: {${annotations}}\n`

it('a deployment outlasts answers that are lost, before and after they were carried out', async () => {
  await using world = await throughProxy()
  const { namespace, proxy, kube } = world
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/one.yaml': configMap('one', {}, place(namespace)),
    'a/two.yaml': configMap('two', {}, place(namespace)),
  })
  const traps = [
    proxy.hold({ method: 'PATCH', path: /configmaps\/one/ }, 'before'),
    proxy.hold({ method: 'PATCH', path: /configmaps\/two/ }, 'after'),
  ]
  for (const trap of traps) void trap.hit.then(() => trap.drop())
  const { errors, result } = await deployProject(project, { kube })
  expect(errors).toEqual([])
  expect([...result.applied.keys()]).toHaveLength(2)
  expect(await cluster.get(keyOf(namespace, 'two'))).toBeDefined()
  expect(proxy.requests.filter(request => request.startsWith('PATCH'))).toHaveLength(4)
})

it('images are poked although answers are lost, before and after they were carried out', async () => {
  await using world = await throughProxy([{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] }])
  const { namespace, proxy, kubeconfig } = world
  await using story = await TargetStory.of('lost')
  const web = (name: string) => deploymentOfImage(name, namespace)
  await story.write({ 'd/one.yaml': web('one'), 'd/two.yaml': web('two') }, '- path: d\n')
  await story.must('deploy', '-F', 'app=app:1')
  const traps = [
    proxy.hold({ method: 'PUT', path: /deployments\/one/ }, 'before'),
    proxy.hold({ method: 'PUT', path: /deployments\/two/ }, 'after'),
  ]
  for (const trap of traps) void trap.hit.then(() => trap.drop())
  await story.must('poke-images', '-F', 'app=app:2', '--kubeconfig', kubeconfig)
  for (const name of ['one', 'two']) {
    const found = await cluster.get<KubeObject>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
    expect(found).toMatchObject({ spec: { template: { spec: { containers: [{ image: 'app:2' }] } } } })
  }
})

it('waiting for readiness and for deletion goes on when the watch is cut', async () => {
  await using world = await throughProxy()
  const { namespace, proxy, kube } = world
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n  waitReadiness: true\n',
    'a/map.yaml': configMap('map', {}, place(namespace, 'kluctl.io/is-ready: "false"')),
  })
  const watch = proxy.hold({ path: /configmaps\?watch=true/ }, 'after')
  const cutAndMend = (async () => {
    await watch.hit
    watch.drop()
    proxy.cut()
    const annotations = { 'kluctl.io/is-ready': 'true' }
    await cluster.patch(
      keyOf(namespace, 'map'),
      { metadata: { annotations, finalizers: ['example.com/f'] } },
      { type: 'merge' },
    )
  })()
  const { errors } = await deployProject(project, { kube })
  await cutAndMend
  expect(errors).toEqual([])

  const second = proxy.hold({ path: /configmaps\?watch=true/ }, 'after')
  const cutAndFree = (async () => {
    await second.hit
    second.drop()
    proxy.cut()
    await cluster.patch(keyOf(namespace, 'map'), { metadata: { finalizers: null } }, { type: 'merge' })
  })()
  const context = testContext({ kube })
  const ref = { version: 'v1', kind: 'ConfigMap', name: 'map', namespace }
  expect(await deleteObjects(context, [ref], { wait: true })).toEqual([ref])
  await cutAndFree
  expect(shown(context.problems.errors)).toEqual([])
  expect(await cluster.get(keyOf(namespace, 'map'))).toBeUndefined()
})
