import { afterAll, expect, it } from 'vitest'
import { refOf } from '../../../src/engine/plan/refs.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { adminClient, uniqueNamespace } from '../../harness/cluster.ts'
import { ConfigMapChanges } from '../../harness/engine/changes.ts'
import { deployProject } from '../../harness/engine/deployer.ts'

afterAll(() => adminClient().close())

/** A project of one item whose ConfigMaps are named with their annotations; each run changes all of them. */
class HookStory implements AsyncDisposable {
  readonly namespace: string
  readonly #project: TestProject
  readonly #changes: ConfigMapChanges
  #run = 0

  private constructor(namespace: string, project: TestProject, changes: ConfigMapChanges) {
    this.namespace = namespace
    this.#project = project
    this.#changes = changes
  }

  static async of(maps: Record<string, Record<string, string>>): Promise<HookStory> {
    const namespace = await uniqueNamespace('hooks')
    const project = await TestProject.of({ 'deployment.yaml': 'deployments:\n- path: a\n' })
    const changes = await ConfigMapChanges.of(adminClient(), namespace)
    const story = new HookStory(namespace, project, changes)
    await story.write(maps)
    return story
  }

  async write(maps: Record<string, Record<string, string>>): Promise<void> {
    const files = Object.entries(maps).map(([name, annotations]) => {
      const metadata = `  namespace: ${this.namespace}\n  annotations: ${JSON.stringify(annotations)}\n`
      return [`a/${name}.yaml`, configMap(name, { run: '"{{ args.run }}"' }, metadata)]
    })
    await this.#project.write(Object.fromEntries(files) as Record<string, string>)
  }

  /** Deploys once more and gives what happened to the ConfigMaps, in order. */
  async deploy(
    options: { dryRun?: boolean; abortOnError?: boolean; signal?: AbortSignal; onLine?: (line: string) => void } = {},
  ) {
    await this.#project.write({
      '.kluctl.yaml': `discriminator: ${this.namespace}\nargs:\n- name: run\n  default: r${this.#run++}\n`,
    })
    const deployed = await deployProject(this.#project, { kube: adminClient(), ...options })
    return { ...deployed, changes: await this.#changes.take() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changes[Symbol.asyncDispose]()
    await this.#project[Symbol.asyncDispose]()
  }
}

it.each([
  [{ 'kluctl.io/hook': 'pre-deploy-initial' }, ['ADDED hook', 'ADDED map'], ['MODIFIED map']],
  [{ 'kluctl.io/hook': 'post-deploy-initial' }, ['ADDED map', 'ADDED hook'], ['MODIFIED map']],
  [{ 'kluctl.io/hook': 'pre-deploy-upgrade' }, ['ADDED map'], ['ADDED hook', 'MODIFIED map']],
  [{ 'helm.sh/hook': 'post-upgrade' }, ['ADDED map'], ['MODIFIED map', 'ADDED hook']],
  [
    { 'kluctl.io/hook': 'pre-deploy,post-deploy' },
    ['ADDED hook', 'ADDED map', 'DELETED hook', 'ADDED hook'],
    ['DELETED hook', 'ADDED hook', 'MODIFIED map', 'DELETED hook', 'ADDED hook'],
  ],
  [{ 'helm.sh/hook': 'post-delete' }, ['ADDED map'], ['MODIFIED map']],
  [{ 'helm.sh/hook': 'post-rollback,post-install' }, ['ADDED map', 'ADDED hook'], ['MODIFIED map']],
])('%o runs when it should', async (annotations, initial, upgrade) => {
  await using story = await HookStory.of({ map: {}, hook: annotations })
  const first = await story.deploy()
  expect(first.errors).toEqual([])
  expect(first.changes).toEqual(initial)
  // A dry run goes through the same steps and leaves nothing.
  const dry = await story.deploy({ dryRun: true })
  expect([dry.errors, dry.changes]).toEqual([[], []])
  const names = [...dry.result.applied.values()].map(object => refOf(object).name)
  expect(names.toSorted()).toEqual(upgrade.some(change => change.endsWith('hook')) ? ['hook', 'map'] : ['map'])
  expect((await story.deploy()).changes).toEqual(upgrade)
})

