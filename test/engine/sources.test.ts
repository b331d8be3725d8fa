import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { secureJoin } from '../../src/engine/deployment/secure-join.ts'
import { StoredGitAccess } from '../../src/engine/local/git-access.ts'
import { GitStore } from '../../src/git/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { complaint, configMap, objects, TestProject } from './harness/project.ts'

const library = {
  'lib/.kluctl-library.yaml': 'args:\n- name: a\n',
  'lib/deployment.yaml': 'deployments:\n- path: x\n- include: ../other\n',
  'lib/x/x.yaml': configMap('x-{{ args.a }}', { v: '{% include "beside.txt" %}' }),
  'lib/beside.txt': 'beside',
  'other/deployment.yaml': 'deployments:\n- path: item\n',
  'other/item/x.yaml': configMap('second', { v: 'second' }),
}
const override = (folder: string) => ['--local-git-override', `git.example.com/o/r=${folder}`]

describe('Git includes', () => {
  test('have a root of their own, no default tag, and their own search path', async () => {
    await using other = await TestProject.of(library)
    await using project = await TestProject.of({
      'beside.txt': 'not this',
      'deployment.yaml':
        'deployments:\n- git:\n    url: git@git.example.com:o/r.git\n    subDir: lib\n  args: {a: 1}\n- git: https://GIT.example.com/O/r\n  when: "False"\n',
    })
    const found = objects(await project.render(override(other.folder)))
    expect(found.map(({ metadata, data }) => [metadata.name, metadata.annotations, metadata.labels, data])).toEqual([
      ['x-1', { 'kluctl.io/deployment-item-dir': 'lib/x' }, { 'kluctl.io/tag-0': 'x' }, { v: 'beside' }],
      [
        'second',
        { 'kluctl.io/deployment-item-dir': 'other/item' },
        { 'kluctl.io/tag-0': 'other', 'kluctl.io/tag-1': 'item' },
        { v: 'second' },
      ],
    ])
  })

  test('an OCI artifact can be overridden by a folder too', async () => {
    await using other = await TestProject.of(library)
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- oci: {url: "oci://reg.example.com/o/r", subDir: lib}\n  args: {a: 2}\n',
    })
    const found = objects(await project.render(['--local-oci-override', `reg.example.com/o/r=${other.folder}`]))
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['x-2', 'second'])
  })

  test.each([
    ['git: file:///x', 'file:// protocol is not supported'],
    ['git: /x', 'file:// protocol is not supported'],
    ['git: {url: "https://git.example.com/o/r", ref: {}}', 'either branch, tag or commit must be set'],
    ['git: {url: "https://git.example.com/o/r", ref: {tag: a, branch: b}}', 'only one of the ref fields can be set'],
    ['git: {url: "https://git.example.com/o/r", ref: main}', 'deployments[0].git.ref: expected a map, got a string'],
    ['git: {url: "https://git.example.com/o/r", subDir: "a:b"}', "'a:b' is not a valid subdirectory path"],
    ['git: {url: "-x"}', 'is not a repository URL'],
    ['oci: {}', 'deployments[0].oci.url'],
  ])('%s is refused', async (item, message) => {
    await using project = await TestProject.of({ 'deployment.yaml': `deployments:\n- ${item}\n` })
    const outcome = await project.render()
    expect(outcome.code).toBe(1)
    expect(complaint(project, outcome)).toContain(message)
    expect(complaint(project, outcome)).toContain(
      'failed to load deployment config for DIR: failed to load deployment.yml: DIR/deployment.yaml:2',
    )
  })

  test('an override that is no folder, or no override at all, is refused', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- git: https://git.example.com/o/r\n',
    })
    expect((await project.render(override(join(project.folder, 'deployment.yaml')))).stderr).toContain(
      'is not a directory',
    )
    expect((await project.render(['--local-git-override', 'x'])).stderr).toContain('expected host/path=/folder')
  })
})

