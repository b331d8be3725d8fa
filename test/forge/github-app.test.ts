import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { appEvents, appPermissions } from '../../src/forge/github/app-needs.ts'
import { createForges, type Forges } from '../../src/forge/index.ts'
import { GitStore } from '../../src/git/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { credentialKey } from '../../src/util/credential.ts'
import { silentLogger } from '../../src/util/log.ts'
import type { FakeApp } from '../harness/forge/apps.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'

const minute = 60_000
let forge: FakeForge
let app: FakeApp
let forges: Forges
/** What the forge's clock shows beyond this machine's; and how wrong Offshoot's is beside it. */
let passed = 0
let skew = 0

beforeEach(async () => {
  passed = 0
  skew = 0
  forge = await startFakeForge({ now: () => Date.now() + passed })
  app = forge.apps.create('offshoot', { permissions: { ...appPermissions }, events: [...appEvents] })
  await forge.createRepository('acme/shop', { private: true })
  await forge.createRepository('acme/bank', { private: true })
  await forge.createRepository('globex/site', { private: true })
  const clock = { ...systemClock, now: () => Date.now() + passed + skew }
  const git = { listBranches: () => Promise.reject(new Error('no')), readFile: () => Promise.reject(new Error('no')) }
  forges = createForges({ clock, logger: silentLogger, git }, { retries: 0 })
})

afterEach(() => forge.close())

const credential = (more = {}) => ({ app: { id: String(app.id), privateKey: app.privateKey, ...more } })
const optionsFor = (fullName: string, more = {}) => ({
  type: 'github' as const,
  url: forge.repo(fullName).url,
  apiUrl: forge.apiUrl,
  credential: credential(more),
})
const open = (fullName: string, more = {}) => forges.get(optionsFor(fullName, more))
const list = (fullName: string) => open(fullName).list({ pullRequests: true })

describe('tokens of an App', () => {
  it('are made once for an installation, and shared by its repositories and by who asks at the same time', async () => {
    app.install('acme')
    await Promise.all(['acme/shop', 'acme/bank', 'acme/shop', 'acme/bank'].map(list))
    await list('acme/shop')
    expect(forge.apps.created).toHaveLength(1)
  })

  it('are those of the installation that the repository belongs to', async () => {
    app.install('acme')
    app.install('globex')
    await Promise.all(['acme/shop', 'globex/site'].map(list))
    expect(forge.apps.created.map(({ account }) => account).sort((a, b) => (a < b ? -1 : 1))).toEqual([
      'acme',
      'globex',
    ])
  })

  it('are replaced before they expire, and not long before', async () => {
    app.install('acme')
    await list('acme/shop')
    passed = 45 * minute
    await list('acme/shop')
    expect(forge.apps.created).toHaveLength(1)
    passed = 52 * minute
    await list('acme/shop')
    expect(forge.apps.created).toHaveLength(2)
    passed = 100 * minute
    await list('acme/shop')
    expect(forge.requests.filter(({ status }) => status === 401)).toEqual([])
  })

  it.each([
    ['behind', -8 * minute],
    ['ahead', 50_000],
  ])('are had by a machine whose clock is %s', async (_name, wrong) => {
    skew = wrong
    app.install('acme')
    await list('acme/shop')
    passed = 7.5 * minute
    app.install('globex')
    await list('globex/site')
    passed = 59 * minute
    await list('acme/shop')
  })

  it('that GitHub no longer takes are replaced at once, and the request goes through', async () => {
    app.install('acme')
    await list('acme/shop')
    forge.apps.revokeTokens()
    expect((await list('acme/shop')).complete).toBe(true)
    expect(forge.apps.created).toHaveLength(2)
  })

  it('follow the App when it was removed and installed anew', async () => {
    app.install('acme')
    await list('acme/shop')
    app.uninstall('acme')
    await expect(list('acme/shop')).rejects.toMatchObject({ kind: 'notFound' })
    app.install('acme')
    expect((await list('acme/shop')).complete).toBe(true)
  })
})

