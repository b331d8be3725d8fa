import { execFileSync } from 'node:child_process'
import { afterAll, expect, it } from 'vitest'
import { adminClient } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

it('deploys, tells what changed, and finds nothing to change afterwards', async () => {
  await using story = await TargetStory.of('deploy')
  const { namespace } = story
  await story.item('a', { version: '"{{ args.version }}"' })
  await story.item('b', { fixed: 'yes' })
  await story.write({
    '.kluctl.yaml': `discriminator: ${namespace}\nargs:\n- name: version\n  default: one\n`,
  })
  const first = await story.must('deploy')
  expect(first.stdout).toBe(`\nNew objects:\n  ${namespace}/ConfigMap/a\n  ${namespace}/ConfigMap/b\n`)
  const versions = () => Promise.all(['a', 'b'].map(async name => (await story.map(name))?.metadata.resourceVersion))
  const before = await versions()

  expect(await story.must('deploy')).toMatchObject({ stdout: '' })
  expect(await versions()).toEqual(before)
  expect(await story.run(['diff'])).toMatchObject({ code: 0, stdout: '' })

  const changed = await story.run(['diff', '-a', 'version=two'])
  expect(changed.stdout).toContain(`Changed objects:\n  ${namespace}/ConfigMap/a\n`)
  expect(changed.stdout).toMatch(/\| data\.version \| -one +\|\n\| {14}\| \+two +\|/)
  const short = await story.run(['deploy', '--dry-run', '-a', 'version=two', '--short-output'])
  expect(short).toMatchObject({ code: 0, stdout: `\nChanged objects:\n  ${namespace}/ConfigMap/a\n` })
  expect(await versions()).toEqual(before)
})

it('shows what would change and asks before it does anything', async () => {
  await using story = await TargetStory.of('ask')
  await story.item('a', { key: 'one' })
  const asked = 'The diff succeeded, do you want to proceed? (y/N) '
  const kept = ['--write-command-result=false']

  const nobody = await story.run(['deploy', ...kept])
  expect(nobody).toMatchObject({ code: 1 })
  expect(nobody.stdout).toContain('New objects:')
  expect(nobody.stderr).toContain('nobody is there to answer')
  expect(nobody.stderr).toContain('--yes')

  const declined = await story.run(['deploy', ...kept], {}, 'what?\nno\n')
  expect(declined.code).toBe(1)
  expect(declined.stderr.split(asked)).toHaveLength(3)
  expect(declined.stderr).toContain('error: aborted')
  expect(await story.maps()).toEqual([])

  const agreed = await story.run(['deploy', ...kept], {}, 'y\n')
  expect(agreed.code, agreed.stderr).toBe(0)
  expect(agreed.stdout.match(/New objects:/g)).toHaveLength(2)
  expect(await story.maps()).toEqual(['a'])
})

it('prints results that kluctl’s tools can read', async () => {
  await using story = await TargetStory.of('yaml')
  await story.item('a', { key: 'one' })
  await story.item('old')
  story.project.commit()
  await story.must('deploy')
  await story.remove('old')
  await story.item('a', { key: 'two' })
  await story.item('new')
  const branch = execFileSync('git', ['-C', story.project.folder, 'branch', '--show-current'], {
    encoding: 'utf8',
  }).trim()

  const result = await story.result('deploy', '-T', 'renamed', '-I', 'a', '-I', 'new', '-I', 'old')
  expect(Object.keys(result).sort()).toEqual([
    'clusterInfo',
    'command',
    'deployment',
    'gitInfo',
    'id',
    'objects',
    'projectKey',
    'reconcileId',
    'target',
    'targetKey',
  ])
  const { clusterId } = result.clusterInfo
  expect(clusterId).toMatch(/^[0-9a-f-]{36}$/)
  expect(result.targetKey).toEqual({ targetName: 'renamed', clusterId, discriminator: story.namespace })
  expect(result.gitInfo).toMatchObject({ url: null, ref: { branch }, subDir: '', dirty: true })
  expect(result.command).toMatchObject({
    initiator: 'CommandLine',
    command: 'deploy',
    targetNameOverride: 'renamed',
    includeTags: ['a', 'new', 'old'],
  })
  expect(result.command.startTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const seen = result.objects.map(({ ref, rendered, remote, applied, changes, ...what }) => ({
    name: ref.name,
    ...what,
    changes: changes?.map(({ type, jsonPath, oldValue, newValue, unifiedDiff }) => [
      type,
      jsonPath,
      oldValue,
      newValue,
      unifiedDiff,
    ]),
    versions: [rendered, remote, applied].map(object => (object?.data as { key?: string } | undefined)?.key),
  }))
  expect(seen).toEqual([
    {
      name: 'a',
      changes: [['update', 'data.key', 'one', 'two', '-one\n+two']],
      versions: ['two', 'one', 'two'],
    },
    { name: 'new', new: true, changes: undefined, versions: [undefined, undefined, undefined] },
    { name: 'old', orphan: true, changes: undefined, versions: [undefined, undefined, undefined] },
  ])
})

it('prunes at the end of a deployment when it is told to', async () => {
  await using story = await TargetStory.of('deploy-prune')
  await story.item('a')
  await story.item('b')
  await story.must('deploy')
  await story.remove('b')
  expect((await story.must('deploy')).stdout).toBe(`\nOrphan objects:\n  ${story.namespace}/ConfigMap/b\n`)
  const dry = await story.must('deploy', '--prune', '--dry-run')
  expect(dry.stdout).toBe(`\nDeleted objects:\n  ${story.namespace}/ConfigMap/b\n`)
  expect(await story.maps()).toEqual(['a', 'b'])
  expect((await story.must('deploy', '--prune')).stdout).toBe(dry.stdout)
  expect(await story.maps()).toEqual(['a'])
})

it('hides Secrets, unless it is told not to', async () => {
  await using story = await TargetStory.of('secrets')
  const secret = (value: string) => ({
    's/secret.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ${story.namespace}}\nstringData: {key: ${value}}\n`,
  })
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  await story.write(secret('first-value'), '- path: s\n')
  await story.must('deploy')
  await story.write(secret('second-value'), '- path: s\n')
  const hidden = await story.must('deploy', '--dry-run')
  expect(hidden.stdout).toContain('***** (obfuscated)')
  const data = await story.must('deploy', '--dry-run', '-o', 'yaml')
  for (const { stdout } of [hidden, data]) {
    for (const value of ['first-value', 'second-value']) {
      expect(stdout).not.toContain(value)
      expect(stdout).not.toContain(base64(value))
    }
  }
  const shown = await story.must('deploy', '--no-obfuscate')
  expect(shown.stdout).toContain(`-${base64('first-value')}`)
  expect(shown.stdout).toContain(`+${base64('second-value')}`)
})

it('what fails is told by object, and ends with exit code 1', async () => {
  await using story = await TargetStory.of('fail')
  await story.item('good')
  await story.item('bad', {}, { annotations: { 'not a name': 'x' } })
  const failed = await story.run(['deploy', '--yes', '--write-command-result=false'])
  expect(failed.code).toBe(1)
  expect(failed.stdout).toContain(`New objects:\n  ${story.namespace}/ConfigMap/good\n`)
  expect(failed.stdout).toMatch(/Errors:\n {2}\S+\/ConfigMap\/bad: .*invalid/i)
  expect(failed.stderr).toContain('error: command failed')
})
