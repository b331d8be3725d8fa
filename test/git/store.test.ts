import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { lstat, mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GitStore } from '../../src/git/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { gitEnvironment } from '../harness/forge/bare-repository.ts'

import { type GitScene, gitScene, kindOf, localRepository } from './harness.ts'

let at: GitScene
beforeEach(async () => {
  at = await gitScene()
})
afterEach(() => at[Symbol.asyncDispose]())

describe('reading', () => {
  test('branches, refs and files', async () => {
    const sha = await at.shop.push('feature/ä', { 'b.txt': 'é' })
    expect(await at.store.listBranches(at.remote)).toEqual({
      branches: new Map([
        ['feature/ä', sha],
        ['main', at.main()],
      ]),
      defaultBranch: 'main',
    })
    expect(await at.store.resolveRef(at.remote, 'feature/ä')).toBe(sha)
    expect(await at.store.resolveRef(at.remote, 'refs/heads/main')).toBe(at.main())
    expect(await kindOf(at.store.resolveRef(at.remote, 'missing'))).toBe('notFound')
    expect(await at.store.readFile(at.remote, sha, 'b.txt', 100)).toBe('é')
    expect(await at.store.readFile(at.remote, sha, 'missing', 100)).toBeUndefined()
    expect(await kindOf(at.store.readFile(at.remote, sha, 'a.txt', 3))).toBe('tooLarge')
    expect(await kindOf(at.store.readFile(at.remote, sha, 'deploy', 100))).toBe('invalid')
  })

  test("a fork's commit, which no branch holds", async () => {
    const { sha } = await at.shop.openPullRequest({ fork: true, files: { 'fork.txt': 'fork' } })
    expect(await at.store.readFile(at.remote, sha, 'fork.txt', 100)).toBe('fork')
  })

  test('an annotated tag is its commit', async () => {
    const local = await localRepository(at.folder, async (_, git) => {
      await git('commit', '-q', '--allow-empty', '-m', 'x')
      await git('tag', '-a', 'v1', '-m', 'v1')
    })
    expect(await at.store.resolveRef(local.remote, 'v1')).toBe(local.sha)
    expect(await at.store.resolveRef(local.remote, 'refs/tags/v1')).toBe(local.sha)
  })

  test('a commit is fetched once', async () => {
    await at.store.readFile(at.remote, at.main(), 'a.txt', 100)
    await at.host.close()
    expect(await at.store.readFile(at.remote, at.main(), 'deploy/x.yaml', 100)).toBe('x: 1\n')
    expect(await kindOf(at.store.listBranches(at.remote))).toBe('unavailable')
  })

  test('a server that gives whole histories only', async () => {
    const local = await localRepository(at.folder, async (_, git) => {
      await git('commit', '-q', '--allow-empty', '-m', 'x')
      await git('update-server-info')
    })
    // Files of a repository as they lie there: git's "dumb" protocol, which knows no parts of a history.
    const dumb = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost')
      readFile(join(local.path, pathname.replace('/shop', '.git'))).then(
        content => response.end(content),
        () => response.writeHead(404).end(),
      )
    })
    await new Promise<void>(resolve => dumb.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(dumb.address() as AddressInfo).port}`
      expect(await at.store.readFile({ url: `${url}/shop` }, local.sha, 'missing', 100)).toBeUndefined()
    } finally {
      dumb.close()
    }
  })

  test('a commit that nobody has is not found', async () => {
    expect(await kindOf(at.store.readFile(at.remote, 'a'.repeat(40), 'a.txt', 100))).toBe('notFound')
  })

  test('an empty repository has no branches', async () => {
    const path = await mkdtemp(join(at.folder, 'empty-'))
    await promisify(execFile)('git', ['init', '-q', '--bare', path], { env: gitEnvironment })
    expect((await at.store.listBranches({ url: path })).branches.size).toBe(0)
  })

  test('what is aborted ends with its reason', async () => {
    const reason = new Error('shutting down')
    await expect(at.store.listBranches(at.remote, AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})

describe('a checkout', () => {
  test('holds the files as they are, and goes when it is done', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`many/${index}/f.txt`, `${index}\n`.repeat(index)]),
    )
    const sha = await at.shop.push('main', {
      ...files,
      'large.bin': 'x'.repeat(3_000_000),
      'name with "quotes".txt': '',
      'ü.txt': 'ü',
    })
    let path: string
    {
      await using checkout = await at.store.checkout(at.remote, sha)
      path = checkout.folder
      expect((await readdir(path)).toSorted()).toEqual([
        'a.txt',
        'deploy',
        'large.bin',
        'many',
        'name with "quotes".txt',
        'ü.txt',
      ])
      expect(await readFile(join(path, 'many/499/f.txt'), 'utf8')).toBe('499\n'.repeat(499))
      expect((await lstat(join(path, 'large.bin'))).size).toBe(3_000_000)
    }
    await expect(readdir(path)).rejects.toThrow('ENOENT')
  })

  test.each([
    { files: 1, bytes: 1000 },
    { files: 100, bytes: 5 },
  ])('is bounded: %j', async checkout => {
    const small = new GitStore({ folder: join(at.folder, 'small'), clock: systemClock, checkout })
    expect(await kindOf(small.checkout(at.remote, at.main()))).toBe('tooLarge')
  })
})

describe('the store', () => {
  test('is shared by processes that want the same at once', async () => {
    const shas = [at.main()]
    for (let index = 0; index < 5; index++) shas.push(await at.shop.push('main', { 'a.txt': `${index}` }))
    const workers = Array.from({ length: 4 }, () =>
      fork(join(import.meta.dirname, 'read-worker.ts'), [join(at.folder, 'shared'), at.shop.url, ...shas], {
        execArgv: [],
      }),
    )
    const codes = await Promise.all(workers.map(async worker => (await once(worker, 'exit'))[0]))
    expect(codes).toEqual([0, 0, 0, 0])
  })

  test('goes on after a process that was killed in the middle of a fetch', async () => {
    await at.store.readFile(at.remote, at.main(), 'a.txt', 100)
    const [name] = await readdir(join(at.folder, 'store/repositories'))
    const gitDir = join(at.folder, 'store/repositories', name ?? '')
    const sha = await at.shop.push('main', { 'a.txt': 'two' })
    const old = new Date(Date.now() - 60_000)
    for (const lock of [`${gitDir}.lock`, join(gitDir, 'shallow.lock'), join(gitDir, 'refs/offshoot', `${sha}.lock`)]) {
      await writeFile(lock, '')
      await utimes(lock, old, old)
    }
    expect(await at.store.readFile(at.remote, sha, 'a.txt', 100)).toBe('two')
  })

  test('keeps a number of repositories and commits', async () => {
    const tight = new GitStore({
      folder: join(at.folder, 'tight'),
      clock: systemClock,
      maxRepositories: 1,
      maxCommits: 1,
    })
    for (let index = 0; index < 4; index++) {
      const sha = await at.shop.push('main', { 'a.txt': `${index}` })
      expect(await tight.readFile(at.remote, sha, 'a.txt', 100)).toBe(`${index}`)
    }
    const other = await at.host.createRepository('acme/other')
    await tight.readFile({ url: other.url }, other.branches.get('main') ?? '', 'README.md', 100)
    expect(await readdir(join(at.folder, 'tight/repositories'))).toHaveLength(1)
  })
})
