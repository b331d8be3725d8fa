import { afterAll, expect, it } from 'vitest'
import { KubeClient } from '../../../src/kube/client.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { startApiProxy, type Trouble } from '../../harness/api-proxy.ts'
import { adminClient, createServiceAccount, sharedCluster, uniqueNamespace } from '../../harness/cluster.ts'
import { deployProject } from '../../harness/engine/deployer.ts'
import { accountKubeconfigFile } from '../../harness/test-cluster.ts'

const cluster = adminClient()
afterAll(() => cluster.close())

const keyOf = (namespace: string, name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })

/** Each answer that passes, by the name of the ConfigMap that gets it. */
const troubles: Record<string, Trouble> = {
  race: { status: 409, reason: 'Conflict' },
  gone: { status: 410, reason: 'Gone' },
  limited: { status: 429, reason: 'TooManyRequests', retryAfter: 1 },
  internal: { status: 500, reason: 'InternalError' },
  away: { status: 503, reason: 'ServiceUnavailable' },
  slow: { status: 504, reason: 'Timeout' },
}

/** An account of a namespace that reaches the API server through a proxy. */
async function throughProxy() {
  const namespace = await uniqueNamespace('trouble')
  const account = { namespace, name: 'deployer' }
  await createServiceAccount(namespace, account.name, [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }])
  const shared = sharedCluster()
  const proxy = await startApiProxy(shared.url, shared.ca)
  const kube = KubeClient.fromKubeconfig(await accountKubeconfigFile(shared, account, proxy.url))
  const end = async () => {
    await kube.close()
    await proxy.close()
  }
  return { namespace, proxy, kube, [Symbol.asyncDispose]: end }
}

it('a deployment outlasts what passes: lost races, expired lists, rate limits and servers in trouble', async () => {
  await using world = await throughProxy()
  const { namespace, proxy, kube } = world
  const place = `  namespace: ${namespace}\n`
  const files = Object.keys(troubles).map(name => [`a/${name}.yaml`, configMap(name, {}, place)])
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    ...(Object.fromEntries(files) as Record<string, string>),
  })
  for (const [name, trouble] of Object.entries(troubles)) {
    proxy.trouble({ method: 'PATCH', path: new RegExp(`/configmaps/${name}\\?`) }, trouble)
  }
  // The look at what is there meets the same.
  proxy.trouble({ method: 'GET', path: /\/configmaps\?/ }, { status: 503, reason: 'ServiceUnavailable' })
  const { errors, result } = await deployProject(project, { kube, discriminator: namespace })
  expect(errors).toEqual([])
  expect(result.created.map(({ name }) => name)).toEqual(Object.keys(troubles).toSorted())
  for (const name of Object.keys(troubles)) {
    expect(await cluster.get(keyOf(namespace, name)), name).toBeDefined()
    expect(proxy.requests.filter(request => request.startsWith('PATCH') && request.includes(`/${name}?`))).toHaveLength(
      2,
    )
  }
})

it('waiting outlasts a watch that has expired, and a server that limits it', async () => {
  await using world = await throughProxy()
  const { namespace, proxy, kube } = world
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n  waitReadiness: true\n',
    'a/map.yaml': configMap('map', {}, `  namespace: ${namespace}\n  annotations: {kluctl.io/is-ready: "false"}\n`),
  })
  const watch = { path: /configmaps\?.*watch=true/ }
  proxy.trouble(watch, { status: 410, reason: 'Expired' })
  proxy.trouble(watch, { status: 429, reason: 'TooManyRequests', retryAfter: 1 })
  const held = proxy.hold(watch, 'after')
  const mending = held.hit.then(async () => {
    held.release()
    const annotations = { 'kluctl.io/is-ready': 'true' }
    await cluster.patch(keyOf(namespace, 'map'), { metadata: { annotations } }, { type: 'merge' })
  })
  const { errors } = await deployProject(project, { kube })
  await mending
  expect(errors).toEqual([])
})
