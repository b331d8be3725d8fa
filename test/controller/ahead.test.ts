import { expect, test } from 'vitest'
import type { ReviewEnvironment, ReviewEnvironmentStatus } from '../../src/api/index.ts'
import { isAhead, withStatusAhead } from '../../src/controller/ahead.ts'
import type { ControllerContext } from '../../src/controller/context.ts'
import { StatusDraft } from '../../src/controller/status-draft.ts'
import { createStores } from '../../src/controller/stores.ts'
import { KubeError } from '../../src/kube/errors.ts'
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

/** A controller's view of one environment, and the API server's. */
function world(live: ReviewEnvironment) {
  const server = { live, patches: [] as { metadata?: { resourceVersion?: string }; status: Record<string, unknown> }[] }
  const kube = {
    get: () => Promise.resolve(server.live),
    patch: (_key: unknown, patch: (typeof server.patches)[number]) => {
      server.patches.push(patch)
      const { resourceVersion } = server.live.metadata
      if (patch.metadata?.resourceVersion !== undefined && patch.metadata.resourceVersion !== resourceVersion) {
        return Promise.reject(new KubeError(409, 'Conflict', 'changed'))
      }
      const status = { ...server.live.status, ...patch.status } as ReviewEnvironmentStatus
      const metadata = { ...server.live.metadata, resourceVersion: `${Number(resourceVersion) + 1}` }
      server.live = { ...server.live, metadata, status }
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
