import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repositoryState } from '../../../src/engine/result/git-info.ts'
import { parseRemote } from '../../../src/engine/result/repo-key.ts'

const signal = new AbortController().signal

it('tells branch, commit, origin and cleanness of the repository around a project', async () => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'offshoot-git-info-')))
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      encoding: 'utf8',
    })
  const state = (folder = root) => repositoryState({ root, folder }, process.env, signal)
  const empty = { url: null, ref: null, subDir: '', commit: '', dirty: false }
  try {
    expect(await state()).toEqual({ gitInfo: empty, projectKey: { repoKey: '' } })

    git('init', '--quiet', '--initial-branch=main')
    expect((await state()).gitInfo).toEqual(empty)
    await mkdir(join(root, 'deploy'))
    await writeFile(join(root, 'deploy', 'a.yaml'), 'a: 1\n')
    expect((await state()).gitInfo).toEqual({ ...empty, dirty: true })

    git('add', '--all')
    git('commit', '--quiet', '--message=first')
    const commit = git('rev-parse', 'HEAD').trim()
    expect((await state()).gitInfo).toEqual({ ...empty, ref: { branch: 'main' }, commit })

    git('remote', 'add', 'origin', 'https://me:secret@Example.com/Shop/Web.git')
    await writeFile(join(root, 'deploy', 'a.yaml'), 'a: 2\n')
    expect(await state(join(root, 'deploy'))).toEqual({
      gitInfo: {
        url: 'https://example.com/Shop/Web.git',
        ref: { branch: 'main' },
        subDir: 'deploy',
        commit,
        dirty: true,
      },
      projectKey: { repoKey: 'git://example.com/shop/web', subDir: 'deploy' },
    })

    git('checkout', '--quiet', '--force', '--detach')
    expect((await state()).gitInfo).toMatchObject({ ref: null, commit, dirty: false })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})

it.each([
  ['https://example.com', 'https://example.com', 'git://example.com/'],
  ['git@example.com:Shop/Web.git', 'ssh://git@example.com/Shop/Web.git', 'git://example.com/shop/web'],
  ['ssh://git@example.com:22/shop/web', 'ssh://git@example.com:22/shop/web', 'git://example.com/shop/web'],
  ['ssh://git@example.com:2222/web/', 'ssh://git@example.com:2222/web/', 'git://example.com:2222/web'],
  ['https://token@example.com:443/web.git', 'https://example.com/web.git', 'git://example.com/web'],
  ['http://localhost:1234/web', 'http://localhost:1234/web', 'git://localhost:1234/web'],
])('the remote %s', (text, url, key) => expect(parseRemote(text)).toEqual({ url, key }))

it.each(['/srv/git/web', 'file:///srv/git/web', '../web', ''])('the folder %s says nothing', text =>
  expect(parseRemote(text)).toBeUndefined())
