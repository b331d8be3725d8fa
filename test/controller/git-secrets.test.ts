import { describe, expect, it } from 'vitest'
import { type ReviewProject, ReviewProjectSpec } from '../../src/api/index.ts'
import { GitSecrets } from '../../src/controller/git-secrets.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/types.ts'

const minute = 60_000
const start = Date.parse('2026-01-01T00:00:00Z')
const { signal } = new AbortController()

function project(deploy: Record<string, unknown> = { kluctlDeployment: {} }, url = 'https://github.com/Acme/Shop.git') {
  const spec = ReviewProjectSpec.parse({ source: { url, forge: { type: 'github' } }, deploy })
  return {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewProject',
    metadata: { namespace: 'team', name: 'shop', uid: 'uid-1', generation: 1 },
    spec,
  } satisfies ReviewProject
}

type Secret = KubeObject & { data?: Record<string, string> }

/** The cluster, the App and the time, as far as Git credentials go. */
function setup() {
  const stored = new Map<string, Secret>()
  const state = { now: start, made: 0, origin: 'origin' as string | undefined, reads: 0 }
  const kube = {
    async get({ name = '' }: { name?: string }) {
      state.reads++
      return stored.get(name)
    },
    async apply(object: KubeObject) {
      stored.set(object.metadata.name ?? '', { ...(object as Secret), metadata: { ...object.metadata, uid: 'secret' } })
      return object
    },
    async delete({ name = '' }: { name?: string }) {
      stored.delete(name)
    },
  } as unknown as Pick<KubeClient, 'get' | 'apply' | 'delete'>
  const forges = {
    appGitOrigin: async () => state.origin,
    appGitCredential: async () => ({
      credential: { token: `token-${++state.made}`, origin: 'origin' },
      expiresAt: state.now + 60 * minute,
    }),
  }
  const clock = { now: () => state.now, sleep: () => Promise.resolve() }
  const create = () => new GitSecrets(kube, forges, clock)
  const password = () => {
    const value = stored.get('offshoot-git-shop')?.data?.password ?? ''
    return Buffer.from(value, 'base64').toString('utf8')
  }
  const expiry = () =>
    Date.parse(stored.get('offshoot-git-shop')?.metadata.annotations?.['offshoot.dev/expires-at'] ?? '')
  return { stored, state, create, password, expiry }
}

describe('the Git credential of a project with an App', () => {
  it('is a Secret of the project, and tells kluctl the one repository it is for', async () => {
    const { create, stored, password } = setup()
    const kept = await create().ensure(project(), signal)
    const secretRef = { name: 'offshoot-git-shop' }
    // As kluctl compares them: small letters, no .git.
    expect(kept?.entry).toEqual({ host: 'github.com', path: 'acme/shop', secretRef })
    expect(password()).toBe('token-1')
    expect(stored.get('offshoot-git-shop')).toMatchObject({
      type: 'Opaque',
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'offshoot' }, ownerReferences: [{ uid: 'uid-1' }] },
    })
  })

  it('is renewed while it still has half an hour, again and again, and not before', async () => {
    const { create, state, password, expiry } = setup()
    const secrets = create()
    const kept = async () => (await secrets.ensure(project(), signal))?.goodUntil ?? 0
    await kept()
    // Called whenever it says so, as the queue does.
    for (const until = start + 3 * 60 * minute; state.now < until; ) {
      state.now = Math.max(await kept(), state.now + 1_000)
      // Right before it is renewed, kluctl may just have read it.
      expect(expiry() - state.now).toBeGreaterThanOrEqual(29 * minute)
      await kept()
    }
    expect(state.made).toBeGreaterThanOrEqual(6)
    expect(state.made).toBeLessThanOrEqual(8)
    expect(password()).toBe(`token-${state.made}`)
  })

  it('outlives the controller: one that starts anew makes no new one', async () => {
    const { create, state } = setup()
    await create().ensure(project(), signal)
    state.now += 10 * minute
    await create().ensure(project(), signal)
    expect(state.made).toBe(1)
    state.now += 25 * minute
    await create().ensure(project(), signal)
    expect(state.made).toBe(2)
  })

  it('costs nothing while it is good, and is made once for all who ask at the same time', async () => {
    const { create, state } = setup()
    const secrets = create()
    await Promise.all(Array.from({ length: 20 }, () => secrets.ensure(project(), signal)))
    const { reads } = state
    state.now += 5 * minute
    await secrets.ensure(project(), signal)
    expect([state.made, state.reads]).toEqual([1, reads])
  })

  it('is mended when somebody deletes it, and made anew when the App changes', async () => {
    const { create, state, stored, password } = setup()
    const secrets = create()
    await secrets.ensure(project(), signal)
    stored.clear()
    state.now += 11 * minute
    await secrets.ensure(project(), signal)
    expect(password()).toBe('token-2')
    state.origin = 'another'
    state.now += 11 * minute
    await secrets.ensure(project(), signal)
    expect(password()).toBe('token-3')
  })

  it('takes no Secret that is somebody else’s', async () => {
    const { create, stored } = setup()
    const metadata = { namespace: 'team', name: 'offshoot-git-shop' }
    const theirs = { apiVersion: 'v1', kind: 'Secret', metadata, data: { password: 'eA==' } }
    stored.set('offshoot-git-shop', theirs)
    await expect(create().ensure(project(), signal)).rejects.toMatchObject({ reason: 'SecretForeign' })
    await create().release(project(), signal)
    expect(stored.get('offshoot-git-shop')).toBe(theirs)
  })

  it.each<[string, ReviewProject]>([
    [
      'another backend',
      project({ objects: { manifests: [{ apiVersion: 'v1', kind: 'A', metadata: { name: 'a' } }] } }),
    ],
    [
      'a project elsewhere',
      project({ kluctlDeployment: { project: { url: 'https://x.example/a/b', ref: { branch: 'a' } } } }),
    ],
    ['SSH', project({ kluctlDeployment: {} }, 'git@github.com:acme/shop.git')],
  ])('is not made for %s', async (_what, other) => {
    const { create, state } = setup()
    expect(await create().ensure(other, signal)).toBeUndefined()
    expect([state.made, state.reads]).toEqual([0, 0])
  })

  it('is not made without an App, and goes when there is none any more', async () => {
    const { create, state, stored } = setup()
    const secrets = create()
    await secrets.ensure(project(), signal)
    state.origin = undefined
    expect(await create().ensure(project(), signal)).toBeUndefined()
    await secrets.release(project(), signal)
    expect(stored.size).toBe(0)
  })
})