it('hooks run by weight, and are deleted by their policies, the last one first', async () => {
  const hook = { 'kluctl.io/hook': 'pre-deploy' }
  await using story = await HookStory.of({
    map: {},
    heavy: { ...hook, 'kluctl.io/hook-weight': '10', 'kluctl.io/hook-delete-policy': 'hook-succeeded' },
    light: { ...hook, 'helm.sh/hook-weight': '-5', 'helm.sh/hook-delete-policy': 'hook-succeeded' },
    stays: { ...hook, 'kluctl.io/hook-delete-policy': 'hook-failed' },
  })
  const { changes, result, errors } = await story.deploy()
  expect(errors).toEqual([])
  expect(changes).toEqual(['ADDED light', 'ADDED stays', 'ADDED heavy', 'DELETED heavy', 'DELETED light', 'ADDED map'])
  // Hooks are neither created nor deleted objects of the deployment.
  expect(result.created.map(ref => ref.name)).toEqual(['map'])
  expect(result.deleted).toEqual([])
  expect(result.hooks.size).toBe(3)
  expect((await story.deploy()).changes).toContain('MODIFIED stays')
})

it('a hook that fails is deleted by its policy, and ends the deployment only when it is asked for', async () => {
  const hook = { 'kluctl.io/hook': 'pre-deploy' }
  const slow = { 'kluctl.io/is-ready': 'false', 'kluctl.io/hook-timeout': '100ms' }
  await using story = await HookStory.of({
    map: {},
    hook1: { ...hook, ...slow, 'kluctl.io/hook-delete-policy': 'hook-failed' },
    hook2: { ...hook, ...slow, 'kluctl.io/hook-wait': 'false' },
  })
  const failure = expect.stringContaining('timed out while waiting for readiness of') as unknown
  const aborted = await story.deploy({ abortOnError: true })
  expect([aborted.errors, aborted.changes]).toEqual([[failure], ['ADDED hook1', 'DELETED hook1']])
  const { errors, changes } = await story.deploy()
  expect(errors).toEqual([failure])
  expect(changes).toEqual(['ADDED hook1', 'ADDED hook2', 'DELETED hook1', 'ADDED map'])
})

it('a hook holds back what comes after it until it is ready', async () => {
  const hook = { 'kluctl.io/hook': 'post-deploy' }
  await using story = await HookStory.of({
    map: {},
    hook1: hook,
    hook2: { ...hook, 'kluctl.io/is-ready': 'false' },
    hook3: hook,
  })
  const giveUp = new AbortController()
  const onLine = (line: string) => {
    if (line.includes('Waiting for') && line.includes('hook2')) giveUp.abort(new Error('context deadline exceeded'))
  }
  const cut = await story.deploy({ signal: giveUp.signal, onLine })
  expect(cut.changes).toEqual(['ADDED map', 'ADDED hook1', 'ADDED hook2'])
  expect(cut.errors.join('\n')).toContain(
    `context cancelled while waiting for readiness of ${story.namespace}/ConfigMap/hook2`,
  )
  const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: story.namespace, name: 'hook2' }
  const ready = { metadata: { annotations: { 'kluctl.io/is-ready': 'true' } } }
  let mended: Promise<unknown> | undefined
  const mend = (line: string) => {
    if (line.includes('Waiting for') && line.includes('hook2')) {
      mended ??= adminClient().patch(key, ready, { type: 'merge' })
    }
  }
  const { changes, errors } = await story.deploy({ onLine: mend })
  await mended
  expect(errors).toEqual([])
  expect(changes.slice(-2)).toEqual(['MODIFIED hook2', 'ADDED hook3'])
})