test('refs of a real repository: branches, tags, commits and the default branch', async () => {
  await using repository = await TestProject.of({ 'f.txt': '1' })
  const first = repository.commit()
  const git = (...args: string[]) => execFileSync('git', ['-C', repository.folder, ...args])
  git('-c', 'user.name=t', '-c', 'user.email=t@example.com', 'tag', '-a', '-m', 'one', 'v1')
  git('checkout', '--quiet', '-b', 'side')
  await repository.write({ 'f.txt': '2' })
  const second = repository.commit()
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-store-'))
  try {
    const store = new GitStore({ folder, clock: systemClock, allowFile: true })
    await using access = new StoredGitAccess({ store, overrides: [], credential: () => Promise.resolve(undefined) })
    const { signal } = new AbortController()
    const at = async (ref?: object) => (await access.checkout(repository.folder, ref, signal)).revision
    expect(await at({ branch: 'side' })).toBe(second)
    expect(await at({ tag: 'v1' })).toBe(first)
    expect(await at({ commit: first })).toBe(first)
    expect(await at()).toBe(second)
    const { refs } = await access.listRefs(repository.folder, signal)
    expect(refs.get('refs/tags/v1')).toBe(first)
    await expect(at({ branch: 'gone' })).rejects.toThrow(`failed to clone git repository ${repository.folder}`)
  } finally {
    await rm(folder, { recursive: true })
  }
})

describe('paths stay inside their source', () => {
  test('links and .. are followed as if the root were the root of all', async () => {
    const root = await mkdtemp(join(tmpdir(), 'offshoot-join-'))
    try {
      await mkdir(join(root, 'a', 'b'), { recursive: true })
      await symlink('/etc', join(root, 'absolute'))
      await symlink('../../../../etc', join(root, 'a', 'climbing'))
      await symlink('../a/b', join(root, 'a', 'inside'))
      await symlink('loop', join(root, 'loop'))
      expect(await secureJoin(root, 'a/../../../x')).toBe(join(root, 'x'))
      expect(await secureJoin(root, '.')).toBe(root)
      expect(await secureJoin(root, 'absolute/passwd')).toBe(join(root, 'etc/passwd'))
      expect(await secureJoin(root, 'a/climbing/passwd')).toBe(join(root, 'etc/passwd'))
      expect(await secureJoin(root, 'a/inside/c')).toBe(join(root, 'a/b/c'))
      await expect(secureJoin(root, 'loop')).rejects.toThrow('too many levels of symbolic links')
    } finally {
      await rm(root, { recursive: true })
    }
  })

  test('an item folder that is a link out of the repository is refused, with a file that is not rendered in it', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'offshoot-outside-'))
    try {
      await writeFile(join(outside, 'secret.yaml'), 'a: 1\n')
      await using project = await TestProject.of({
        'deployment.yaml': 'deployments:\n- path: dir/out\n',
        '.templateignore': '*',
        'dir/out2/x.yaml': configMap('x'),
      })
      await symlink(outside, join(project.folder, 'dir', 'out'))
      await mkdir(join(project.folder, outside), { recursive: true })
      const outcome = await project.render()
      expect(outcome.code).toBe(1)
      expect(outcome.stderr).toContain('is a link out of it')
    } finally {
      await rm(outside, { recursive: true })
    }
  })

  test('an include through a link that leads out finds nothing', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'offshoot-outside-'))
    try {
      await writeFile(join(outside, 'deployment.yaml'), 'deployments: []\n')
      await using project = await TestProject.of({ 'deployment.yaml': 'deployments:\n- include: out\n' })
      await symlink(outside, join(project.folder, 'out'))
      const outcome = await project.render()
      expect(outcome.code).toBe(1)
      expect(outcome.stderr).toContain('does not exist or is not a directory')
    } finally {
      await rm(outside, { recursive: true })
    }
  })
})
