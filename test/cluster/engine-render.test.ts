import { afterAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { configMap, objects, TestProject } from '../engine/harness/project.ts'
import { adminClient, adminKubeconfig, uniqueNamespace } from '../harness/cluster.ts'

afterAll(() => adminClient().close())

const online = async (project: TestProject, command: string[]) =>
  project.run([...command, '--kubeconfig', adminKubeconfig()])

it('with a cluster, namespaces are filled in and taken away by what the cluster and the CRDs say', async () => {
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/map.yaml': configMap('map', { context: '{{ target.context }}' }),
    'a/role.yaml':
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: role, namespace: gone}\nrules: []\n',
    'a/crd.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n' +
      'spec: {group: example.com, scope: Namespaced, names: {kind: Thing, plural: things}, versions: []}\n',
    'a/thing.yaml': 'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: thing}\n',
    'a/unknown.yaml': 'apiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: unknown}\n',
    'a/chart.yaml': configMap('chart', {}, '  annotations: {kluctl.io/helm-install-namespace: release}\n'),
  })
  const found = objects(await online(project, ['render', '--print-all']))
  expect(Object.fromEntries(found.map(({ metadata }) => [metadata.name, metadata.namespace]))).toEqual({
    map: 'default',
    role: undefined,
    'things.example.com': undefined,
    thing: 'default',
    unknown: undefined,
    chart: 'release',
  })
  expect(found.map(({ metadata }) => Object.keys(metadata.annotations ?? {}))).toEqual(
    Array.from({ length: 6 }, () => ['kluctl.io/deployment-item-dir']),
  )
  expect(found.find(({ metadata }) => metadata.name === 'map')?.data?.context).not.toBe('')
})

it('list-images tells what is deployed now', async () => {
  const namespace = await uniqueNamespace('images')
  const pod = (image: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace },
    spec: { containers: [{ name: 'c', image }] },
  })
  await adminClient().create(pod('nginx:deployed'))
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/pod.yaml': JSON.stringify(pod("{{ images.get_image('nginx') }}")),
  })
  const { code, stdout, stderr } = await online(project, ['list-images', '-F', 'nginx=nginx:fixed'])
  expect(code, stderr).toBe(0)
  const { images } = parse(stdout) as { images: object[] }
  expect(images).toMatchObject([
    { image: 'nginx', resultImage: 'nginx:fixed', deployedImage: 'nginx:deployed', container: 'c' },
  ])
})

it('a context that does not exist is an error, unless the command stays offline', async () => {
  await using project = await TestProject.of({
    '.kluctl.yaml': 'targets:\n- name: t\n  context: nowhere\n',
    'deployment.yaml': '',
  })
  const failed = await online(project, ['render', '-t', 't', '--print-all'])
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('context "nowhere" does not exist in the kubeconfig')
  expect((await project.render(['-t', 't'])).code).toBe(0)
})
