import { afterAll, expect, it } from 'vitest'
import { deleteObjects } from '../../../src/engine/cluster/deployment.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import {
  adminClient,
  createServiceAccount,
  serviceAccountClient,
  serviceAccountKubeconfigFile,
  uniqueNamespace,
} from '../../harness/cluster.ts'
import { deployProject, shown, testContext } from '../../harness/engine/deployer.ts'

const cluster = adminClient()
afterAll(() => cluster.close())

const map = (namespace: string, name: string, finalizers: string[] = []): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, finalizers },
})
const keyOf = (namespace: string, name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
const refTo = (namespace: string, name: string) => ({ version: 'v1', kind: 'ConfigMap', name, namespace })

it('what a deployment says is to be deleted is gone when it goes on', async () => {
  const namespace = await uniqueNamespace('deletion')
  for (const name of ['marked', 'named', 'other']) await cluster.create(map(namespace, name))
  const marked = `  namespace: ${namespace}\n  annotations: {kluctl.io/delete: "true"}\n`
  await using project = await TestProject.of({
    'deployment.yaml': `deployments:
- deleteObjects: [{kind: ConfigMap, name: named, namespace: ${namespace}}, {group: "", kind: ConfigMap, name: never, namespace: ${namespace}}]
- path: a
`,
    'a/marked.yaml': configMap('marked', {}, marked),
    'a/absent.yaml': configMap('absent', {}, marked),
  })
  const dry = await deployProject(project, { kube: cluster, dryRun: true })
  expect(dry.errors).toEqual([])
  expect(dry.result.deleted.map(ref => ref.name).toSorted()).toEqual(['marked', 'named'])
  expect(await cluster.get(keyOf(namespace, 'marked'))).toBeDefined()
  const { errors, result } = await deployProject(project, { kube: cluster })
  expect(errors).toEqual([])
  expect(result.deleted.map(ref => ref.name).toSorted()).toEqual(['marked', 'named'])
  const { items } = await cluster.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace })
  expect(items.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(['other']))
  expect(items.map(({ metadata }) => metadata.name)).not.toEqual(expect.arrayContaining(['marked']))
})

it('a kind that does not exist cannot be named', async () => {
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- deleteObjects: [{group: example.com, kind: Nothing, name: x}]\n',
  })
  const { errors } = await deployProject(project, { kube: cluster })
  expect(errors).toEqual(['x cannot be found: resource with group/kind Nothing.example.com not found'])
})

it('deleting comes back when all is gone, and names what holds the rest', async () => {
  const namespace = await uniqueNamespace('deletion')
  await cluster.create(map(namespace, 'free'))
  await cluster.create(map(namespace, 'held', ['example.com/keeper']))
  const stop = new AbortController()
  const lines: string[] = []
  const onLine = () => stop.abort(new Error('context deadline exceeded'))
  const soon = { ...systemClock, sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(20, signal) }
  const context = testContext({ kube: cluster, signal: stop.signal, onLine, clock: soon }, lines)
  const deleting = deleteObjects(context, [refTo(namespace, 'free'), refTo(namespace, 'held')], { wait: true })
  expect((await deleting).map(ref => ref.name)).toEqual(['free'])
  expect(shown(context.problems.errors)).toEqual([
    `${namespace}/ConfigMap/held: failed waiting for deletion of ${namespace}/ConfigMap/held: ` +
      'held by finalizer example.com/keeper: context deadline exceeded',
  ])

  const held = `${namespace}/ConfigMap/held: held by finalizer example.com/keeper`
  expect(lines[0]).toBe(`Still waiting for the deletion of ${held}`)

  const again = testContext({ kube: cluster })
  const finishing = deleteObjects(again, [refTo(namespace, 'held')], { wait: true })
  await cluster.patch(keyOf(namespace, 'held'), { metadata: { finalizers: null } }, { type: 'merge' })
  expect((await finishing).map(ref => ref.name)).toEqual(['held'])
  expect(await cluster.get(keyOf(namespace, 'held'))).toBeUndefined()
})

it('an account that may not delete the namespace deletes what is in it', async () => {
  const namespace = await uniqueNamespace('deletion')
  await cluster.create(map(namespace, 'one'))
  await createServiceAccount(namespace, 'deleter', [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'delete'] },
  ])
  const kube = await serviceAccountClient(namespace, 'deleter')
  const context = testContext({ kube })
  const refs = [{ version: 'v1', kind: 'Namespace', name: namespace }, refTo(namespace, 'one'), refTo(namespace, 'two')]
  const deleted = await deleteObjects(context, refs, { wait: true })
  await kube.close()
  expect(deleted.map(ref => ref.name)).toEqual(['one', 'two'])
  expect(shown(context.problems.errors)).toEqual([expect.stringContaining(`Namespace/${namespace}: `)])
  expect(await cluster.get(keyOf(namespace, 'one'))).toBeUndefined()
})

it('a namespace takes with it what is in it', async () => {
  const namespace = await uniqueNamespace('deletion')
  await cluster.create(map(namespace, 'one'))
  const context = testContext({ kube: cluster })
  const refs = [refTo(namespace, 'one'), { version: 'v1', kind: 'Namespace', name: namespace }]
  for (const dryRun of [true, false]) {
    const deleted = await deleteObjects(context, refs, { wait: true, dryRun })
    expect(deleted.map(ref => ref.kind)).toEqual(['Namespace'])
  }
  expect(await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace })).toBeUndefined()
  expect(context.problems.errors).toEqual([])
})

it('an account of one namespace deploys, prunes and deletes a target', async () => {
  const namespace = await uniqueNamespace('deletion')
  const verbs = ['get', 'list', 'watch', 'create', 'patch', 'delete']
  await createServiceAccount(namespace, 'deployer', [{ apiGroups: [''], resources: ['configmaps', 'secrets'], verbs }])
  const kubeconfig = await serviceAccountKubeconfigFile(namespace, 'deployer')
  const place = `  namespace: ${namespace}\n`
  await using project = await TestProject.of({
    '.kluctl.yaml': `discriminator: ${namespace}\n`,
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/one.yaml': configMap('one', {}, place),
    'a/two.yaml': `apiVersion: v1\nkind: Secret\nmetadata:\n  name: two\n${place}`,
  })
  const left = async () => {
    const lists = ['ConfigMap', 'Secret'].map(async kind => {
      const labelSelector = `kluctl.io/discriminator=${namespace}`
      const { items } = await cluster.list({ apiVersion: 'v1', kind }, { namespace, labelSelector })
      return items.map(({ metadata }) => metadata.name)
    })
    return (await Promise.all(lists)).flat()
  }
  const run = async (command: string) => {
    const flags = ['--yes', '--kubeconfig', kubeconfig, '--write-command-result=false']
    const { code, stdout, stderr } = await project.run([command, ...flags])
    expect(code, `${command}: ${stdout}${stderr}`).toBe(0)
    return left()
  }
  expect(await run('deploy')).toEqual(['one', 'two'])
  await project.write({ 'a/two.yaml': configMap('three', {}, place) })
  expect(await run('prune')).toEqual(['one'])
  expect(await run('deploy')).toEqual(['one', 'three'])
  // What is deleted is found by its discriminator: the project need not know it.
  await project.write({ 'a/two.yaml': '' })
  expect(await run('delete')).toEqual([])
})
