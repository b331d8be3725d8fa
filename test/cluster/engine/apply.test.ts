import { afterAll, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/types.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { adminClient, uniqueName, uniqueNamespace } from '../../harness/cluster.ts'
import { deployProject } from '../../harness/engine/deployer.ts'

const cluster = adminClient()
afterAll(() => cluster.close())

const keyOf = (namespace: string, name: string, kind = 'ConfigMap', apiVersion = 'v1') => ({
  apiVersion,
  kind,
  namespace,
  name,
})
const oneItem = 'deployments:\n- path: a\n'

function web(namespace: string, strategy?: object): string {
  const labels = { app: 'web' }
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'web', image: 'web', ports: [{ containerPort: 80 }] }] },
  }
  const spec = { selector: { matchLabels: labels }, template, ...(strategy === undefined ? {} : { strategy }) }
  return JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace }, spec })
}

const fixed = (namespace: string, value: string, annotations = '') =>
  `${configMap('fixed', { value }, `  namespace: ${namespace}\n  annotations: {${annotations}}\n`)}immutable: true\n`

it("everything is applied as kluctl's own", async () => {
  const namespace = await uniqueNamespace('apply')
  await using project = await TestProject.of({ 'deployment.yaml': oneItem, 'a/web.yaml': web(namespace) })
  const { errors, result } = await deployProject(project, { kube: cluster })
  expect(errors).toEqual([])
  expect(result.created.map(ref => ref.name)).toEqual(['web'])
  const object = await cluster.get(keyOf(namespace, 'web', 'Deployment', 'apps/v1'))
  const own = object?.metadata.managedFields?.filter(({ manager }) => manager === 'kluctl')
  expect(own?.map(({ operation }) => operation)).toEqual(['Apply'])
  // kluctl owns the protocol of ports too: both tools must send the same.
  expect(JSON.stringify(own)).toContain('f:protocol')
})

it('a dry run knows namespaces that are not there yet, and leaves nothing', async () => {
  const namespace = uniqueName('fresh')
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: ns\n- barrier: true\n- path: a\n',
    'ns/ns.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${namespace}}\n`,
    'a/map.yaml': configMap('map', { key: 'value' }, `  namespace: ${namespace}\n`),
  })
  const dry = await deployProject(project, { kube: cluster, dryRun: true })
  expect([dry.errors, dry.warnings]).toEqual([[], []])
  expect(dry.result.created.map(({ kind, namespace: where, name }) => [kind, where, name])).toEqual([
    ['Namespace', undefined, namespace],
    ['ConfigMap', namespace, 'map'],
  ])
  expect(await cluster.get(keyOf('', namespace, 'Namespace'))).toBeUndefined()
})

it('conflicts are given up with a warning, or won by force', async () => {
  const namespace = await uniqueNamespace('apply')
  const map = (value: string) => configMap('map', { mine: 'x', theirs: value }, `  namespace: ${namespace}\n`)
  await using project = await TestProject.of({ 'deployment.yaml': oneItem, 'a/map.yaml': map('first') })
  await deployProject(project, { kube: cluster })
  const theirs = { ...keyOf(namespace, 'map'), metadata: { name: 'map', namespace }, data: { theirs: 'second' } }
  const { namespace: _, name: __, ...object } = theirs
  await cluster.apply(object, { fieldManager: 'controller', force: true })
  await project.write({ 'a/map.yaml': map('third') })

  const given = await deployProject(project, { kube: cluster })
  expect(given.errors).toEqual([])
  expect(given.warnings.join('\n')).toContain("Not updating field '.data.theirs' as we lost field ownership")
  expect(await cluster.get(keyOf(namespace, 'map'))).toMatchObject({ data: { mine: 'x', theirs: 'second' } })

  const forced = await deployProject(project, { kube: cluster, forceApply: true })
  expect([forced.errors, forced.warnings]).toEqual([[], []])
  expect(await cluster.get(keyOf(namespace, 'map'))).toMatchObject({ data: { theirs: 'third' } })
})

it('what cannot be applied is replaced when that is allowed', async () => {
  const namespace = await uniqueNamespace('apply')
  await using project = await TestProject.of({ 'deployment.yaml': oneItem, 'a/web.yaml': web(namespace) })
  await deployProject(project, { kube: cluster })
  // The server filled in rollingUpdate, which no longer fits.
  await project.write({ 'a/web.yaml': web(namespace, { type: 'Recreate' }) })
  const refused = await deployProject(project, { kube: cluster })
  expect(refused.errors).toEqual([expect.stringContaining(`failed to patch ${namespace}/Deployment/web: `)])
  for (const dryRun of [true, false]) {
    const { errors, warnings } = await deployProject(project, { kube: cluster, replaceOnError: true, dryRun })
    expect(errors).toEqual([])
    expect(warnings).toEqual([
      `${namespace}/Deployment/web: patching ${namespace}/Deployment/web failed, retrying with replace instead of patch`,
    ])
  }
  const object = await cluster.get<KubeObject & { spec?: unknown }>(keyOf(namespace, 'web', 'Deployment', 'apps/v1'))
  expect(object?.spec).toMatchObject({ strategy: { type: 'Recreate' } })
})

