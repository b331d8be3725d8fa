import { afterAll, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/types.ts'
import { adminClient } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'disk' }

async function claimStory(annotations: Record<string, string> = {}): Promise<TargetStory> {
  const story = await TargetStory.of('validate')
  const object = {
    apiVersion: claim.apiVersion,
    kind: claim.kind,
    metadata: { name: claim.name, namespace: story.namespace, annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'none',
      resources: { requests: { storage: '1Mi' } },
    },
  }
  return story.write({ 'd/claim.yaml': JSON.stringify(object) }, '- path: d\n')
}

it('says what is missing or not ready, until it is', async () => {
  await using story = await claimStory({ 'validate-result.kluctl.io/url': 'https://disk' })
  const { namespace } = story
  const absent = await story.run(['validate'])
  expect(absent.code).toBe(1)
  expect(absent.stdout).toBe(`\nValidation Errors:\n  ${namespace}/PersistentVolumeClaim/disk: object not found\n`)
  expect(absent.stderr).toContain('error: Validation failed')

  await story.must('deploy')
  const pending = await story.run(['validate'])
  expect(pending.code).toBe(1)
  expect(pending.stdout).toContain(`${namespace}/PersistentVolumeClaim/disk: Volume is not bound\n`)
  expect(pending.stdout).toMatch(/Results:\n[\s\S]*\/disk \| https:\/\/disk +\|/)

  // It becomes ready while the second attempt is waited for.
  const waiting = story.run(['validate', '--wait=60s', '--sleep=100ms', '-o', 'yaml'])
  const found = await adminClient().get<KubeObject>({ ...claim, namespace })
  await adminClient().replaceStatus({ ...(found as KubeObject), status: { phase: 'Bound' } })
  const bound = await waiting
  expect(bound.code, bound.stdout).toBe(0)
  expect(bound.stdout).toMatch(/^ready: true$/m)
  expect(bound.stderr).toContain('Validation succeeded')
})

it('expects no hooks that never run or are deleted, and nothing that is marked for deletion', async () => {
  await using story = await TargetStory.of('validate-hooks')
  await story.item('a', {}, { annotations: { 'helm.sh/hook': 'post-delete' } })
  await story.item(
    'b',
    {},
    { annotations: { 'kluctl.io/hook': 'pre-deploy', 'kluctl.io/hook-delete-policy': 'hook-succeeded' } },
  )
  expect((await story.run(['validate'])).code).toBe(0)
  await story.item('c')
  await story.must('deploy')
  await story.item('c', {}, { annotations: { 'kluctl.io/delete': 'true' } })
  const marked = await story.run(['validate'])
  expect(marked.code).toBe(1)
  expect(marked.stdout).toContain('object is marked for deletion but still exists on the target cluster')
})
