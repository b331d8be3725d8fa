// Flags that all commands on the cluster have, on each of them: with the flag and without it.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { adminClient } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

const unkept = ['--yes', '--write-command-result=false']
const dry = [...unkept, '--dry-run']
/** The commands, so called that nothing changes. */
const commands = {
  diff: ['diff'],
  deploy: ['deploy', ...dry],
  validate: ['validate'],
  'poke-images': ['poke-images', ...dry],
  prune: ['prune', ...dry],
  delete: ['delete', ...dry],
}
const names = Object.keys(commands) as (keyof typeof commands)[]

describe.each(names)('%s', name => {
  const command = commands[name]

  it('--context takes the place of the target’s context, --kubeconfig that of the user’s own', async () => {
    await using story = await TargetStory.of('context')
    await story.write({
      '.kluctl.yaml': `targets:\n- {name: there, context: gone, discriminator: ${story.namespace}}\n`,
    })
    await story.item('a')
    const here = ['-t', 'there', '--context', 'default']
    await story.must('deploy', ...here)
    expect(await story.run([...command, ...here])).toMatchObject({ code: 0 })
    const lost = await story.run([...command, '-t', 'there'])
    expect(lost.code).toBe(1)
    expect(lost.stderr).toContain('context "gone"')
    const nowhere = await story.run([...command, ...here, '--kubeconfig', join(story.project.folder, 'nowhere')])
    expect(nowhere.code).toBe(1)
    expect(nowhere.stderr).toContain('nowhere')
  })

  it('--timeout ends it', async () => {
    await using story = await TargetStory.of('timeout')
    await story.item('a')
    await story.must('deploy')
    const late = await story.run([...command, '--timeout=1ms'])
    expect(late.code).toBe(1)
    expect(late.stderr + late.stdout).toContain('context deadline exceeded')
    expect(await story.run(command)).toMatchObject({ code: 0 })
  })

  it('renders what the flags say, into the folder that they name', async () => {
    await using story = await RenderStory.of()
    await story.target.must('deploy', ...story.flags)
    const { code, stderr } = await story.target.run([...command, ...story.flags, ...story.output])
    expect(code, stderr).toBe(0)
    expect(await story.rendered()).toBe('1 2 app:2 db:3 renamed two')
    expect((await story.included()).sort()).toEqual(['git', 'git-group', 'oci', 'oci-group'])
  })
})

/** A project whose objects tell by which flags they were rendered. */
class RenderStory implements AsyncDisposable {
  readonly target: TargetStory
  readonly #folder: string
  readonly #sources: TestProject

  private constructor(target: TargetStory, folder: string, sources: TestProject) {
    this.target = target
    this.#folder = folder
    this.#sources = sources
  }

  static async of(): Promise<RenderStory> {
    const target = await TargetStory.of('render')
    const metadata = `  namespace: ${target.namespace}\n`
    const text =
      '{{ args.first }} {{ args.second }} {{ images.get_image("app") }} {{ images.get_image("db") }} {{ target.name }} {{ args.third }}'
    const source = (folder: string) => ({
      [`${folder}/deployment.yaml`]: 'deployments:\n- path: item\n',
      [`${folder}/item/map.yaml`]: configMap(basename(folder), {}, metadata),
    })
    const sources = await TestProject.of({
      ...source('git'),
      ...source('groups/git-group'),
      ...source('oci'),
      ...source('groups/oci-group'),
    })
    await target.write({
      'other.yaml': `discriminator: ${target.namespace}\ntargets:\n- {name: one, args: {third: one}}\n- {name: two, args: {third: two}}\n`,
      'args.yaml': 'second: 2\n',
      'images.yaml': 'images:\n- {image: db, resultImage: "db:3"}\n',
      'own/map.yaml': configMap('own', { text: `'${text}'` }, metadata),
      'deployment.yaml': `deployments:
- path: own
- git: http://localhost:1/team/git
- git: http://localhost:1/groups/git-group
- oci: {url: "oci://localhost:1/team/oci"}
- oci: {url: "oci://localhost:1/groups/oci-group"}
`,
    })
    return new RenderStory(target, await mkdtemp(join(tmpdir(), 'offshoot-flags-')), sources)
  }

  get flags(): string[] {
    return Object.values(this.parts).flat()
  }

  /** What each of the flags is given. */
  get parts(): Record<string, string[]> {
    const file = (name: string) => join(this.target.project.folder, name)
    const { folder } = this.#sources
    return {
      'project-config': ['-c', file('other.yaml')],
      target: ['-t', 'two'],
      'target-name-override': ['-T', 'renamed'],
      arg: ['-a', 'first=1'],
      'args-from-file': ['--args-from-file', file('args.yaml')],
      'fixed-image': ['-F', 'app=app:2'],
      'fixed-images-file': ['--fixed-images-file', file('images.yaml')],
      'local-git-override': ['--local-git-override', `localhost:1/team/git=${join(folder, 'git')}`],
      'local-git-group-override': ['--local-git-group-override', `localhost:1/groups=${join(folder, 'groups')}`],
      'local-oci-override': ['--local-oci-override', `localhost:1/team/oci=${join(folder, 'oci')}`],
      'local-oci-group-override': ['--local-oci-group-override', `localhost:1/groups=${join(folder, 'groups')}`],
    }
  }

  get output(): string[] {
    return ['--render-output-dir', this.#folder]
  }

  /** The text of the project's own object. */
  async rendered(): Promise<string | undefined> {
    for (const text of await this.#files()) {
      const [, found] = /^ {2}text: (.*)$/m.exec(text) ?? []
      if (found !== undefined && !found.includes('{{')) return found.replaceAll(/['"]/g, '')
    }
    return undefined
  }

  /** Names of the objects that come from elsewhere. */
  async included(): Promise<string[]> {
    const texts = await this.#files()
    const found = texts.flatMap(text =>
      [...text.matchAll(/^ {2}name: ((?:git|oci)\S*)$/gm)].map(([, name]) => name ?? ''),
    )
    return [...new Set(found)]
  }

  async #files(): Promise<string[]> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true })
    const files = entries.filter(entry => entry.isFile())
    return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true })
    await this.#sources[Symbol.asyncDispose]()
    await this.target[Symbol.asyncDispose]()
  }
}

it('without one of the flags it is rendered otherwise, or not at all', async () => {
  await using story = await RenderStory.of()
  const outcome: Record<string, string> = {}
  for (const left of Object.keys(story.parts)) {
    const flags = Object.entries(story.parts).flatMap(([flag, own]) => (flag === left ? [] : own))
    const { code, stderr } = await story.target.run(['diff', ...flags, ...story.output])
    outcome[left] = code === 0 ? ((await story.rendered()) ?? '') : stderr
  }
  expect(outcome).toEqual({
    'project-config': expect.stringContaining('target two not existent'),
    target: expect.stringContaining('a target must be explicitly selected'),
    'target-name-override': '1 2 app:2 db:3 two two',
    arg: expect.stringContaining("no attribute 'first'"),
    'args-from-file': expect.stringContaining("no attribute 'second'"),
    'fixed-image': expect.stringContaining('app'),
    'fixed-images-file': expect.stringContaining('db'),
    'local-git-override': expect.stringContaining('failed to clone git repository http://localhost:1/team/git'),
    'local-git-group-override': expect.stringContaining(
      'failed to clone git repository http://localhost:1/groups/git-group',
    ),
    'local-oci-override': expect.stringContaining('localhost:1/team/oci'),
    'local-oci-group-override': expect.stringContaining('localhost:1/groups/oci-group'),
  })
})
