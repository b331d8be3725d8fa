import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { run } from '../../src/cli/program.ts'
import { recordingIo } from '../harness/installation.ts'
import { createKluctlRepository, kluctlFiles } from '../harness/kluctl-project.ts'

// A repository that is fetched is loaded in a process of its own.
vi.setConfig({ testTimeout: 120_000 })

const folders: string[] = []
afterEach(async () => {
  await Promise.all(folders.splice(0).map(folder => rm(folder, { recursive: true, force: true })))
})

async function checkout(files: Record<string, string | null>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'offshoot-checkout-'))
  folders.push(root)
  for (const [name, content] of Object.entries(files)) {
    if (content === null) continue
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}

const args = { environment: '{{ environment.name }}', namespace: '{{ environment.namespace }}' }

function project(
  kluctlDeployment: Record<string, unknown> = {},
  url = 'https://git.example.com/acme/shop.git',
): string {
  return stringify({
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewProject',
    metadata: { name: 'shop' },
    spec: {
      source: { url, forge: { type: 'git' } },
      changes: { branches: { include: ['**'] } },
      deploy: { kluctlDeployment: { project: { path: 'deploy' }, target: 'preview', args, ...kluctlDeployment } },
    },
  })
}

async function check(text: string, ...flags: string[]) {
  const { io, written } = recordingIo({}, undefined, text)
  return { code: await run(['project', 'check', '-', ...flags], io), ...written }
}

describe('project check with a checkout', () => {
  it('accepts what fits together', async () => {
    const root = await checkout(kluctlFiles())
    expect(await check(project(), '--project-dir', root)).toMatchObject({
      code: 0,
      stdout: 'standard input: ReviewProject shop is valid\n',
      stderr: '',
    })
  })

  it('does the same for backend engine', async () => {
    const root = await checkout(kluctlFiles())
    const text = project().replace('kluctlDeployment:', 'engine:')
    expect(await check(text, '--project-dir', root)).toMatchObject({ code: 0, stderr: '' })
    const { stderr } = await check(text.replace('target: preview', 'target: previw'), '--project-dir', root)
    expect(stderr).toContain('spec.deploy.engine.target: Kluctl project deploy in ')
  })

  it.each<[string, Record<string, unknown>, Record<string, string>, RegExp]>([
    [
      'a target that does not exist',
      { target: 'previw' },
      {},
      /^standard input: spec\.deploy\.kluctlDeployment\.target: Kluctl project deploy in .*: target previw not existent in kluctl project config \(known are preview\)\n/,
    ],
    [
      'arguments without a value',
      { args: {} },
      {},
      /project: Kluctl project deploy in .*: deploy\/\.kluctl\.yaml:3: target preview: required arguments environment, namespace not set/,
    ],
    [
      'an argument that is not declared',
      { args: { ...args, enviroment: 'x' } },
      {},
      /kluctlDeployment\.args\.enviroment: expected an argument that deploy\/\.kluctl\.yaml declares \(environment, namespace, version\)/,
    ],
    [
      'a template that fails',
      {},
      kluctlFiles({ discriminator: '{{ args.nope }}' }) as Record<string, string>,
      /deploy\/\.kluctl\.yaml:3: target preview: .*args\.nope.*UndefinedError/,
    ],
    [
      'a field that does not exist',
      {},
      { 'deploy/.kluctl.yaml': 'discriminatr: x\n' },
      /: deploy\/\.kluctl\.yaml:1:\d+: discriminatr: .*unknown field/,
    ],
    [
      'one discriminator for all',
      {},
      kluctlFiles({ discriminator: 'x-{{ target.name }}' }) as Record<string, string>,
      /project: expected a discriminator that differs per environment, got "x-preview" for two changes/,
    ],
    ['no discriminator', {}, { 'deploy/.kluctl.yaml': 'targets: [{name: preview}]\n' }, /expected a discriminator in/],
    ['no project', { project: { path: 'elsewhere' } }, {}, /there is no elsewhere\/\.kluctl\.yaml/],
    ['a path that leads out', { project: { path: '../..' } }, {}, /there is no .*\.kluctl\.yaml/],
  ])('names %s, with exit code 2', async (_, deploy, files, message) => {
    const root = await checkout({ ...kluctlFiles(), ...files })
    const { code, stderr, stdout } = await check(project(deploy), '--project-dir', root)
    expect(stderr).toMatch(message)
    expect([code, stdout]).toEqual([2, ''])
  })

  it('names a folder that is not there', async () => {
    const { code, stderr } = await check(project(), '--project-dir', '/nowhere/at/all')
    expect(code).toBe(2)
    expect(stderr).toContain('/nowhere/at/all does not exist')
  })
})

describe('project check that fetches', () => {
  it('looks at the default branch, or the ref that the project names', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    expect(await check(project({}, repository.url), '--fetch')).toMatchObject({ code: 0, stderr: '' })
    await repository.push({ 'deploy/.kluctl.yaml': 'targets: [{name: other}]\n' })
    const moved = await check(project({}, repository.url), '--fetch')
    expect(moved.code).toBe(2)
    expect(moved.stderr).toContain('target preview not existent in kluctl project config (known are other)')
    const pinned = { project: { path: 'deploy', url: repository.url, ref: { commit: repository.first } } }
    expect(await check(project(pinned), '--fetch')).toMatchObject({ code: 0, stderr: '' })
  })

  it('says when there is no repository', async () => {
    const { code, stderr } = await check(project({}, 'file:///nowhere/at/all.git'), '--fetch')
    expect(code).toBe(2)
    expect(stderr).toMatch(/spec\.deploy\.kluctlDeployment\.project: the default branch of file:/)
  })

  it('or uses a checkout, not both', async () => {
    const { code, stderr } = await check(project(), '--fetch', '--project-dir', '.')
    expect(code).toBe(2)
    expect(stderr).toContain('cannot be used with option')
  })
})
