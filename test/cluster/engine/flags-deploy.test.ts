// Flags of deploy, diff and delete that say what is done: each with it and without it.
import { afterAll, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/types.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { configMap } from '../../engine/harness/project.ts'
import { adminClient } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'
import { waitFor } from '../../harness/wait.ts'

afterAll(() => adminClient().close())

const unkept = ['--yes', '--write-command-result=false']
const deploy = (story: TargetStory, ...flags: string[]) => story.run(['deploy', ...unkept, ...flags])

it('--abort-on-error begins nothing new after an error', async () => {
  await using story = await TargetStory.of('abort')
  const metadata = `  namespace: ${story.namespace}\n`
  await story.write(
    {
      'a/1-bad.yaml': configMap('bad', {}, `${metadata}  labels: {"a b": c}\n`),
      'a/2-next.yaml': configMap('next', {}, metadata),
      'b/last.yaml': configMap('last', {}, metadata),
    },
    '- path: a\n- barrier: true\n- path: b\n',
  )
  expect(await deploy(story, '--abort-on-error')).toMatchObject({ code: 1 })
  expect(await story.maps()).toEqual([])
  expect(await deploy(story)).toMatchObject({ code: 1 })
  expect(await story.maps()).toEqual(['last', 'next'])
})

const unready = { annotations: { 'kluctl.io/is-ready': 'false', 'kluctl.io/wait-readiness': 'true' } }

it('--readiness-timeout is the time that an object has to get ready, and --no-wait gives it none', async () => {
  await using story = await TargetStory.of('ready')
  await story.item('slow', {}, unready)
  const bounds = ['--readiness-timeout=200ms', '--timeout=30s']
  const late = await deploy(story, ...bounds)
  expect(late.code).toBe(1)
  expect(late.stdout).toContain(`timed out while waiting for readiness of ${story.namespace}/ConfigMap/slow`)
  expect(await deploy(story, '--no-wait', ...bounds)).toMatchObject({ code: 0, stdout: '' })

  await story.must('delete')
  const waiting = deploy(story)
  await waitFor(() => story.map('slow'), { describe: 'the object to be applied' })
  const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: story.namespace, name: 'slow' }
  const ready = { metadata: { annotations: { 'kluctl.io/is-ready': 'true' } } }
  await adminClient().patch(key, ready, { type: 'merge' })
  expect(await waiting).toMatchObject({ code: 0 })
})

/** Runs a command until it says that it still waits for a deletion, without waiting long for that. */
async function untilReminded(story: TargetStory, ...args: string[]) {
  const stop = new AbortController()
  const clock = { ...systemClock, sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(20, signal) }
  const onStderr = (text: string) => text.includes('Still waiting for the deletion') && stop.abort()
  return story.run([...args, ...unkept], {}, undefined, { clock, signal: stop.signal, onStderr })
}

it.each(['delete', 'deploy --prune'])('%s --no-wait does not wait until what it deleted is gone', async command => {
  await using story = await TargetStory.of('held')
  await story.item('held')
  await story.item('other')
  await story.must('deploy')
  await story.remove('held')
  const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: story.namespace, name: 'held' }
  const finalizers = (list: string[] | null) =>
    adminClient().patch<KubeObject>(key, { metadata: { finalizers: list } }, { type: 'merge' })
  await finalizers(['example.com/keeper'])
  const waited = await untilReminded(story, ...command.split(' '))
  expect(waited.stdout).toContain('held by finalizer example.com/keeper')
  const left = await untilReminded(story, ...command.split(' '), '--no-wait')
  expect(left).toMatchObject({ code: 0 })
  expect(left.stdout).not.toContain('Errors:')
  expect((await story.map('held'))?.metadata.deletionTimestamp).toBeDefined()
  await finalizers(null)
})

/** A Deployment whose strategy, when it changes, no longer fits what the server has filled in: it must be replaced. */
function web(namespace: string, strategy?: object): Record<string, string> {
  const labels = { app: 'web' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } }
  const spec = { replicas: 0, selector: { matchLabels: labels }, template, strategy }
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace }, spec }
  return { 'web/web.yaml': JSON.stringify(object) }
}

