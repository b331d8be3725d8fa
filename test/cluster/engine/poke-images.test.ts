import { afterAll, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/types.ts'
import { adminClient } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

interface Deployment extends KubeObject {
  spec: { replicas: number; template: { spec: { containers: { name: string; image: string }[] } } }
}

const manifest = (namespace: string, name: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  replicas: {{ args.replicas }}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - {name: main, image: '{{ images.get_image("app") }}'}
      - {name: side, image: 'side:1'}
`

it('replaces the images of get_image in what is deployed, and nothing else', async () => {
  await using story = await TargetStory.of('poke')
  const { namespace } = story
  const config = `discriminator: ${namespace}\nargs:\n- name: replicas\n  default: 0\n`
  const files = { '.kluctl.yaml': config, 'd/web.yaml': manifest(namespace, 'web') }
  await story.write(files, '- path: d\n')
  const web = () => adminClient().get<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace })
  await story.must('deploy', '-F', 'app=app:1')

  await story.write({ ...files, 'd/new.yaml': manifest(namespace, 'new') }, '- path: d\n')
  const flags = ['-F', 'app=app:2', '-a', 'replicas=3']
  const dry = await story.must('poke-images', '--dry-run', ...flags)
  expect(dry.stdout).toContain(`Changed objects:\n  ${namespace}/Deployment/web\n`)
  expect((await web())?.spec.template.spec.containers[0]?.image).toBe('app:1')

  const asked = await story.run(['poke-images', '--write-command-result=false', ...flags], {}, 'no\n')
  expect(asked).toMatchObject({ code: 1, stdout: '' })
  expect(asked.stderr).toContain('Do you really want to poke images to the context/cluster')

  const poked = await story.must('poke-images', ...flags)
  expect(poked.stdout).toMatch(/\| -app:1 +\|/)
  expect(poked.stdout).toContain(`${namespace}/Deployment/new: remote object not found, skipped image replacement`)
  expect(poked.stdout).not.toContain('replicas')
  const after = await web()
  expect(after?.spec.replicas).toBe(0)
  expect(after?.spec.template.spec.containers.map(({ image }) => image)).toEqual(['app:2', 'side:1'])
})
