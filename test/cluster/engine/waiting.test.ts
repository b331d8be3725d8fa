import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/util/clock.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { adminClient, createServiceAccount, serviceAccountClient, uniqueNamespace } from '../../harness/cluster.ts'
import { CustomKinds } from '../../harness/engine/custom-kind.ts'
import { deployProject } from '../../harness/engine/deployer.ts'

const cluster = adminClient()
const kinds = new CustomKinds(cluster)

afterAll(async () => {
  await kinds.dispose()
  await cluster.close()
})

const keyOf = (namespace: string, name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
const ready = { metadata: { annotations: { 'kluctl.io/is-ready': 'true' } } }

/** Three items, a barrier behind the second; `slow` is not ready, and who waits for it is told by the arguments. */
async function projectIn(
  namespace: string,
  say: { item?: string; annotation?: string; kustomization?: string; barrier?: string },
) {
  const place = (annotations: string) => `  namespace: ${namespace}\n  annotations: {${annotations}}\n`
  const slow = `kluctl.io/is-ready: "false"${say.annotation ?? ''}`
  return TestProject.of({
    'deployment.yaml': `deployments:
- path: fast
- path: slow
${say.item ?? ''}
- barrier: true
${say.barrier ?? ''}
- path: last
`,
    'fast/map.yaml': configMap('fast', {}, place('')),
    'slow/map.yaml': configMap('slow', {}, place(slow)),
    'slow/kustomization.yaml': `resources: [map.yaml]\n${say.kustomization ?? ''}`,
    'last/map.yaml': configMap('last', {}, place('')),
  })
}

it.each([
  ['an item', { item: '  waitReadiness: true' }],
  ['an annotation', { annotation: ', kluctl.io/wait-readiness: "true"' }],
  ['a kustomization', { kustomization: 'metadata: {annotations: {kluctl.io/wait-readiness: "true"}}\n' }],
  [
    'waitReadinessObjects',
    { barrier: '  waitReadinessObjects: [{kind: ConfigMap, name: slow, namespace: NAMESPACE}]' },
  ],
])('%s makes all that is behind the barrier wait', async (_, say) => {
  const namespace = await uniqueNamespace('waiting')
  const own = Object.fromEntries(
    Object.entries(say).map(([key, value]) => [key, value.replace('NAMESPACE', namespace)]),
  )
  await using project = await projectIn(namespace, own)
  const late = await deployProject(project, { kube: cluster, readinessTimeout: 300 })
  // A timeout is an error, but no reason to leave the rest undone.
  expect(late.errors).toEqual([
    `${namespace}/ConfigMap/slow: timed out while waiting for readiness of ${namespace}/ConfigMap/slow: ` +
      'kluctl.io/is-ready annotation is set to false',
  ])
  expect(await cluster.get(keyOf(namespace, 'last'))).toBeDefined()
  await cluster.delete(keyOf(namespace, 'last'))

  let mended: Promise<unknown> | undefined
  const seen: unknown[] = []
  const onLine = (line: string) => {
    if (!line.includes('Waiting for')) return
    mended ??= (async () => {
      seen.push(await cluster.get(keyOf(namespace, 'last')))
      await cluster.patch(keyOf(namespace, 'slow'), ready, { type: 'merge' })
    })()
  }
  const { errors } = await deployProject(project, { kube: cluster, onLine })
  await mended
  expect([errors, seen]).toEqual([[], [undefined]])
  expect(await cluster.get(keyOf(namespace, 'last'))).toBeDefined()
})

it('Ctrl-C ends the wait and says for what it was', async () => {
  const namespace = await uniqueNamespace('waiting')
  await using project = await projectIn(namespace, { item: '  waitReadiness: true' })
  const stop = new AbortController()
  const onLine = (line: string) => line.includes('Waiting for') && stop.abort(new Error('interrupted'))
  const { errors } = await deployProject(project, { kube: cluster, signal: stop.signal, onLine })
  expect(errors.join('\n')).toContain(`context cancelled while waiting for readiness of ${namespace}/ConfigMap/slow`)
  expect(await cluster.get(keyOf(namespace, 'last'))).toBeUndefined()
})

it('nobody waits with noWait, nor in a dry run', async () => {
  const namespace = await uniqueNamespace('waiting')
  await using project = await projectIn(namespace, { item: '  waitReadiness: true' })
  for (const options of [{ dryRun: true }, { noWait: true }]) {
    const { errors, lines } = await deployProject(project, { kube: cluster, ...options })
    expect(errors).toEqual([])
    expect(lines.join('\n')).not.toContain('Waiting for')
  }
})

it('an account that may not watch waits by looking', async () => {
  const namespace = await uniqueNamespace('waiting')
  await createServiceAccount(namespace, 'deployer', [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch'] },
  ])
  const kube = await serviceAccountClient(namespace, 'deployer')
  await using project = await projectIn(namespace, { item: '  waitReadiness: true' })
  let mended: Promise<unknown> | undefined
  const onLine = (line: string) => {
    if (line.includes('Waiting for')) mended ??= cluster.patch(keyOf(namespace, 'slow'), ready, { type: 'merge' })
  }
  const { errors } = await deployProject(project, { kube, onLine })
  await mended
  await kube.close()
  expect(errors).toEqual([])
  expect(await cluster.get(keyOf(namespace, 'last'))).toBeDefined()
})

it('a Job that fails ends the wait at once, with its own words', async () => {
  const namespace = await uniqueNamespace('waiting')
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'job', namespace, annotations: { 'kluctl.io/wait-readiness': 'true' } },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: 1,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'nothing' }] } },
    },
  }
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/job.yaml': JSON.stringify(job),
  })
  const { errors } = await deployProject(project, { kube: cluster })
  expect(errors).toEqual([`${namespace}/Job/job: Job was active longer than specified deadline`])
})

