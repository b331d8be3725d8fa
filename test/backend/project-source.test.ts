import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { gitCredentialFor } from '../../src/backend/git-credential.ts'
import { ProjectError } from '../../src/backend/project-error.ts'
import { type PinnedProject, ProjectSources, type TargetRequest } from '../../src/backend/project-source.ts'
import { GitStore } from '../../src/git/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { TerminalError } from '../../src/util/errors.ts'
import { localRepository } from '../git/harness.ts'
import { createKluctlRepository, kluctlFiles } from '../harness/kluctl-project.ts'

// Loads start processes, which take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const cleanups: (() => Promise<unknown>)[] = []
const never = new AbortController().signal
const args = { environment: 'one', namespace: 'one' }

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function start(options: { loadDeadline?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-sources-'))
  const git = new GitStore({ folder, clock: systemClock, allowFile: true })
  const sources = new ProjectSources({ git, clock: systemClock, ...options })
  cleanups.push(
    () => rm(folder, { recursive: true, force: true }),
    () => sources.close(),
  )
  return { sources, git, folder }
}

function load(
  sources: ProjectSources,
  project: PinnedProject,
  request: Partial<TargetRequest> = {},
  patience = 60_000,
) {
  return sources.loadTarget(project, { target: 'preview', args, ...request }, { patience, signal: never })
}

test('loads a target at a commit, once for each question, and leaves no file', async () => {
  const { sources, git, folder } = await start()
  const repository = await createKluctlRepository(kluctlFiles())
  const checkout = vi.spyOn(git, 'checkout')
  const location = { url: repository.url, path: '/deploy/', ref: { commit: repository.first } }
  const project = await sources.pin(location, undefined, never)
  const loads = await Promise.all([1, 2, 3].map(() => load(sources, project)))
  expect(loads).toEqual(Array.from({ length: 3 }, () => expect.objectContaining({ discriminator: 'preview-one' })))
  expect(checkout).toHaveBeenCalledTimes(1)
  const other = await load(sources, project, { args: { ...args, environment: 'two' } })
  expect(other).toMatchObject({ discriminator: 'preview-two', file: 'deploy/.kluctl.yaml' })
  expect(await readdir(join(folder, 'checkouts'))).toEqual([])
})

test('pins a branch, a tag and the default branch to commits', async () => {
  const { sources } = await start()
  const repository = await createKluctlRepository(kluctlFiles())
  const { url } = repository
  await repository.pushElsewhere('refs/tags/v1', { 'a.txt': 'tagged' })
  for (const ref of [{ branch: 'main' }, {}]) {
    expect(await sources.pin({ url, path: '', ref }, undefined, never)).toMatchObject({ commit: repository.first })
  }
  const tagged = await sources.pin({ url, path: '', ref: { tag: 'v1' } }, undefined, never)
  expect(tagged.commit).toMatch(/^[0-9a-f]{40}$/)
  expect(tagged.commit).not.toBe(repository.first)
  await expect(sources.pin({ url, path: '', ref: { branch: 'v1' } }, undefined, never)).rejects.toMatchObject({
    reason: 'ProjectNotFound',
    message: expect.stringContaining('refs/heads/v1 of file://'),
  })
})

test('checks out the whole commit for whoever renders it, until it is disposed of', async () => {
  const { sources, folder } = await start()
  const repository = await createKluctlRepository(kluctlFiles())
  const project = await sources.pin({ url: repository.url, path: 'deploy', ref: {} }, undefined, never)
  {
    await using files = await sources.checkout(project, never)
    expect(files).toMatchObject({ project: 'deploy', commit: repository.first })
    expect(await readFile(join(files.root, files.project, 'app/config.yaml'), 'utf8')).toContain('ConfigMap')
  }
  expect(await readdir(join(folder, 'checkouts'))).toEqual([])
})

test('a project that cannot be loaded is a terminal error with file, line and expectation', async () => {
  const { sources } = await start()
  const repository = await createKluctlRepository({ 'deploy/.kluctl.yaml': 'targets:\n  - nam: preview\n' })
  const project = await sources.pin({ url: repository.url, path: 'deploy', ref: {} }, undefined, never)
  const refused = await load(sources, project).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(TerminalError)
  expect(refused).toMatchObject({
    reason: 'ProjectInvalid',
    message: expect.stringMatching(
      /^Kluctl project deploy of file:.* at [0-9a-f]{12}: deploy\/\.kluctl\.yaml:2:\d+: targets\[0\]\.nam: /,
    ),
  })
  for (const path of ['elsewhere', '../../..', '']) {
    const nowhere = await sources.pin({ url: repository.url, path, ref: {} }, undefined, never)
    await expect(load(sources, nowhere)).rejects.toMatchObject({ reason: 'TargetMissing' })
  }
  const fine = await createKluctlRepository(kluctlFiles())
  const other = await sources.pin({ url: fine.url, path: 'deploy', ref: {} }, undefined, never)
  const asked = { target: 'token=hunter22' }
  await expect(load(sources, other, asked)).rejects.toMatchObject({
    reason: 'TargetMissing',
    message: expect.stringMatching(/^(?!.*hunter22).*not existent in kluctl project config \(known are preview\)/s),
  })
})

test('a server that is away may come back: nothing is remembered of it', async () => {
  const { sources } = await start()
  const repository = await createKluctlRepository(kluctlFiles())
  const location = { url: repository.url, path: 'deploy', ref: { commit: repository.first } }
  const project = await sources.pin(location, undefined, never)
  await repository.available(false)
  const failed = await load(sources, project).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(ProjectError)
  expect(failed).toMatchObject({ reason: 'ProjectUnavailable', transient: true })
  await repository.available(true)
  expect(await load(sources, project)).toMatchObject({ discriminator: 'preview-one' })
  const missing = await sources.pin({ ...location, ref: { commit: 'f'.repeat(40) } }, undefined, never)
  await expect(load(sources, missing)).rejects.toMatchObject({ reason: 'ProjectNotFound' })
})

test('links inside the repository are followed, those that lead out are refused', async () => {
  const { sources, folder } = await start()
  const repository = await localRepository(folder, async (path, git) => {
    await mkdir(join(path, 'shared'))
    await writeFile(join(path, 'shared/project.yaml'), 'targets: [{name: preview}]\ndiscriminator: linked\n')
    await symlink('shared', join(path, 'deploy'))
    await symlink('project.yaml', join(path, 'shared/.kluctl.yaml'))
    await git('add', '.')
    await git('commit', '-qm', 'inside')
    await git('branch', 'inside')
    await rm(join(path, 'shared/.kluctl.yaml'))
    await symlink('/etc/passwd', join(path, 'shared/.kluctl.yaml'))
    await git('add', '.')
    await git('commit', '-qm', 'outside')
  })
  const at = (branch: string) =>
    sources.pin({ url: repository.path, path: 'deploy', ref: { branch } }, undefined, never)
  expect(await load(sources, await at('inside'))).toMatchObject({ discriminator: 'linked' })
  await expect(load(sources, await at('main'))).rejects.toMatchObject({
    reason: 'ProjectRefused',
    message: expect.stringContaining('the link shared/.kluctl.yaml leads out of the repository'),
  })
})

test('a large file is not read', async () => {
  const { sources } = await start()
  const large = await createKluctlRepository({ 'deploy/.kluctl.yaml': `# ${'x'.repeat(2 * 1024 * 1024)}\n` })
  const project = await sources.pin({ url: large.url, path: 'deploy', ref: {} }, undefined, never)
  await expect(load(sources, project)).rejects.toMatchObject({
    reason: 'ProjectInvalid',
    message: expect.stringContaining('deploy/.kluctl.yaml is larger than 1048576 bytes'),
  })
})

test('who asks for a target that takes long is not held up, and neither is anybody else', async () => {
  const { sources } = await start({ loadDeadline: 8_000 })
  const loop = '{% for a in range(99999999) %}{% for b in range(99999999) %}{% endfor %}{% endfor %}'
  const endless = await createKluctlRepository(kluctlFiles({ discriminator: loop }))
  const slow = await sources.pin({ url: endless.url, path: 'deploy', ref: {} }, undefined, never)
  const attack = (environment: string) => load(sources, slow, { args: { ...args, environment } }, 1)
  expect(await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(attack))).toEqual(Array.from({ length: 6 }))
  const fine = await createKluctlRepository(kluctlFiles())
  const other = await sources.pin({ url: fine.url, path: 'deploy', ref: {} }, undefined, never)
  expect(await load(sources, other)).toMatchObject({ discriminator: 'preview-one' })
  await expect(load(sources, slow, { args: { ...args, environment: 'a' } })).rejects.toMatchObject({
    reason: 'ProjectInvalid',
    message: expect.stringMatching(/did not end within 8 s|BudgetError/),
  })
})

test('the forge’s credential opens its own repository and no other', async () => {
  const own = { token: 'forge' }
  const credentials = {
    own: () => Promise.resolve(own),
    secret: (name: string) => Promise.resolve({ password: name }),
  }
  const entries = [
    { host: '*', secretRef: { name: 'any' } },
    { host: 'git.example.com', path: 'acme/*', secretRef: { name: 'acme' } },
    { host: 'git.example.com', secretRef: { name: 'host' } },
  ]
  const of = (url: string, ownRepository = false, list = entries) =>
    gitCredentialFor(credentials, { url, ownRepository }, list)
  expect(await of('https://git.example.com/acme/shop.git', true)).toEqual(own)
  expect(await of('https://git.example.com/acme/shop.git')).toEqual({ password: 'acme' })
  expect(await of('https://git.example.com/other/shop')).toEqual({ password: 'host' })
  expect(await of('https://evil.example.com/acme/shop')).toBeUndefined()
  expect(await of('git@evil.example.com:acme/shop')).toEqual({ password: 'any' })
  const broken = [{ host: 'git.example.com', path: '[', secretRef: { name: 'x' } }]
  await expect(of('https://git.example.com/a/b', false, broken)).rejects.toBeInstanceOf(TerminalError)
})
