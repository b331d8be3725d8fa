import { describe, expect, test } from 'vitest'
import type { ReviewEnvironment, ReviewEnvironmentStatus, ReviewProject } from '../../src/api/index.ts'
import { isAhead, withStatusAhead } from '../../src/controller/ahead.ts'
import { carryOut } from '../../src/controller/carry-out.ts'
import type { ControllerContext } from '../../src/controller/context.ts'
import { StatusDraft } from '../../src/controller/status-draft.ts'
import { createStores } from '../../src/controller/stores.ts'
import type { Decision } from '../../src/environment/decide.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { Gate } from '../../src/util/gate.ts'
import { silentLogger } from '../../src/util/log.ts'
import { environmentWith } from '../feedback/builders.ts'
import { FakeClock } from './fake-clock.ts'

const sha = (letter: string) => letter.repeat(40)
const facts = (letter: string) => ({ pullRequest: 7, number: 7, sha: sha(letter), title: letter })

function created(): ReviewEnvironment {
  const { status: _, ...environment } = environmentWith({})
  return { ...environment, metadata: { ...environment.metadata, resourceVersion: '10' } } as ReviewEnvironment
}

function statusOf(letter: string): ReviewEnvironmentStatus {
  return { change: facts(letter), admission: { admitted: true } } as unknown as ReviewEnvironmentStatus
}

/** RFC 7386, without removal. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch ?? target
  const before = (target ?? {}) as Record<string, unknown>
  return {
    ...before,
    ...Object.fromEntries(Object.entries(patch).map(([key, value]) => [key, merged(before[key], value)])),
  }
}

interface Patch {
  metadata?: { resourceVersion?: string }
  spec?: Record<string, unknown>
  status?: Record<string, unknown>
}

/** A controller's view of one environment, and the API server's. */
function world(live: ReviewEnvironment) {
  const server = { live, patches: [] as Patch[] }
  const kube = {
    get: () => Promise.resolve(server.live),
    patch: (_key: unknown, patch: Patch) => {
      server.patches.push(patch)
      const { resourceVersion } = server.live.metadata
      if (patch.metadata?.resourceVersion !== undefined && patch.metadata.resourceVersion !== resourceVersion) {
        return Promise.reject(new KubeError(409, 'Conflict', 'changed'))
      }
      const status = merged(server.live.status, patch.status) as ReviewEnvironmentStatus
      const metadata = { ...server.live.metadata, resourceVersion: `${Number(resourceVersion) + 1}` }
      server.live = { ...server.live, spec: { ...server.live.spec, ...patch.spec }, metadata, status }
      return Promise.resolve(server.live)
    },
  }
  const clock = new FakeClock()
  const stores = createStores(kube as never, { namespaces: [], clock, log: silentLogger, random: () => 0 })
  return { server, stores, context: { kube, stores, clock } as unknown as ControllerContext }
}

const storedIn = ({ stores }: ReturnType<typeof world>) => {
  const [first] = stores.environments.list()
  return first as ReviewEnvironment
}

test('facts that are not written yet are seen at once, even when the watch was faster than the answer', () => {
  const environment = created()
  const { stores } = world(environment)
  stores.environments.assume(environment)
  stores.environments.assume(withStatusAhead(environment, statusOf('a')), { ahead: true })
  expect(stores.environments.list()[0]?.status?.change?.sha).toBe(sha('a'))
  const project = `${environment.metadata.namespace}/${environment.spec.projectRef.name}`
  expect([stores.environments.count('alive', project), stores.environments.count('queued', project)]).toEqual([1, 0])
  // The watch tells of the same version again: old news.
  stores.environments.assume(environment)
  expect(stores.environments.list()[0]?.status?.change?.sha).toBe(sha('a'))
})

