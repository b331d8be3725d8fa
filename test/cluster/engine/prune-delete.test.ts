import { afterAll, expect, it } from 'vitest'
import { adminClient } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

it('prunes what is not rendered any more, and nothing of another discriminator', async () => {
  await using story = await TargetStory.of('prune')
  const { namespace } = story
  for (const name of ['a', 'b', 'c', 'd']) await story.item(name)
  await story.must('deploy')
  const other = `${namespace}-other`
  await story.must('deploy', '--discriminator', other, '-I', 'd')
  for (const name of ['b', 'c', 'd']) await story.remove(name)

  const dry = await story.must('prune', '--dry-run')
  const gone = `\nDeleted objects:\n  ${namespace}/ConfigMap/b\n  ${namespace}/ConfigMap/c\n`
  expect(dry.stdout).toBe(gone)
  expect(await story.maps()).toEqual(['a', 'b', 'c'])

  const declined = await story.run(['prune', '--write-command-result=false'], {}, 'n\n')
  expect(declined.code).toBe(1)
  expect(declined.stderr).toContain(
    `The following objects will be deleted:\n  ${namespace}/ConfigMap/b\n  ${namespace}/ConfigMap/c\n` +
      'Do you really want to delete 2 objects? (y/N) ',
  )
  expect(await story.maps()).toEqual(['a', 'b', 'c'])

  // Tags and folders choose among the orphans too.
  await story.must('prune', '-I', 'no-such-tag')
  expect(await story.maps()).toEqual(['a', 'b', 'c'])
  expect((await story.must('prune', '-E', 'c')).stdout).toBe(`\nDeleted objects:\n  ${namespace}/ConfigMap/b\n`)
  await story.must('prune')
  expect(await story.maps()).toEqual(['a'])
  expect(await story.map('d')).toMatchObject({ metadata: { labels: { 'kluctl.io/discriminator': other } } })
})

it('deletes everything with the discriminator, rendered or not, but what asks to be kept', async () => {
  await using story = await TargetStory.of('delete')
  await story.item('a')
  await story.item('old')
  await story.item('kept', {}, { annotations: { 'kluctl.io/skip-delete': 'true' } })
  await story.must('deploy')
  await story.remove('old')
  expect((await story.must('delete')).stdout).toBe(
    `\nDeleted objects:\n  ${story.namespace}/ConfigMap/a\n  ${story.namespace}/ConfigMap/old\n`,
  )
  expect(await story.maps()).toEqual(['kept'])
  expect((await story.must('delete')).stdout).toBe('')
})

it.each(['prune', 'delete'])('%s refuses to work without a discriminator', async command => {
  await using story = await TargetStory.of('none')
  await story.write({ '.kluctl.yaml': '{}\n' })
  await story.item('a')
  await story.must('deploy')
  const refused = await story.run([command, '--yes', '--write-command-result=false'])
  expect(refused.code).toBe(1)
  expect(refused.stdout).toContain('without a discriminator is not supported')
  expect(await story.map('a')).toBeDefined()
})
