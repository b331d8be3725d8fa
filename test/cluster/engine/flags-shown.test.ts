// Flags that say what is told of a result, and how: each with it and without it.
import { afterAll, expect, it } from 'vitest'
import { configMap } from '../../engine/harness/project.ts'
import { adminClient } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

const dry = ['--dry-run', '--write-command-result=false']

it('--ignore-… of diff leave out what they name, and nothing else', async () => {
  await using story = await TargetStory.of('ignore')
  const item = (value: string) => ({
    [`${value}/map.yaml`]: configMap(
      'map',
      { key: value },
      `  namespace: ${story.namespace}\n  labels: {own: ${value}}\n  annotations: {own: ${value}}\n`,
    ),
  })
  await story.write(item('one'), '- path: one\n')
  await story.must('deploy')
  await story.write(item('two'), '- path: two\n')
  const changed = async (...flags: string[]) => {
    const { objects } = await story.diff('--discriminator', `${story.namespace}-2`, ...flags)
    return objects.flatMap(({ changes = [] }) => changes.map(({ jsonPath }) => jsonPath)).sort()
  }
  const annotation = 'metadata.annotations.own'
  const folder = 'metadata.annotations["kluctl.io/deployment-item-dir"]'
  const label = 'metadata.labels.own'
  const discriminator = 'metadata.labels["kluctl.io/discriminator"]'
  const tag = 'metadata.labels["kluctl.io/tag-0"]'
  expect(await changed()).toEqual(['data.key', folder, annotation, discriminator, tag, label].sort())
  expect(await changed('--ignore-tags')).toEqual(['data.key', folder, annotation, discriminator, label].sort())
  expect(await changed('--ignore-labels')).toEqual(['data.key', folder, annotation].sort())
  expect(await changed('--ignore-annotations')).toEqual(['data.key', discriminator, tag, label].sort())
  expect(await changed('--ignore-kluctl-metadata')).toEqual(['data.key', annotation, label])
})

/** Deployed with `app:1`: a Deployment with a sensitive text, and `old`, in whose place `new` is rendered now. */
async function webStory(): Promise<TargetStory> {
  const story = await TargetStory.of('shown')
  const container = '{name: web, image: \'{{ images.get_image("app") }}\', env: [{name: KEY, value: "{{ key }}"}]}'
  const labels = '{app: web}'
  const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${story.namespace}}
spec:
  replicas: 0
  selector: {matchLabels: ${labels}}
  template: {metadata: {labels: ${labels}}, spec: {containers: [${container}]}}
`
  const deployment = '- path: web\n- path: map\nvars:\n- values: {key: top-secret}\n  sensitive: true\n'
  const render = (name: string) => {
    const map = configMap(name, {}, `  namespace: ${story.namespace}\n`)
    return story.write({ 'web/web.yaml': web, 'map/map.yaml': map }, deployment)
  }
  await render('old')
  await story.must('deploy', '-F', 'app=app:1')
  return render('new')
}

const changing = [['diff'], ['deploy', ...dry], ['poke-images', ...dry], ['prune', ...dry], ['delete', ...dry]] as const

it('--short-output names what changes without how', async () => {
  await using story = await webStory()
  for (const [command, ...flags] of changing.slice(0, 3)) {
    const args = [command, ...flags, '-F', 'app=app:2']
    const whole = await story.run(args)
    const short = await story.run([...args, '--short-output'])
    const changed = `Changed objects:\n  ${story.namespace}/Deployment/web\n`
    const seen = [whole, short].map(({ code, stdout }) => [code, stdout.includes(changed), stdout.includes('app:2')])
    expect(seen, command).toEqual([
      [0, true, true],
      [0, true, false],
    ])
  }
})

it('--no-obfuscate shows what is secret, on demand only', async () => {
  await using story = await webStory()
  for (const [command, ...flags] of changing) {
    const args = [command, ...flags, '-F', 'app=app:2', '-o', 'yaml']
    const hidden = await story.run(args)
    const shown = await story.run([...args, '--no-obfuscate'])
    const seen = [hidden, shown].map(({ code, stdout }) => [code, stdout.includes('top-secret')])
    expect(seen, command).toEqual([
      [0, false],
      [0, true],
    ])
  }
})

it('--no-color writes no colours to a terminal', async () => {
  await using story = await webStory()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
  const colours = /\x1b\[\d+m/
  for (const [command, ...flags] of [...changing, ['validate'] as const]) {
    const args = [command, ...flags, '-F', 'app=app:2']
    const run = (...more: string[]) => story.run([...args, ...more], {}, undefined, { terminal: true })
    const [coloured, plain] = [await run(), await run('--no-color')]
    const seen = [coloured.stdout, coloured.stderr, plain.stdout, plain.stderr].map(text => colours.test(text))
    expect(seen, command).toEqual([true, true, false, false])
  }
})

it('--debug tells each step in a line of its own, on a terminal too', async () => {
  await using story = await webStory()
  for (const [command, ...flags] of [...changing, ['validate'] as const]) {
    const run = (...more: string[]) => {
      const args = [command, ...flags, '-F', 'app=app:2', ...more]
      return story.run(args, {}, undefined, { terminal: true })
    }
    const [replaced, lasting] = [await run(), await run('--debug')]
    expect([replaced.stderr.includes('\r'), lasting.stderr.includes('\r')], command).toEqual([true, false])
    expect(lasting.stderr).toContain('Rendering templates')
  }
})
