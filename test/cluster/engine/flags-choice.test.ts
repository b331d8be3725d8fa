// Flags that choose a part of the target, answer questions, keep results and believe caches; and variables of flags.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { configMap } from '../../engine/harness/project.ts'
import { adminClient, uniqueName } from '../../harness/cluster.ts'
import { deploymentOfImage, TargetStory } from '../../harness/engine/target-story.ts'
import { startFakeForge } from '../../harness/forge/forge.ts'

afterAll(() => adminClient().close())

const unkept = ['--yes', '--write-command-result=false']
const dry = [...unkept, '--dry-run']

/** Two Deployments with images of `get_image`, an item each. */
async function twoStory(prefix: string): Promise<TargetStory> {
  const story = await TargetStory.of(prefix)
  const { namespace } = story
  const files = { 'a/a.yaml': deploymentOfImage('a', namespace), 'b/b.yaml': deploymentOfImage('b', namespace) }
  return story.write(files, '- {path: a, tags: [one]}\n- {path: b, tags: [two]}\n')
}

it.each([
  [[], ['a', 'b']],
  [['--include-tag', 'one'], ['a']],
  [['--exclude-tag', 'one'], ['b']],
  [['--include-deployment-dir', 'a'], ['a']],
  [['--exclude-deployment-dir', 'a'], ['b']],
])('%j leaves %j to each command', async (flags, chosen) => {
  await using story = await twoStory('choice')
  const told = async (...args: string[]) => {
    const { stdout } = await story.run([...args, '-F', 'app=app:1', ...flags])
    return [...new Set([...stdout.matchAll(/\/Deployment\/(\w+)/g)].map(([, name = '']) => name))].sort()
  }
  expect(await told('diff'), 'diff').toEqual(chosen)
  expect(await told('validate'), 'validate').toEqual(chosen)
  expect(await told('poke-images', ...dry), 'poke-images').toEqual(chosen)
  expect(await told('deploy', ...unkept), 'deploy').toEqual(chosen)
  await story.must('deploy', '-F', 'app=app:1')
  expect(await told('delete', ...dry), 'delete').toEqual(chosen)
  await story.write()
  expect(await told('prune', ...dry), 'prune').toEqual(chosen)
})

/** Each command that changes something, with something to change. */
const changing = ['deploy', 'poke-images', 'prune', 'delete'] as const

/** A story in which each of the commands has something to do: `b` is left over, `a` has another image. */
async function changingStory(prefix: string): Promise<TargetStory> {
  const story = await twoStory(prefix)
  await story.must('deploy', '-F', 'app=app:1')
  return story.write({}, '- {path: a, tags: [one]}\n')
}

it.each(changing)('%s asks, unless there is --yes', async command => {
  await using story = await changingStory('yes')
  const args = [command, '-F', 'app=app:2', '--write-command-result=false']
  const asked = await story.run(args)
  expect(asked.code).toBe(1)
  expect(asked.stderr).toContain('nobody is there to answer')
  const done = await story.run([...args, '--yes'])
  expect(done.code, done.stderr).toBe(0)
  expect(done.stderr).not.toContain('(y/N)')
})

it.each(changing)('%s keeps its results where, how many and of which runs the flags say', async command => {
  await using story = await changingStory('kept')
  const namespace = uniqueName('results')
  const run = async (...flags: string[]) => {
    const where = ['--command-result-namespace', namespace]
    const outcome = await story.run([command, '--yes', '-F', 'app=app:2', ...where, ...flags])
    expect(outcome.code, outcome.stderr).toBe(0)
    const { items } = await adminClient().list({ apiVersion: 'v1', kind: 'Secret' }, { namespace })
    return items.length
  }
  expect(await run('--dry-run')).toBe(0)
  expect(await run('--dry-run', '--force-write-command-result')).toBe(1)
  expect(await run('--write-command-result=false')).toBe(1)
  expect(await run()).toBe(2)
  expect(await run('--keep-command-results-count=1')).toBe(1)
})

it('--git-cache-update-interval believes what an earlier run saw of a repository', async () => {
  await using story = await TargetStory.of('cache')
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-cache-'))
  const forge = await startFakeForge()
  try {
    const file = (value: string) => ({
      'item/map.yaml': configMap('map', { value }, `  namespace: ${story.namespace}\n`),
    })
    const files = { 'deployment.yaml': 'deployments:\n- path: item\n', ...file('old') }
    const shop = await forge.createRepository('acme/shop', { files })
    await story.write({}, `- git: ${shop.url}\n`)
    const deployed = async (...flags: string[]) => {
      const outcome = await story.run(['deploy', ...unkept, ...flags], { OFFSHOOT_CACHE_DIR: folder })
      expect(outcome.code, outcome.stderr).toBe(0)
      return (await story.map('map'))?.data?.value
    }
    const believing = '--git-cache-update-interval=1h'
    expect(await deployed(believing)).toBe('old')
    await shop.push('main', file('new'))
    expect(await deployed(believing)).toBe('old')
    expect(await deployed()).toBe('new')
  } finally {
    await forge.close()
    await rm(folder, { recursive: true })
  }
})

it('variables stand in for flags, and the command line has the last word', async () => {
  await using story = await twoStory('variables')
  const deployments = async () => {
    const { items } = await adminClient().list(
      { apiVersion: 'apps/v1', kind: 'Deployment' },
      { namespace: story.namespace },
    )
    return items.map(({ metadata }) => metadata.name)
  }
  const env = {
    KLUCTL_YES: 'true',
    KLUCTL_WRITE_COMMAND_RESULT: 'false',
    KLUCTL_FIXED_IMAGE_0: 'app=app:1',
    OFFSHOOT_DRY_RUN: '1',
    OFFSHOOT_EXCLUDE_TAG: 'two',
  }
  const dryRun = await story.run(['deploy'], env)
  expect([dryRun.code, dryRun.stdout]).toEqual([0, `\nNew objects:\n  ${story.namespace}/Deployment/a\n`])
  expect(await deployments()).toEqual([])
  expect(await story.run(['deploy', '--dry-run=false'], env)).toMatchObject({ code: 0 })
  expect(await deployments()).toEqual(['a'])

  const changed = (more: Record<string, string>, ...flags: string[]) =>
    story.run(['diff', ...flags], { ...env, KLUCTL_FIXED_IMAGE_0: 'app=app:2', ...more })
  expect((await changed({})).stdout).toContain('+app:2')
  expect((await changed({ KLUCTL_SHORT_OUTPUT: 'true' })).stdout).not.toContain('+app:2')
  expect((await changed({}, '-F', 'app=app:3')).stdout).toContain('+app:3')
  expect((await changed({ KLUCTL_CONTEXT: 'gone' })).stderr).toContain('"gone"')
  expect(await changed({ KLUCTL_CONTEXT: 'gone' }, '--context', 'default')).toMatchObject({ code: 0 })
})
