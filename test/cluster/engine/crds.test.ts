import { afterAll, expect, it } from 'vitest'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { adminClient, uniqueNamespace } from '../../harness/cluster.ts'
import { CustomKinds } from '../../harness/engine/custom-kind.ts'
import { deployProject } from '../../harness/engine/deployer.ts'

const cluster = adminClient()
const kinds = new CustomKinds(cluster)

afterAll(async () => {
  await kinds.dispose()
  await cluster.close()
})

/** A new kind, and the files of an item with its CRD and of one with its object. */
function customKind(namespace: string) {
  const made = kinds.make(namespace)
  const files = { 'crds/crd.yaml': JSON.stringify(made.crd), 'objects/table.yaml': JSON.stringify(made.object) }
  return { ...made, files }
}

it('objects of a kind that comes behind a barrier are applied as soon as its CRD is; a dry run simulates them', async () => {
  const namespace = await uniqueNamespace('crds')
  const { crd, key, files } = customKind(namespace)
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: crds\n- barrier: true\n- path: objects\n',
    ...files,
  })
  const dry = await deployProject(project, { kube: cluster, dryRun: true })
  expect(dry.errors).toEqual([])
  const warning = `the underyling custom resource definition for ${namespace}/Table/table has not been applied yet`
  expect(dry.warnings.join('\n')).toContain(warning)
  expect(dry.result.created.map(ref => ref.kind)).toEqual(['CustomResourceDefinition', 'Table'])
  await expect(kinds.crd(crd.metadata.name)).resolves.toBeUndefined()

  const { errors, warnings } = await deployProject(project, { kube: cluster })
  expect([errors, warnings]).toEqual([[], []])
  await expect(cluster.get(key)).resolves.toMatchObject({ spec: { legs: 4 } })
})

it('a kind that nobody defines is an error of its objects, and of nothing else', async () => {
  const namespace = await uniqueNamespace('crds')
  const { object, files } = customKind(namespace)
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: objects\n',
    'objects/table.yaml': files['objects/table.yaml'],
    'objects/map.yaml': configMap('map', {}, `  namespace: ${namespace}\n`),
  })
  for (const dryRun of [true, false]) {
    const { errors } = await deployProject(project, { kube: cluster, dryRun })
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(`no matches for kind "Table" in version "${object.apiVersion}"`)
  }
  await expect(cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'map' })).resolves.toBeDefined()
})

it('a CRD that a controller brings later can be waited for', async () => {
  const namespace = await uniqueNamespace('crds')
  const { crd, key, files } = customKind(namespace)
  await using project = await TestProject.of({
    'deployment.yaml': `deployments:
- barrier: true
  waitReadinessObjects: [{kind: CustomResourceDefinition, name: ${crd.metadata.name}}]
- path: objects
`,
    'objects/table.yaml': files['objects/table.yaml'],
  })
  let coming: Promise<unknown> | undefined
  const onLine = (line: string) => {
    if (line.includes('Waiting for')) coming ??= cluster.create(crd)
  }
  const { errors } = await deployProject(project, { kube: cluster, onLine })
  await coming
  expect(errors).toEqual([])
  await expect(cluster.get(key)).resolves.toBeDefined()
})
