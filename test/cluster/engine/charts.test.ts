import { afterAll, expect, it } from 'vitest'
import { adminClient } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

it('charts are rendered with what the cluster can do, and see its objects', async () => {
  await using story = await TargetStory.of('charts')
  const { namespace } = story
  await story.write(
    {
      'c/helm-chart.yaml': `helmChart:\n  path: chart\n  releaseName: one\n  namespace: ${namespace}\n  output: deploy.yaml\n`,
      'c/kustomization.yaml': 'resources:\n- deploy.yaml\n',
      'c/chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
      'c/chart/templates/map.yaml': [
        'apiVersion: v1',
        'kind: ConfigMap',
        'metadata: {name: one}',
        'data:',
        '  namespace: "{{ (lookup "v1" "Namespace" "" .Release.Namespace).metadata.name }}"',
        '  version: "{{ .Capabilities.KubeVersion.Version }}"',
        '',
      ].join('\n'),
    },
    '- path: c\n',
  )
  await story.must('deploy')
  const { gitVersion } = JSON.parse(await adminClient().raw('/version')) as { gitVersion: string }
  expect((await story.map('one'))?.data).toEqual({ namespace, version: gitVersion })
  // What is there by now is not Helm's, and need not be.
  expect(await story.must('deploy')).toMatchObject({ stdout: '' })
})