describe('an App that cannot help says why', () => {
  it('not installed, or not on this repository', async () => {
    await expect(list('acme/shop')).rejects.toThrow(`the GitHub App ${app.id} is not installed on acme/shop`)
    app.install('acme', ['acme/bank'])
    await expect(list('acme/shop')).rejects.toMatchObject({ kind: 'notFound' })
    expect((await list('acme/bank')).complete).toBe(true)
  })

  it('suspended', async () => {
    app.install('acme').suspended = true
    await expect(list('acme/shop')).rejects.toThrow(/suspended: http.*\/settings\/installations\//)
  })

  it('an installation of somebody else', async () => {
    const { id } = app.install('globex')
    const failure = open('acme/shop', { installationId: String(id) }).list({ pullRequests: true })
    await expect(failure).rejects.toThrow(`installation ${id} of the GitHub App belongs to globex, not to acme`)
  })

  it('a wrong key, a broken one, one of another kind; and none of it is repeated', async () => {
    app.install('acme')
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const pem = (key: typeof other) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
    for (const privateKey of [pem(other), pem(curve), app.privateKey.slice(0, 400), 'hunter2-hunter2']) {
      const failure = open('acme/shop', { privateKey }).list({ pullRequests: true })
      const error = (await failure.catch((it: unknown) => it)) as Error
      expect(error).toMatchObject({ kind: 'unauthorized' })
      const line = privateKey.split('\n')[1] ?? privateKey
      expect(String(error.stack)).not.toContain(line)
    }
  })

  it('which permissions are missing for what the project wants', async () => {
    const { permissions } = app.install('acme', 'all', { contents: 'read', metadata: 'read', pull_requests: 'read' })
    const uses = { comments: true, statuses: true }
    const missing = ['pull_requests: write (it has read)', 'statuses: write (it has none)']
    expect(await open('acme/shop').lacks(uses)).toEqual(missing)
    expect(await open('acme/shop').lacks({ comments: false, statuses: false })).toEqual([])
    // A grant is seen at the next look, at the latest after half an hour.
    Object.assign(permissions, appPermissions)
    passed = 31 * minute
    expect(await open('acme/shop').lacks(uses)).toEqual([])
  })
})

describe('the Git credential of an App', () => {
  it('opens one repository for reading, and nothing else', async () => {
    app.install('acme')
    const { credential: git, expiresAt } = await forges.gitCredential(optionsFor('acme/shop'))
    expect(forge.apps.created.at(-1)).toMatchObject({ repositories: ['acme/shop'], permissions: { contents: 'read' } })
    expect(expiresAt).toBeGreaterThan(Date.now() + 50 * minute)
    expect(forge.apps.opens(git?.token ?? '', 'acme/shop')).toBe(true)
    expect(forge.apps.opens(git?.token ?? '', 'acme/bank')).toBe(false)
    const headers = { authorization: `token ${git?.token}` }
    expect((await fetch(`${forge.apiUrl}/repos/acme/shop/pulls`, { headers })).status).toBe(403)
  })

  it('stays the same to the store, token after token: nothing is fetched twice', async () => {
    app.install('acme')
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-git-app-'))
    try {
      const store = new GitStore({ folder, clock: systemClock })
      const repository = forge.repo('acme/shop')
      const sha = repository.branches.get('main') ?? ''
      const tokens = new Set<string>()
      const keys = new Set<string>()
      for (const time of [0, 51, 110]) {
        passed = time * minute
        const { credential: git } = await forges.gitCredential(optionsFor('acme/shop'))
        tokens.add(git?.token ?? '')
        keys.add(credentialKey(git))
        const remote = { url: repository.url, ...(git ? { credential: git } : {}) }
        expect(await store.readFile(remote, sha, 'README.md', 1_000)).toContain('acme/shop')
      }
      expect([tokens.size, keys.size]).toEqual([3, 1])
      expect(await readdir(join(folder, 'repositories'))).toHaveLength(1)
      // Another repository, and another App, are not opened by it.
      const other = await forges.gitCredential(optionsFor('acme/bank'))
      expect(keys.has(credentialKey(other.credential))).toBe(false)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
