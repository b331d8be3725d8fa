import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GitStore } from '../../src/git/index.ts'
import { systemClock } from '../../src/util/clock.ts'

import { type GitScene, gitScene, kindOf, localRepository } from './harness.ts'

let at: GitScene
beforeEach(async () => {
  at = await gitScene()
})
afterEach(() => at[Symbol.asyncDispose]())

describe('attacks', () => {
  test.each([
    '--upload-pack=touch pwned',
    '-oProxyCommand=touch pwned',
    'ext::sh -c touch% pwned',
    'fd::17',
    'git://127.0.0.1/acme/shop',
    'ssh://-oProxyCommand=touch/x',
    'ssh://git@host/x',
    'git@host:x',
    'http://example.com\n/x',
    'https://host/x\u0000y',
    'file:///etc',
    '/etc',
    '../x',
    '',
  ])('the remote %j is refused before git sees it', async url => {
    const strict = new GitStore({ folder: join(at.folder, 'strict'), clock: systemClock })
    expect(await kindOf(strict.listBranches({ url }))).toBe('invalid')
    expect(await kindOf(strict.resolveRef({ url }, 'main'))).toBe('invalid')
    expect(await kindOf(strict.readFile({ url }, 'a'.repeat(40), 'x', 10))).toBe('invalid')
    expect(await kindOf(strict.checkout({ url }, 'a'.repeat(40)))).toBe('invalid')
  })

  test('a credential does not go out over plain http', async () => {
    expect(await kindOf(at.store.listBranches({ url: 'http://git.example.com/x', credential: { token: 't' } }))).toBe(
      'invalid',
    )
    expect(await kindOf(at.store.listBranches({ url: 'http://me:pw@git.example.com/x' }))).toBe('invalid')
  })

  test.each([
    'HEAD',
    '--all',
    'main',
    'a'.repeat(39),
    `${'a'.repeat(40)}^{tree}`,
    '-x',
    '',
  ])('the commit %j is refused', async sha => {
    expect(await kindOf(at.store.readFile(at.remote, sha, 'a.txt', 10))).toBe('invalid')
  })

  test.each([
    '../x',
    '/etc/passwd',
    'a/../b',
    '.git/config',
    'x/.GIT/config',
    'a\nb',
    '',
    'a//b',
  ])('the path %j is refused', async path => {
    expect(await kindOf(at.store.readFile(at.remote, at.main(), path, 10))).toBe('invalid')
  })

  test.each([
    '-x',
    '--all',
    'a b',
    'a..b^{}',
    'refs/heads/*',
    'x:y',
    'a\nb',
    '',
  ])('the ref %j is refused, or not there', async ref => {
    expect(await kindOf(at.store.resolveRef(at.remote, ref))).toMatch(/invalid|notFound/)
  })

  test('paths are literal: no magic, no globs', async () => {
    expect(await at.store.readFile(at.remote, at.main(), ':(glob)**', 100)).toBeUndefined()
    expect(await at.store.readFile(at.remote, at.main(), '*.txt', 100)).toBeUndefined()
  })

  test.each([
    ['/etc/passwd', 'x'],
    ['../outside', 'x'],
    ['..', 'x'],
    ['../../outside', 'deep/x'],
    ['deep/../../outside', 'x'],
    ['deep/..', 'x'],
  ])('a link to %s is not written', async (target, name) => {
    const evil = await localRepository(at.folder, async (path, git) => {
      await mkdir(join(path, 'deep'))
      await writeFile(join(path, 'deep/file'), 'x')
      await symlink(target, join(path, name))
      await git('add', '.')
      await git('commit', '-q', '-m', 'x')
    })
    expect(await kindOf(at.store.checkout(evil.remote, evil.sha))).toBe('invalid')
    expect(await kindOf(at.store.readFile(evil.remote, evil.sha, name, 100))).toBe('invalid')
    expect(await readdir(join(at.folder, 'store/checkouts'))).toEqual([])
  })

  test('links that stay inside are kept as links', async () => {
    const good = await localRepository(at.folder, async (path, git) => {
      await mkdir(join(path, 'deep'))
      await writeFile(join(path, 'deep/file'), 'x')
      await symlink('../deep/file', join(path, 'deep/link'))
      await symlink('deep', join(path, 'folder'))
      await git('add', '.')
      await git('commit', '-q', '-m', 'x')
    })
    await using checkout = await at.store.checkout(good.remote, good.sha)
    expect(await readFile(join(checkout.folder, 'folder/link'), 'utf8')).toBe('x')
    expect((await lstat(join(checkout.folder, 'deep/link'))).isSymbolicLink()).toBe(true)
  })

  test("neither the repository's attributes nor hooks nor this machine's configuration run anything", async () => {
    const marker = join(at.folder, 'ran')
    const evil = await localRepository(at.folder, async (path, git) => {
      await writeFile(join(path, '.gitattributes'), '* filter=evil export-subst\n*.secret export-ignore\n')
      await writeFile(join(path, 'x.secret'), '$Format:%H$')
      await git('add', '.')
      await git('commit', '-q', '-m', 'x')
      await git('config', 'filter.evil.smudge', `touch ${marker}`)
    })
    const home = join(at.folder, 'home')
    await mkdir(home)
    await writeFile(
      join(home, '.gitconfig'),
      `[url "/nowhere/"]\n\tinsteadOf = ${evil.path}\n[core]\n\tsshCommand = touch ${marker}\n`,
    )
    const before = process.env.HOME
    process.env.HOME = home
    try {
      await using checkout = await at.store.checkout(evil.remote, evil.sha)
      expect(await readFile(join(checkout.folder, 'x.secret'), 'utf8')).toBe('$Format:%H$')
    } finally {
      process.env.HOME = before
    }
    expect(await readdir(at.folder)).not.toContain('ran')
  })

  test('the credential is in no argument, no error and no file of the store', async () => {
    // A `git` that writes down its arguments, before the real one.
    const bin = join(at.folder, 'bin')
    await mkdir(bin)
    const real = (await promisify(execFile)('which', ['git'])).stdout.trim()
    await writeFile(join(bin, 'git'), `#!/bin/sh\necho "$@" >> ${bin}/log\nexec ${real} "$@"\n`, { mode: 0o755 })
    const path = process.env.PATH
    process.env.PATH = `${bin}:${path}`
    const hidden = await at.host.createRepository('acme/hidden', { private: true, files: { 'a.txt': 'hidden' } })
    const sha = hidden.branches.get('main') ?? ''
    at.host.accounts.set('s3cr3t', 'bot')
    try {
      for (const remote of [
        { url: hidden.url, credential: { token: 's3cr3t' } },
        { url: hidden.url, credential: { username: 'bot', password: 's3cr3t' } },
        { url: hidden.url.replace('//', '//bot:s3cr3t@') },
      ]) {
        expect(await at.store.readFile(remote, sha, 'a.txt', 100)).toBe('hidden')
        const error: unknown = await at.store.readFile(remote, 'a'.repeat(40), 'a.txt', 100).catch(it => it)
        expect(inspect(error, { depth: 10 })).not.toContain('s3cr3t')
      }
    } finally {
      process.env.PATH = path
    }
    expect(await readFile(join(bin, 'log'), 'utf8')).toContain('fetch')
    const found = await promisify(execFile)('grep', ['-rl', 's3cr3t', join(at.folder, 'store'), bin]).catch(it => it)
    expect(found.stdout).toBe('')
  })

  test('what one credential fetched, another does not read', async () => {
    const { url, branches } = await at.host.createRepository('acme/hidden', {
      private: true,
      files: { 'a.txt': 'hidden' },
    })
    const sha = branches.get('main') ?? ''
    expect(await at.store.readFile({ url, credential: { token: 'fake-token' } }, sha, 'a.txt', 100)).toBe('hidden')
    expect(await kindOf(at.store.readFile({ url }, sha, 'a.txt', 100))).toBe('unauthorized')
    expect(await kindOf(at.store.readFile({ url, credential: { token: 'x' } }, sha, 'a.txt', 100))).toBe('unauthorized')
    expect(await kindOf(at.store.listBranches({ url, credential: { token: 'x' } }))).toBe('unauthorized')
  })

  test('a redirect is not followed: the credential stays here', async () => {
    const elsewhere = createServer((request, response) => {
      response.writeHead(302, { location: at.host.origin + (request.url ?? '') }).end()
    })
    await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
    try {
      expect(await kindOf(at.store.listBranches({ url: `${url}/acme/shop.git`, credential: { token: 't' } }))).toBe(
        'unavailable',
      )
    } finally {
      elsewhere.close()
    }
  })

  test('a server that never answers is left at the deadline, and when aborted', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/acme/shop.git`
    try {
      const store = new GitStore({ folder: join(at.folder, 'quick'), clock: systemClock, fetchDeadline: 300 })
      expect(await kindOf(store.readFile({ url }, 'a'.repeat(40), 'x', 10))).toBe('unavailable')
      const controller = new AbortController()
      const asked = once(silent, 'request')
      const work = at.store.listBranches({ url }, controller.signal)
      const [request] = (await asked) as [IncomingMessage]
      const ended = once(request.socket, 'close')
      const reason = new Error('shutting down')
      controller.abort(reason)
      await expect(work).rejects.toBe(reason)
      // Git and its helpers are gone, not only forgotten.
      await ended
    } finally {
      silent.closeAllConnections()
      silent.close()
    }
  })

  test('a fetch that brings too much is undone', async () => {
    const noise = randomBytes(200_000).toString('base64')
    const sha = await at.shop.push('large', { 'large.txt': noise })
    const store = new GitStore({ folder: join(at.folder, 'small'), clock: systemClock, maxFetchBytes: 100_000 })
    expect(await kindOf(store.readFile(at.remote, sha, 'a.txt', 100))).toBe('tooLarge')
    expect(await readdir(join(at.folder, 'small/repositories'))).toEqual([])
    expect(await store.readFile(at.remote, at.main(), 'a.txt', 100)).toBe('one\n')
  })
})
