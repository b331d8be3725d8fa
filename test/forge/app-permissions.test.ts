import { describe, expect, it } from 'vitest'
import { appEvents, appPermissions } from '../../src/forge/github/app-needs.ts'
import { createForges } from '../../src/forge/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
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