it.each(['deploy', 'diff'])('%s --replace-on-error replaces what cannot be applied', async command => {
  await using story = await TargetStory.of('replace')
  const { namespace } = story
  await story.write(web(namespace), '- path: web\n')
  await story.must('deploy')
  await story.write(web(namespace, { type: 'Recreate' }), '- path: web\n')
  const run = (...flags: string[]) => story.run([command, ...(command === 'deploy' ? unkept : []), ...flags])
  const refused = await run()
  expect(refused.code).toBe(1)
  expect(refused.stdout).toContain(`${namespace}/Deployment/web: failed to patch`)
  const replaced = await run('--replace-on-error')
  expect(replaced.code, replaced.stderr).toBe(0)
  expect(replaced.stdout).toContain('retrying with replace instead of patch')
  const key = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web' }
  const type = command === 'deploy' ? 'Recreate' : 'RollingUpdate'
  expect(await adminClient().get(key)).toMatchObject({ spec: { strategy: { type } } })
})

it('--force-replace-on-error deletes and makes anew what can be neither applied nor replaced', async () => {
  await using story = await TargetStory.of('anew')
  const fixed = (key: string) => ({
    'fixed/map.yaml': `${configMap('fixed', { key }, `  namespace: ${story.namespace}\n`)}immutable: true\n`,
  })
  await story.write(fixed('one'), '- path: fixed\n')
  await story.must('deploy')
  const before = await story.map('fixed')
  await story.write(fixed('two'), '- path: fixed\n')
  for (const flags of [[], ['--replace-on-error']]) {
    const refused = await deploy(story, ...flags)
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('field is immutable when `immutable` is set')
  }
  expect(await story.run(['diff'])).toMatchObject({ code: 1 })
  expect(await story.run(['diff', '--force-replace-on-error'])).toMatchObject({ code: 0 })
  expect((await story.map('fixed'))?.metadata.uid).toBe(before?.metadata.uid)
  expect(await deploy(story, '--force-replace-on-error')).toMatchObject({ code: 0 })
  expect(await story.map('fixed')).toMatchObject({ data: { key: 'two' } })
})

it('--force-apply takes over what others own, and diff --force-apply tells that it would', async () => {
  await using story = await TargetStory.of('force')
  const { namespace } = story
  await story.item('map', { key: 'one' })
  await story.must('deploy')
  const theirs = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'map', namespace },
    data: { key: 'theirs' },
  }
  await adminClient().apply(theirs, { fieldManager: 'controller', force: true })
  await story.item('map', { key: 'two' })
  const lost = "Not updating field '.data.key' as we lost field ownership"
  const given = [await story.run(['diff']), await deploy(story)]
  for (const { code, stdout } of given) {
    expect([code, stdout.includes('Changed objects:'), stdout.includes(lost)]).toEqual([0, false, true])
  }
  expect(await story.map('map')).toMatchObject({ data: { key: 'theirs' } })
  const forced = [await story.run(['diff', '--force-apply']), await deploy(story, '--force-apply')]
  for (const { code, stdout } of forced) {
    expect([code, stdout.includes('Changed objects:'), stdout.includes(lost)]).toEqual([0, true, false])
  }
  expect(await story.map('map')).toMatchObject({ data: { key: 'two' } })
})

it('--dry-run of delete and prune names what would be deleted, and keeps it', async () => {
  await using story = await TargetStory.of('dry')
  await story.item('a')
  await story.item('old')
  await story.must('deploy')
  await story.remove('old')
  for (const [command = '', ...names] of [
    ['prune', 'old'],
    ['delete', 'a', 'old'],
  ]) {
    const lines = names.map(name => `  ${story.namespace}/ConfigMap/${name}\n`).join('')
    const dry = await story.run([command, '--dry-run', '--write-command-result=false'])
    expect(dry).toMatchObject({ code: 0, stdout: `\nDeleted objects:\n${lines}` })
    expect(await story.maps()).toEqual(['a', 'old'])
  }
  await story.must('prune')
  expect(await story.maps()).toEqual(['a'])
  await story.must('delete')
  expect(await story.maps()).toEqual([])
})

it('--discriminator takes the place of the target’s, for what is applied, found, pruned and deleted', async () => {
  await using story = await TargetStory.of('other')
  const other = ['--discriminator', `${story.namespace}-other`]
  await story.item('a')
  await story.item('b')
  await story.must('deploy', ...other)
  expect(await story.maps()).toEqual([])
  await story.remove('b')
  const orphan = `Orphan objects:\n  ${story.namespace}/ConfigMap/b\n`
  expect((await story.run(['diff'])).stdout).not.toContain('Orphan objects:')
  expect((await story.run(['diff', ...other])).stdout).toContain(orphan)
  expect((await story.must('prune')).stdout).toBe('')
  expect((await story.must('prune', ...other)).stdout).toContain('ConfigMap/b')
  expect(await story.map('b')).toBeUndefined()
  expect((await story.must('delete')).stdout).toBe('')
  expect((await story.must('delete', ...other)).stdout).toContain('ConfigMap/a')
  expect(await story.map('a')).toBeUndefined()
})
