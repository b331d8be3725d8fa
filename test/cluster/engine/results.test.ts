import { execFileSync } from 'node:child_process'
import { afterAll, expect, it } from 'vitest'
import { silentProgress } from '../../../src/engine/host.ts'
import { ResultStore } from '../../../src/engine/result/store.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { adminClient, createServiceAccount, serviceAccountKubeconfigFile, uniqueName } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

const signal = AbortSignal.timeout(600_000)
const secrets = { apiVersion: 'v1', kind: 'Secret' }

/** A story whose results are kept in a namespace of its own. */
async function storyWithResults(prefix: string) {
  const story = await TargetStory.of(prefix)
  const namespace = uniqueName('results')
  const repository = `https://example.com/${story.namespace}/My_App.git`
  execFileSync('git', ['-C', story.project.folder, 'remote', 'add', 'origin', repository])
  const options = { namespace, keepCommandResults: 5, keepValidateResults: 2, progress: silentProgress }
  const store = new ResultStore(adminClient(), options)
  const deploy = async (command: string, ...flags: string[]) => {
    const outcome = await story.run([command, '--yes', '--command-result-namespace', namespace, ...flags])
    expect(outcome.code, outcome.stderr).toBe(0)
    return outcome
  }
  return { story, namespace, store, deploy, [Symbol.asyncDispose]: () => story[Symbol.asyncDispose]() }
}

it('keeps results as kluctl keeps them: what was new, changed, orphaned and deleted', async () => {
  await using kept = await storyWithResults('results')
  const { story, namespace, store, deploy } = kept
  const newest = async () => {
    const [summary] = await store.listCommandResults(signal)
    const { appliedObjects, newObjects, changedObjects, orphanObjects, deletedObjects, totalChanges } = summary ?? {}
    return [appliedObjects, newObjects, changedObjects, orphanObjects, deletedObjects, totalChanges]
  }
  // Times of results are in whole seconds: each is looked at before the next one is made.
  const one = (...flags: string[]) => deploy('deploy', '--keep-command-results-count', '1', ...flags)
  await story.item('a', { key: 'one' })
  await one()
  expect(await newest()).toEqual([1, 1, 0, 0, 0, 0])
  await story.item('a', { key: 'two' })
  await story.item('b')
  await one()
  expect(await newest()).toEqual([2, 1, 1, 0, 0, 1])
  await story.remove('b')
  await one()
  expect(await newest()).toEqual([1, 0, 0, 1, 0, 0])
  await deploy('prune', '--keep-command-results-count', '1')
  expect(await newest()).toEqual([0, 0, 0, 0, 1, 0])

  const { items } = await adminClient().list<KubeObject & { data?: object }>(secrets, { namespace })
  expect(items).toHaveLength(1)
  const [summary] = await store.listCommandResults(signal)
  expect(items[0]).toMatchObject({
    metadata: {
      name: `cr-my-app-${summary?.id}`,
      labels: { 'kluctl.io/result': 'true', 'kluctl.io/command-result-id': summary?.id },
      annotations: { 'kluctl.io/result-project-repo-key': `git://example.com/${story.namespace}/my_app` },
      managedFields: [{ manager: 'kluctl-results' }],
    },
  })
  expect(Object.keys(items[0]?.data ?? {}).sort()).toEqual(['compactedObjects', 'reducedResult'])
  // kluctl's own readers tell none from an empty list.
  expect(summary).toMatchObject({
    errors: null,
    warnings: null,
    projectKey: { repoKey: `git://example.com/${story.namespace}/my_app` },
  })
  const result = await store.getCommandResult(summary?.id ?? '', signal)
  expect(result?.objects.map(({ ref, deleted }) => [ref.name, deleted])).toEqual([
    ['a', undefined],
    ['b', true],
  ])
  expect(result?.objects[1]?.remote).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'b' } })
})

it('keeps as many results of a target as it is told, and none of dry runs', async () => {
  await using kept = await storyWithResults('limit')
  const { story, store, deploy } = kept
  await story.item('a')
  const count = async () => (await store.listCommandResults(signal)).length
  await deploy('deploy', '--dry-run')
  await deploy('deploy', '--write-command-result=false')
  expect(await count()).toBe(0)
  await deploy('deploy', '--dry-run', '--force-write-command-result')
  expect(await count()).toBe(1)
  await deploy('deploy', '--keep-command-results-count=2')
  await deploy('deploy', '--keep-command-results-count=2')
  expect(await count()).toBe(2)
  await deploy('deploy', '--discriminator', 'another', '--keep-command-results-count=2')
  expect(await count()).toBe(3)
})

it('an account that may not write results deploys all the same, and is told', async () => {
  await using story = await TargetStory.of('lesser')
  const { namespace } = story
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]
  await createServiceAccount(namespace, 'deployer', rules)
  const kubeconfig = await serviceAccountKubeconfigFile(namespace, 'deployer')
  await story.item('a')
  const outcome = await story.run(['deploy', '--yes', '--kubeconfig', kubeconfig])
  expect(outcome.code, outcome.stderr + outcome.stdout).toBe(0)
  expect(outcome.stderr).toContain('Not enough permissions to write to the result store.')
  expect(await story.maps()).toEqual(['a'])
})
