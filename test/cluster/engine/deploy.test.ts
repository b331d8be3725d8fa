import { afterAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { KubeObject } from '../../../src/kube/types.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { adminClient, adminKubeconfig, uniqueNamespace } from '../../harness/cluster.ts'

afterAll(() => adminClient().close())

const cluster = () => ['--kubeconfig', adminKubeconfig()]
const flags = () => [...cluster(), '--write-command-result=false']

async function project(namespace: string, files: Record<string, string>): Promise<TestProject> {
  return TestProject.of({
    '.kluctl.yaml': `discriminator: ${namespace}\nargs:\n- name: version\n  default: one\n`,
    'deployment.yaml': `deployments:\n- path: app\noverrideNamespace: ${namespace}\n`,
    ...files,
  })
}

const map = (name: string, namespace: string) =>
  adminClient().get<KubeObject & { data?: Record<string, string> }>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name,
    namespace,
  })

it('deploys, tells what changed, and finds nothing to change afterwards', async () => {
  const namespace = await uniqueNamespace('deploy')
  await using one = await project(namespace, {
    'app/a.yaml': configMap('a', { version: '"{{ args.version }}"' }),
    'app/b.yaml': configMap('b', { fixed: 'yes' }),
  })
  const first = await one.run(['deploy', '--yes', ...flags()])
  expect(first.code, first.stderr).toBe(0)
  expect(first.stdout).toBe(`\nNew objects:\n  ${namespace}/ConfigMap/a\n  ${namespace}/ConfigMap/b\n`)
  const versions = async () =>
    Promise.all(['a', 'b'].map(async name => (await map(name, namespace))?.metadata.resourceVersion))
  const before = await versions()

  const again = await one.run(['deploy', '--yes', ...flags()])
  expect(again).toMatchObject({ code: 0, stdout: '' })
  expect(await versions()).toEqual(before)
  expect(await one.run(['diff', ...cluster()])).toMatchObject({ code: 0, stdout: '' })

  const changed = await one.run(['diff', '-a', 'version=two', ...cluster()])
  expect(changed.stdout).toContain(`Changed objects:\n  ${namespace}/ConfigMap/a\n`)
  expect(changed.stdout).toMatch(/\| data\.version \| -one +\|\n\| {14}\| \+two +\|/)
  expect(await versions()).toEqual(before)
})