it('what can be neither applied nor replaced is made anew when that is allowed, unless it must not be deleted', async () => {
  const namespace = await uniqueNamespace('apply')
  await using project = await TestProject.of({ 'deployment.yaml': oneItem, 'a/map.yaml': fixed(namespace, 'one') })
  await deployProject(project, { kube: cluster })
  const before = await cluster.get(keyOf(namespace, 'fixed'))
  await project.write({ 'a/map.yaml': fixed(namespace, 'two', 'kluctl.io/skip-delete: "true"') })
  const kept = await deployProject(project, { kube: cluster, forceReplaceOnError: true })
  expect(kept.errors).toEqual([expect.stringContaining('field is immutable when `immutable` is set')])
  expect(kept.lines).toContain(`skipped forced replace of ${namespace}/ConfigMap/fixed`)
  expect((await cluster.get(keyOf(namespace, 'fixed')))?.metadata.uid).toBe(before?.metadata.uid)

  await project.write({ 'a/map.yaml': fixed(namespace, 'two') })
  const dry = await deployProject(project, { kube: cluster, forceReplaceOnError: true, dryRun: true })
  expect(dry.errors).toEqual([])
  expect((await cluster.get(keyOf(namespace, 'fixed')))?.metadata.uid).toBe(before?.metadata.uid)
  const { errors, result } = await deployProject(project, { kube: cluster, forceReplaceOnError: true })
  expect(errors).toEqual([])
  expect(result.deleted.map(ref => ref.name)).toEqual(['fixed'])
  expect(await cluster.get(keyOf(namespace, 'fixed'))).toMatchObject({ data: { value: 'two' } })
})

it('each object has its own errors; the first one ends all only when it is asked for', async () => {
  const namespace = await uniqueNamespace('apply')
  const place = `  namespace: ${namespace}\n`
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n- barrier: true\n- path: b\n',
    'a/bad.yaml': configMap('bad', {}, `${place}  labels: {"a b": c}\n`),
    'a/next.yaml': configMap('next', {}, place),
    'b/last.yaml': configMap('last', {}, place),
  })
  const aborted = await deployProject(project, { kube: cluster, abortOnError: true })
  expect(aborted.errors).toEqual([expect.stringContaining(`${namespace}/ConfigMap/bad: failed to patch`)])
  expect(await cluster.get(keyOf(namespace, 'next'))).toBeUndefined()
  expect(await cluster.get(keyOf(namespace, 'last'))).toBeUndefined()
  const { errors } = await deployProject(project, { kube: cluster })
  expect(errors).toEqual(aborted.errors)
  expect(await cluster.get(keyOf(namespace, 'next'))).toBeDefined()
  expect(await cluster.get(keyOf(namespace, 'last'))).toBeDefined()
})

it("warnings of the API server stand beside their object's name", async () => {
  const namespace = await uniqueNamespace('apply')
  const object = JSON.parse(web(namespace)) as { spec: { template: { spec: Record<string, unknown> } } }
  object.spec.template.spec.nodeSelector = { 'beta.kubernetes.io/os': 'linux' }
  await using project = await TestProject.of({ 'deployment.yaml': oneItem, 'a/web.yaml': JSON.stringify(object) })
  const { warnings } = await deployProject(project, { kube: cluster, dryRun: true })
  const key = 'spec.template.spec.nodeSelector[beta.kubernetes.io/os]'
  expect(warnings).toEqual([expect.stringContaining(`${namespace}/Deployment/web: ${key}: deprecated`)])
})

it('a field that does not exist is refused without waiting for better times', async () => {
  const namespace = await uniqueNamespace('apply')
  const object = JSON.parse(web(namespace)) as { spec: Record<string, unknown> }
  object.spec.replcas = 1
  await using project = await TestProject.of({ 'deployment.yaml': oneItem, 'a/web.yaml': JSON.stringify(object) })
  // Time goes by as it is slept, and nobody waits for it.
  let slept = 0
  const sleep = (milliseconds: number, signal?: AbortSignal) => {
    slept += milliseconds
    return systemClock.sleep(0, signal)
  }
  const clock = { now: () => systemClock.now() + slept, sleep }
  const { errors } = await deployProject(project, { kube: cluster, clock })
  expect(errors).toEqual([expect.stringContaining('.spec.replcas: field not declared in schema')])
  expect(slept).toBeLessThan(1_000)
})
