import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { gitEnvironment } from '../harness/forge/bare-repository.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { FakeRepository } from '../harness/forge/repository.ts'

const run = promisify(execFile)

let forge: FakeForge
let shop: FakeRepository
let folder: string

beforeEach(async () => {
  forge = await startFakeForge()
  shop = await forge.createRepository('acme/shop')
  folder = await mkdtemp(join(tmpdir(), 'offshoot-test-'))
})
afterEach(async () => {
  await forge.close()
  await rm(folder, { recursive: true, force: true })
})

const git = async (...args: string[]) =>
  (
    await run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: folder,
      env: gitEnvironment,
    })
  ).stdout
const api = async (method: string, path: string, body?: unknown) => {
  const headers = { authorization: 'Bearer fake-token' }
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(`${forge.apiUrl}/repos/acme/shop${path}`, { method, headers, ...json })
  return { status: response.status, body: (await response.json()) as Record<string, never> }
}

describe('a person with git and curl', () => {
  test('clones, pushes a branch, opens a pull request, pushes again, merges', async () => {
    await git('clone', '-q', shop.url, 'clone')
    folder = join(folder, 'clone')
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('# acme/shop\n')
    await git('checkout', '-q', '-b', 'feature/x')
    await writeFile(join(folder, 'x.txt'), 'x')
    await git('add', '.')
    await git('commit', '-q', '-m', 'x')
    await git('push', '-q', '-u', 'origin', 'feature/x')
    const opened = await api('POST', '/pulls', { title: 'X', head: 'feature/x', base: 'main' })
    expect(opened.status).toBe(201)
    expect(shop.pull(1).sha).toBe((await git('rev-parse', 'HEAD')).trim())

    await writeFile(join(folder, 'x.txt'), 'y')
    await git('commit', '-q', '-a', '-m', 'y')
    await git('push', '-q')
    expect(shop.pull(1).sha).toBe((await git('rev-parse', 'HEAD')).trim())

    await git('push', '-q', 'origin', 'feature/x:main')
    expect(shop.pull(1)).toMatchObject({ state: 'closed', merged: true })
    await git('push', '-q', 'origin', ':feature/x')
    expect([...shop.branches.keys()]).toEqual(['main'])
    folder = join(folder, '..')
  })
})

describe('stories', () => {
  test('a pull request is opened, pushed to, labelled, closed, reopened and merged; every step is delivered', async () => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      request.resume()
      seen.push(String(request.headers['x-github-event']))
      response.writeHead(202).end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    shop.hook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, 'secret')
    const { number } = await shop.openPullRequest({ labels: ['preview'], files: { 'a.txt': 'a', 'b/c.txt': 'c' } })
    await shop.push('change-1', { 'a.txt': 'b' })
    await shop.unlabel(number, 'preview')
    await shop.close(number)
    await shop.reopen(number)
    await shop.merge(number)
    await forge.deliveries.settled()
    server.close()
    const actions = forge.deliveries.log.filter(({ event }) => event === 'pull_request').map(({ action }) => action)
    expect(actions).toEqual(['opened', 'synchronize', 'unlabeled', 'closed', 'reopened', 'closed'])
    expect(seen.length).toBe(forge.deliveries.log.length)
    expect(forge.deliveries.log.every(({ statuses }) => statuses[0] === 202)).toBe(true)
    expect(shop.pull(number).merged).toBe(true)
  })

  test('files of a pull request, a renamed one with both names', async () => {
    await shop.push('main', { 'old name.txt': 'a long line that stays the same\n'.repeat(20) })
    const { number } = await shop.openPullRequest({
      files: { 'old name.txt': null, 'new.txt': 'a long line that stays the same\n'.repeat(20) },
    })
    expect((await api('GET', `/pulls/${number}/files`)).body).toMatchObject([
      { filename: 'new.txt', previous_filename: 'old name.txt', status: 'renamed' },
    ])
  })

  test('forks have their commits in the repository, and no branch', async () => {
    const pull = await shop.openPullRequest({ fork: true, branch: 'main', author: 'mallory' })
    await shop.pushTo(pull.number, { 'evil.txt': 'x' })
    expect([...shop.branches.keys()]).toEqual(['main'])
    expect((await api('GET', `/contents/evil.txt?ref=${shop.pull(1).sha}`)).body).toMatchObject({ type: 'file' })
    expect((await api('GET', '/pulls/1')).body).toMatchObject({
      head: { repo: { full_name: 'mallory/shop', fork: true } },
    })
    await shop.deleteFork(1)
    expect((await api('GET', '/pulls/1')).body).toMatchObject({ head: { repo: null } })
  })

  test('hundreds of pull requests at once, in pages', async () => {
    await shop.openPullRequests(Array.from({ length: 250 }, () => ({})))
    const response = await fetch(`${forge.apiUrl}/repos/acme/shop/pulls?per_page=100&page=2&direction=asc`)
    expect(((await response.json()) as { number: number }[]).map(pull => pull.number).at(0)).toBe(101)
    expect(response.headers.get('link')).toMatch(/page=3&[^>]*>; rel="next"/)
  })
})
