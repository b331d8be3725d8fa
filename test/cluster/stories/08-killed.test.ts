// Killed right after many 202: test/cluster/serve.test.ts. After each single write of a controller in this process, and
// no write by the one that follows at rest: test/cluster/controller-crash.test.ts.
import { describe, expect, it } from 'vitest'
import type { Matcher } from '../../harness/api-proxy.ts'
import type { PullRequest } from '../../harness/forge/model.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { kluctlStandIn, objects, type StoryBackend } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

/** Where on its path the process dies: `before` a request has reached the API server, or `after` it was carried out. */
interface Point {
  title: string
  matcher: Matcher
  when: 'before' | 'after'
}

const deadline = { deadline: 90_000, interval: 100 }
const timeout = 300_000

const recorded = (field: string): Matcher => ({
  method: 'PATCH',
  path: /\/reviewenvironments\/[^/?]+\/status/,
  body: new RegExp(`"${field}":`),
})
const created = (resource: string): Matcher => ({ method: 'POST', path: new RegExp(`/${resource}(\\?|$)`) })
const applied = (resource: string): Matcher => ({ method: 'PATCH', path: new RegExp(`/${resource}/[^/?]+(\\?|$)`) })
const deleted = (resource: string): Matcher => ({ method: 'DELETE', path: new RegExp(`/${resource}/[^/?]+(\\?|$)`) })

const creation: Point[] = [
  { title: 'it has answered 202 and written nothing', matcher: created('reviewenvironments'), when: 'before' },
  { title: 'the environment is written', matcher: created('reviewenvironments'), when: 'after' },
  { title: 'the facts are recorded', matcher: recorded('change'), when: 'after' },
  { title: 'the namespace is made', matcher: created('namespaces'), when: 'after' },
  { title: 'the account is bound', matcher: created('rolebindings'), when: 'after' },
]

const byObjects: Point[] = [
  { title: 'the inventory is recorded', matcher: recorded('inventory'), when: 'after' },
  { title: 'an object is applied', matcher: applied('configmaps'), when: 'after' },
]

const byKluctl: Point[] = [
  { title: 'the discriminator is recorded', matcher: recorded('discriminators'), when: 'after' },
  {
    title: 'the deployment is asked for',
    matcher: { ...applied('kluctldeployments'), body: /"prune": ?true/ },
    when: 'after',
  },
]

const removal: Point[] = [
  { title: 'the environment is deleted', matcher: deleted('reviewenvironments'), when: 'after' },
  { title: 'the namespace is deleted', matcher: deleted('namespaces'), when: 'after' },
  {
    title: 'the finalizer is about to go',
    matcher: { ...applied('reviewenvironments'), body: /"finalizers":\[\]/ },
    when: 'before',
  },
]

function killable(backend: StoryBackend): Promise<House> {
  return aHouse()
    .deployingBy(backend)
    .withApiProxy()
    .withOffshoot({ mode: 'childProcess' })
    .withProject('shop', backend.project())
    .start()
}

/** Waits until the process has come to this point, kills it there (SIGKILL) and starts it anew. */
async function dieAt(house: House, { title, matcher, when }: Point, act: () => Promise<unknown>): Promise<void> {
  // Never released: what the API server had not seen by then, it never sees.
  const held = house.api.hold(matcher, when)
  let reached = false
  void held.hit.then(() => (reached = true))
  await act()
  await waitFor(() => reached, {
    ...deadline,
    describe: () => `it to be where ${title}; requests: ${house.api.requests.slice(-20).join('\n')}`,
  })
  await house.offshoot.kill()
  await house.offshoot.start()
}

async function toBeWhole(house: House, pull: PullRequest): Promise<void> {
  const environment = house.environment(pull)
  await environment.toBeReady(pull.sha, deadline)
  expect(await environment.find()).toMatchObject({ data: { version: pull.sha } })
  await house.toSay(pull, 'is ready')
  await house.toMark(pull.sha, 'success')
  expect(house.repo().commentsOf(pull.number)).toHaveLength(1)
}

describe.each([
  { backend: objects, points: [...creation, ...byObjects] },
  { backend: kluctlStandIn, points: byKluctl },
])('killed while it deploys by $backend.title', { concurrent: true }, ({ backend, points }) => {
  it(
    `when ${points.map(({ title }) => title).join(', when ')}: the next one finishes the work, and does nothing twice`,
    async () => {
      await using house = await killable(backend)
      const pulls: PullRequest[] = []
      for (const point of points) {
        await dieAt(house, point, async () => pulls.push(await house.repo().openPullRequest({ title: point.title })))
        await toBeWhole(house, house.repo().pull(pulls.length))
      }
      expect(await house.environmentNamespaces()).toHaveLength(points.length)
      for (const { number } of pulls) await house.repo().close(number)
      for (const pull of pulls) await house.environment(pull).toBeGone(deadline)
      expect(await house.remains()).toEqual([])
    },
    timeout,
  )
})

describe.each([
  {
    backend: objects,
    points: [{ title: 'an object is deleted', matcher: deleted('configmaps'), when: 'after' as const }, ...removal],
  },
  {
    backend: kluctlStandIn,
    points: [
      { title: 'the KluctlDeployment is deleted', matcher: deleted('kluctldeployments'), when: 'after' as const },
    ],
  },
])('killed while it removes by $backend.title', { concurrent: true }, ({ backend, points }) => {
  it(
    `when ${points.map(({ title }) => title).join(', when ')}: the next one leaves nothing behind`,
    async () => {
      await using house = await killable(backend)
      const repo = house.repo()
      for (const point of points) {
        const pull = await repo.openPullRequest({ title: point.title })
        await toBeWhole(house, pull)
        await dieAt(house, point, () => repo.close(pull.number))
        await house.environment(pull).toBeGone(deadline)
        await house.toSay(pull, 'is gone')
        expect(repo.commentsOf(pull.number)).toHaveLength(1)
        expect(await house.remains()).toEqual([])
      }
    },
    timeout,
  )
})

describe('killed while it tells people', { concurrent: true }, () => {
  it(
    'when the comment is posted and its number is not known yet: it is found again, and there is one',
    async () => {
      await using house = await killable(objects)
      const unanswered = house.forge.fail({ method: 'POST', path: '/comments', failure: 'unanswered', times: 1 })
      const pull = await house.repo().openPullRequest()
      await waitFor(() => unanswered.hits > 0, { ...deadline, describe: 'the comment to be posted' })
      await house.offshoot.kill()
      await house.offshoot.start()
      await toBeWhole(house, pull)
      const pushed = await house.repo().pushTo(pull.number, { 'more.txt': 'more' })
      await house.environment(pull).toBeReady(pushed, deadline)
      await house.toSay(pull, 'is ready', pushed.slice(0, 12))
      expect(house.repo().commentsOf(pull.number)).toHaveLength(1)
    },
    timeout,
  )
})