describe('an object of a kind that has a status', () => {
  const withStatus = {
    schema: { status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    subresources: { status: {} },
  }

  /** A project with such an object, that is waited for, and the CRD on the cluster. */
  async function story(options: Parameters<CustomKinds['make']>[1]) {
    const namespace = await uniqueNamespace('waiting')
    const { crd, object, key } = kinds.make(namespace, options)
    const crds = await TestProject.of({
      'deployment.yaml': 'deployments:\n- path: a\n',
      'a/crd.yaml': JSON.stringify(crd),
    })
    await deployProject(crds, { kube: cluster })
    await crds[Symbol.asyncDispose]()
    const annotations = { 'kluctl.io/wait-readiness': 'true' }
    const project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- path: a\n',
      'a/table.yaml': JSON.stringify({ ...object, metadata: { ...object.metadata, annotations } }),
    })
    return { namespace, key, project, group: crd.spec.group }
  }

  it('is waited for until it has one', async () => {
    const { key, project } = await story(withStatus)
    await using _ = project
    let given: Promise<unknown> | undefined
    const onLine = (line: string) => {
      if (line.includes('Waiting for')) {
        given ??= cluster.patch(key, { status: { phase: 'set' } }, { type: 'merge', subresource: 'status' })
      }
    }
    const { errors, warnings } = await deployProject(project, { kube: cluster, onLine })
    await given
    expect([errors, warnings, given !== undefined]).toEqual([[], [], true])
  })

  it('is waited for no longer than 15 seconds of its age', async () => {
    const { project } = await story(withStatus)
    await using _ = project
    const later = { ...systemClock, now: () => Date.now() + 14_000 }
    const { errors, lines } = await deployProject(project, { kube: cluster, clock: later })
    expect(errors).toEqual([])
    expect(lines.join('\n')).toContain('Finished waiting for')
  })

  it('is not waited for by an account that cannot know, which says so', async () => {
    const { namespace, project, group } = await story(withStatus)
    await using _ = project
    const rule = (resources: string[]) => ({
      apiGroups: [group],
      resources,
      verbs: ['get', 'list', 'watch', 'create', 'patch'],
    })
    for (const [name, rules, expected] of [
      ['blind', [rule(['tables'])], [expect.stringContaining('unable to determine if a status is expected')]],
      ['seeing', [rule(['tables', 'tables/status'])], []],
    ] as const) {
      await createServiceAccount(namespace, name, [...rules])
      const kube = await serviceAccountClient(namespace, name)
      const later = { ...systemClock, now: () => Date.now() + 16_000 }
      const { errors, warnings } = await deployProject(project, { kube, clock: later })
      await kube.close()
      expect([errors, warnings.filter(warning => warning.includes('Table/table'))]).toEqual([[], expected])
    }
  })
})
