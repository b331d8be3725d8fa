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

it('a chart sees what it looks up as it is now, and keeps the password that it made once', async () => {
  await using story = await TargetStory.of('lookups')
  const { namespace } = story
  const look = (kind: string, name: string) => `(lookup "v1" "${kind}" .Release.Namespace "${name}").data`
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
        `  seen: "{{ (${look('ConfigMap', 'source')} | default dict).color | default "nothing" }}"`,
        `  password: "{{ (${look('ConfigMap', 'one')} | default dict).password | default (randAlphaNum 12) }}"`,
        '',
      ].join('\n'),
    },
    '- path: c\n',
  )
  const deployed = async () => {
    await story.must('deploy')
    return (await story.map('one'))?.data as { seen: string; password: string }
  }
  const { seen, password } = await deployed()
  expect([seen, password]).toEqual(['nothing', expect.stringMatching(/^\w{12}$/)])
  // The second run is compared with the first, the third may take what they agreed on.
  for (let run = 0; run < 3; run++) expect(await deployed()).toEqual({ seen, password })
  const source = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'source', namespace } }
  await adminClient().create({ ...source, data: { color: 'red' } })
  for (let run = 0; run < 3; run++) expect(await deployed()).toEqual({ seen: 'red', password })
  await adminClient().apply({ ...source, data: { color: 'blue' } }, { fieldManager: 'test', force: true })
  expect(await deployed()).toEqual({ seen: 'blue', password })
  await adminClient().delete({ ...source, name: 'source', namespace })
  expect(await deployed()).toEqual({ seen: 'nothing', password })
})
