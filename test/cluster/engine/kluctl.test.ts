import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type CompactedObject, expandObjects } from '../../../src/engine/result/compact.ts'
import type { CommandResult } from '../../../src/engine/result/types.ts'
import { adminClient, adminKubeconfig } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'
import { kluctlBinary } from '../../harness/kluctl-binary.ts'

afterAll(() => adminClient().close())

const run = promisify(execFile)

/** One kind of everything that a diff might trip over: defaults, quantities, lists by key, server-side names. */
const rich = (namespace: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${namespace}, labels: {b: "1", a: "2"}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        env: [{name: B, value: "1"}, {name: A, value: "2"}]
        ports: [{containerPort: 80}]
        resources: {limits: {cpu: 500m, memory: 0.5Gi}, requests: {cpu: "0.25"}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ${namespace}}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: ${namespace}}
stringData: {password: hidden}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: ${namespace}}
data: {text: "one\\ntwo\\n", number: "1"}
`

// A kluctl of one's own is not for every machine.
describe.runIf(kluctlBinary !== undefined)('beside kluctl itself', () => {
  let home = ''
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'offshoot-kluctl-'))
  })
  afterAll(() => rm(home, { recursive: true, force: true }))

  const kluctl = async (story: TargetStory, ...args: string[]) => {
    const flags = ['--project-dir', story.project.folder, '--kubeconfig', adminKubeconfig(), '--no-update-check']
    const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home }
    const { stdout } = await run(kluctlBinary ?? '', [...args, ...flags], { env })
    const { compactedObjects = [], ...rest } = parse(stdout) as CommandResult & { compactedObjects?: CompactedObject[] }
    return { ...rest, objects: expandObjects(compactedObjects) }
  }
  const told = ({ objects }: CommandResult) =>
    objects
      .map(({ ref, changes, new: isNew, orphan, deleted, hook }) => ({ ref, changes, isNew, orphan, deleted, hook }))
      .toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  const key = ({ ref }: { ref: object }) => JSON.stringify(ref)

  it('what one has deployed shows no difference to the other', async () => {
    await using story = await TargetStory.of('turns')
    await story.write({ 'd/all.yaml': rich(story.namespace) }, '- path: d\n')
    const quiet = (result: CommandResult) =>
      result.objects.filter(({ changes, new: isNew, orphan }) => changes !== undefined || isNew || orphan)

    const first = await kluctl(story, 'deploy', '--yes', '-o', 'yaml', '--write-command-result=false')
    expect(first.objects.filter(object => object.new)).toHaveLength(4)
    const { stdout } = await story.run(['diff'])
    expect(stdout).toBe('')

    await story.must('deploy')
    expect(quiet(await kluctl(story, 'diff', '-o', 'yaml'))).toEqual([])
  })

  it('both tell the same of the same changes, in the same fields', async () => {
    await using story = await TargetStory.of('same')
    await story.write({ 'd/all.yaml': rich(story.namespace) }, '- path: d\n')
    await story.must('deploy')
    const changed = rich(story.namespace)
      .replace('web:1', 'web:2')
      .replace('name: A, value: "2"', 'name: A, value: "3"')
      .replace('{app: web}, ports: [{port: 80}]', '{app: web}, ports: [{port: 81}]')
      .replace('password: hidden', 'other: hidden')
      .replace('two\\n', 'three\\n')
      .replace('a: "2"}', 'c: "2"}')
    await story.write({
      'd/all.yaml': changed,
      'd/new.yaml': changed.split('---\n').at(-1)?.replace('name: web', 'name: new') ?? '',
    })
    await story.write({}, '- path: d\n')
    const theirs = await kluctl(story, 'diff', '-o', 'yaml')
    const { stdout } = await story.run(['diff', '-o', 'yaml'])
    const { compactedObjects = [], ...rest } = parse(stdout) as CommandResult & { compactedObjects?: CompactedObject[] }
    const ours = { ...rest, objects: expandObjects(compactedObjects) }
    expect(told(ours)).toEqual(told(theirs))
    expect(Object.keys(rest).sort()).toEqual(
      Object.keys(theirs)
        .filter(name => name !== 'objects')
        .sort(),
    )
    const { target, deployment, gitInfo, projectKey, targetKey, clusterInfo } = theirs
    expect(ours).toMatchObject({ target, deployment, gitInfo, projectKey, targetKey, clusterInfo })
  })
})
