import { describe, expect, it } from 'vitest'
import { changeKey } from '../../src/api/index.ts'
import { appEvents, appPermissions } from '../../src/forge/github/app-needs.ts'
import { actedOn, readGitHubEvent } from '../../src/forge/github/webhook.ts'
import { createForges } from '../../src/forge/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
import { deliveryHeaders } from '../harness/forge/deliveries.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { Grants } from '../harness/forge/permissions.ts'

/** Everything that Offshoot does at a forge, one after the other, as an App with these permissions; gives what failed. */
async function failures(permissions: Grants): Promise<string[]> {
  const forge = await startFakeForge()
  try {
    return await failuresAt(forge, permissions)
  } finally {
    await forge.close()
  }
}

async function failuresAt(forge: FakeForge, permissions: Grants): Promise<string[]> {
  const app = forge.apps.create('offshoot', { permissions, events: [...appEvents] })
  app.install('acme')
  const repository = await forge.createRepository('acme/shop', { private: true, files: { '.offshoot.yaml': 'a: 1\n' } })
  const { number, sha } = await repository.openPullRequest({ branch: 'feature' })
  const git = { listBranches: () => Promise.reject(new Error('no')), readFile: () => Promise.reject(new Error('no')) }
  const forges = createForges({ clock: systemClock, logger: silentLogger, git }, { retries: 0 })
  const credential = { app: { id: String(app.id), privateKey: app.privateKey } }
  const options = { type: 'github', url: repository.url, apiUrl: forge.apiUrl, credential } as const
  const client = forges.get(options)
  const marker = '<!-- marker -->'
  const comment = { pullRequest: number, marker, body: `${marker} Hello` }
  const failed: string[] = []
  const does = async (what: string, work: () => Promise<unknown>) => {
    await work().catch((error: unknown) => failed.push(`${what}: ${String(error)}`))
  }
  await does('list pull requests', () => client.list({ pullRequests: true }))
  await does('list branches', () => client.list({ branches: true }))
  await does('get a pull request', () => client.get({ pullRequest: number }))
  await does('get a branch', () => client.get({ branch: 'feature' }))
  await does('look for a branch that is gone', () => client.get({ branch: 'gone' }))
  await does('changed paths', () => client.changedPaths(number))
  await does('read a file', () => client.readFile(sha, '.offshoot.yaml', 1_000))
  await does('comment', () => client.upsertComment(comment))
  await does('change the comment', () => client.upsertComment({ ...comment, body: `${marker} Bye` }))
  await does('mark the commit', () => client.setCommitStatus(sha, { context: 'x', state: 'success', description: '' }))
  await does('open it for Git', () => forges.gitCredential(options))
  return failed
}

describe('the permissions of the App', () => {
  it('are enough for everything that Offshoot does', async () => {
    expect(await failures({ ...appPermissions })).toEqual([])
  })

  it.each(Object.entries(appPermissions))('are not too many: %s with less than %s fails', async (name, access) => {
    const { [name as keyof typeof appPermissions]: _, ...without } = appPermissions
    const less: Grants = access === 'write' ? { ...without, [name]: 'read' } : without
    expect(await failures(less)).not.toEqual([])
  })
})

/** Changes that deliveries of these events tell of, while one of each kind comes, moves and goes. */
async function heard(events: string[]): Promise<Set<string>> {
  const forge = await startFakeForge()
  try {
    const hook = { url: 'http://127.0.0.1:9/', secret: 's' }
    forge.apps.create('offshoot', { permissions: { ...appPermissions }, events, hook }).install('acme')
    const repository = await forge.createRepository('acme/shop')
    const told = new Set<string>()
    const note = (what: string) => {
      for (const { event, body } of forge.deliveries.log.splice(0)) {
        const found = readGitHubEvent(deliveryHeaders(event, body, 's'), Buffer.from(body))
        if (found.kind === 'change') for (const ref of found.refs) told.add(`${what}: ${changeKey(ref)}`)
      }
    }
    const { number } = await repository.openPullRequest({ branch: 'feature' })
    note('opened')
    await repository.pushTo(number, { 'a.txt': 'a' })
    note('pushed')
    await repository.label(number, 'preview')
    note('labelled')
    await repository.close(number)
    note('closed')
    await repository.push('topic', { 'b.txt': 'b' })
    note('created')
    await repository.push('topic', { 'b.txt': 'c' })
    note('moved')
    await repository.deleteBranch('topic')
    note('deleted')
    return told
  } finally {
    await forge.close()
  }
}

describe('the events of the App', () => {
  const ofPulls = ['opened', 'pushed', 'labelled', 'closed'].map(what => `${what}: pr:1`)
  const ofBranches = ['created', 'moved', 'deleted'].map(what => `${what}: branch:topic`)

  it('tell of everything that any event that Offshoot acts on tells of', async () => {
    const told = await heard([...appEvents])
    expect([...told]).toEqual(expect.arrayContaining([...ofPulls, ...ofBranches]))
    expect(told).toEqual(await heard([...actedOn]))
  })

  it('are not too many', async () => {
    expect([...(await heard(['push']))]).not.toEqual(expect.arrayContaining(ofPulls))
    expect([...(await heard(['pull_request']))]).not.toEqual(expect.arrayContaining(ofBranches))
  })
})