test('the first write holds them all, whatever else it writes', async () => {
  const environment = created()
  const all = world(environment)
  all.stores.environments.assume(withStatusAhead(environment, statusOf('a')), { ahead: true })
  const draft = new StatusDraft(all.context, storedIn(all))
  await draft.record({ namespace: 'shop-pr-7' })
  expect(all.server.patches).toHaveLength(1)
  expect(all.server.live.status).toMatchObject({ ...statusOf('a'), namespace: 'shop-pr-7' })
  expect(isAhead(storedIn(all))).toBe(false)
  await draft.save()
  expect(all.server.patches).toHaveLength(1)
})

test('they never overwrite newer ones that somebody wrote meanwhile', async () => {
  const environment = created()
  const all = world(environment)
  all.stores.environments.assume(withStatusAhead(environment, statusOf('a')), { ahead: true })
  const draft = new StatusDraft(all.context, storedIn(all))
  const metadata = { ...environment.metadata, resourceVersion: '11' }
  all.server.live = { ...environment, metadata, status: statusOf('b') }
  await draft.save()
  expect(all.server.live.status?.change?.sha).toBe(sha('b'))
  expect(draft.environment.status?.change?.sha).toBe(sha('b'))
})

test('they outlive a conflict with a write that does not know them', async () => {
  const environment = created()
  const all = world(environment)
  all.stores.environments.assume(withStatusAhead(environment, statusOf('a')), { ahead: true })
  const draft = new StatusDraft(all.context, storedIn(all))
  const metadata = { ...environment.metadata, resourceVersion: '11', labels: { someone: 'else' } }
  all.server.live = { ...environment, metadata }
  await draft.record({ namespace: 'shop-pr-7' })
  expect(all.server.live.status).toMatchObject({ ...statusOf('a'), namespace: 'shop-pr-7' })
})

describe('a push to an environment that has a place', () => {
  const project = { metadata: { namespace: 'shop', name: 'shop' } } as unknown as ReviewProject

  async function pushed(live: ReviewEnvironment) {
    const all = world(live)
    const context = { ...all.context, creations: new Gate(1) }
    all.stores.environments.assume(live)
    const decision = { action: 'update', environment: live, facts: facts('b'), specChanged: true, factsChanged: true }
    const { signal } = new AbortController()
    await carryOut(context, project, decision as unknown as Decision, { mayReserve: true }, signal)
    return all
  }
  const running = () => ({ ...created(), status: { ...statusOf('a'), namespace: 'shop-pr-7' } })

  test('is one write; what the forge said is known at once and goes with the next', async () => {
    const all = await pushed(running())
    expect(all.server.patches).toMatchObject([{ spec: { revision: sha('b') } }])
    expect(storedIn(all).status).toMatchObject({ change: facts('b'), namespace: 'shop-pr-7' })
    expect(all.server.live.status?.change?.sha).toBe(sha('a'))
    await new StatusDraft(all.context, storedIn(all)).save()
    expect(all.server.live.status).toMatchObject({ change: facts('b'), namespace: 'shop-pr-7' })
  })

  test('keeps what others wrote in between', async () => {
    const all = await pushed(running())
    const draft = new StatusDraft(all.context, storedIn(all))
    const feedback = { commentId: 9 }
    const { live } = all.server
    const metadata = { ...live.metadata, resourceVersion: '12' }
    all.server.live = { ...live, metadata, status: { ...live.status, feedback } as ReviewEnvironmentStatus }
    await draft.save()
    expect(all.server.live.status).toMatchObject({ change: facts('b'), feedback })
    expect(JSON.stringify(all.server.patches.at(-1))).not.toContain('feedback')
  })

  test('before its own first facts were written brings none: they would take the place away', async () => {
    const environment = created()
    const all = world(environment)
    all.stores.environments.assume(withStatusAhead(environment, statusOf('a')), { ahead: true })
    const context = { ...all.context, creations: new Gate(1) }
    const decision = {
      action: 'update',
      environment: storedIn(all),
      facts: facts('b'),
      specChanged: true,
      factsChanged: true,
    }
    const { signal } = new AbortController()
    await carryOut(context, project, decision as unknown as Decision, { mayReserve: true }, signal)
    expect(all.server.live.status).toMatchObject({ change: facts('b'), admission: { admitted: true } })
  })
})
