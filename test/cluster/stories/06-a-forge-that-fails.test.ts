import { describe, expect, it } from 'vitest'
import { findCondition, type ReviewEnvironment } from '../../../src/api/index.ts'
import type { Fault } from '../../harness/forge/faults.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { engine, kluctlStandIn } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

const changes = { pullRequests: { labels: { none: ['no-preview'] } }, branches: { include: ['feature/*'] } }

/** Every way in which the forge can be wrong about what there is. */
const failures: (Omit<Fault, 'path'> & { title: string })[] = [
  { title: 'answers 500', failure: 500 },
  { title: 'answers 403', failure: 403 },
  {
    title: 'answers 403 as for a rate limit',
    failure: 403,
    message: 'You have exceeded a secondary rate limit',
    headers: { 'retry-after': '1' },
  },
  { title: 'answers 404', failure: 404 },
  { title: 'answers 401', failure: 401 },
  { title: 'answers 301', failure: 301 },
  { title: 'answers with an empty list', failure: 'empty' },
  { title: 'cuts a page short', failure: 'shortPage' },
  { title: 'cuts the answer in the middle', failure: 'truncated' },
  { title: 'answers with a login page', failure: 'html' },
  { title: 'closes the connection', failure: 'reset' },
]

async function aHouseWithEight(): Promise<{ house: House; numbers: number[] }> {
  const project = { changes, feedback: { comment: false, status: false } }
  const house = await aHouse().withProject('shop', project).start()
  const repo = house.repo()
  const pulls = await repo.openPullRequests([1, 2, 3, 4].map(index => ({ branch: `pull-${index}` })))
  for (const index of [1, 2, 3, 4]) await repo.push(`feature/${index}`, { 'a.txt': `${index}` })
  const numbers = pulls.map(({ number }) => number)
  await Promise.all(numbers.map(number => house.environment(number).toBeReady(undefined, { interval: 250 })))
  await Promise.all([1, 2, 3, 4].map(index => house.environment({ branch: `feature/${index}` }).toBeReady()))
  return { house, numbers }
}

async function alive(house: House): Promise<number> {
  const environments = await house.environments()
  return environments.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length
}

const readyOf = async (house: House) => findCondition((await house.project('shop'))?.status?.conditions, 'Ready')

describe('a forge that fails', { concurrent: true }, () => {
  it('kills no environment, whatever it answers to a listing or about one change', async () => {
    const { house, numbers } = await aHouseWithEight()
    await using _ = house
    for (const { title, ...fault } of failures) {
      const active = house.forge.fail({ ...fault, method: 'GET' })
      // Somebody does something, too: one change is fetched, and listings are asked for.
      await house.repo().retitle(numbers[0] ?? 0, `While it ${title}`)
      // After a rate limit it asks nothing for a while, as it was told.
      const asked = async () => {
        await house.list()
        return active.hits > 0
      }
      await waitFor(asked, { interval: 250, describe: `the forge to be asked while it ${title}` })
      await house.settled()
      expect(await alive(house), title).toBe(8)
      active.remove()
    }
    await house.list()
    await waitFor(async () => (await readyOf(house))?.status === 'True', { describe: 'the project to recover' })
    const pushed = await house.repo().pushTo(numbers[0] ?? 0, { 'after.txt': 'a' })
    await house.environment(numbers[0] ?? 0).toBeReady(pushed)
    expect(await alive(house)).toBe(8)
  })

  it('says in the project’s status why nothing is known, and what to do, and recovers by itself', async () => {
    const { house } = await aHouseWithEight()
    await using _ = house
    const active = house.forge.fail({ failure: 401, method: 'GET', message: 'Bad credentials' })
    await house.list()
    const failed = await waitFor(async () => {
      const ready = await readyOf(house)
      return ready?.status === 'False' ? ready : undefined
    })
    expect(failed.reason).toBe('ForgeUnauthorized')
    await waitFor(async () => (await house.events()).some(event => event.startsWith('ForgeUnauthorized ')), {
      describe: 'an event that says so',
    })
    active.remove()
    await house.list()
    await waitFor(async () => (await readyOf(house))?.status === 'True', { describe: 'the project to recover' })
    expect(await alive(house)).toBe(8)
  })

  it('that never answers does not keep other projects waiting, nor kill anything', async () => {
    await using house = await aHouse()
      .withProject('slow', { changes, feedback: { comment: false, status: false } })
      .withProject('quick', { changes, feedback: { comment: false, status: false } })
      .start()
    const slow = await house.repo('slow').openPullRequest()
    await house.environment(slow, 'slow').toBeReady(slow.sha)
    const active = house.forge.fail({ failure: 'timeout', path: '/repos/acme/slow' })
    await house.repo('slow').close(slow.number)
    await waitFor(() => active.hits > 0, { describe: 'the forge to be asked' })
    const quick = await house.repo('quick').openPullRequest()
    await house.environment(quick, 'quick').toBeReady(quick.sha)
    expect((await house.environment(slow, 'slow').get())?.metadata.deletionTimestamp).toBeUndefined()
    // The request has a deadline of its own, after which it is asked again.
    active.remove()
    await house.environment(slow, 'slow').toBeGone({ deadline: 100_000 })
  })

  it('is not believed when every branch vanishes at once, until its next listing says the same', async () => {
    const { house, numbers } = await aHouseWithEight()
    await using _ = house
    const repo = house.repo()
    // Nobody hears of it but the listing.
    house.forge.deliveries.drop = () => true
    for (const index of [5, 6, 7, 8]) await repo.push(`feature/${index}`, { 'a.txt': `${index}` })
    await house.list()
    await Promise.all([5, 6, 7, 8].map(index => house.environment({ branch: `feature/${index}` }).toBeReady()))
    for (let index = 1; index <= 8; index++) await repo.deleteBranch(`feature/${index}`)
    await house.list()
    await house.settled()
    expect(await alive(house)).toBe(12)
    const held = (await house.project('shop'))?.status?.heldDeletes
    expect(held).toMatchObject({ count: 8 })
    expect(held?.reason).toContain('8 of 12 environments')
    await waitFor(async () => (await house.events()).some(event => event.startsWith('DeletesHeld ')), {
      describe: 'an Event about the held deletes',
    })

    // Closed pull requests, which a person has decided on, pass the guard meanwhile.
    house.forge.deliveries.drop = () => false
    await repo.close(numbers[0] ?? 0)
    await house.environment(numbers[0] ?? 0).toBeGone()

    // One event cannot be the guard's confirmation; a listing that says the same is.
    await waitFor(
      async () => {
        await house.list()
        return (await alive(house)) === 3
      },
      { deadline: 60_000, interval: 1_000, describe: 'the next listing to be believed' },
    )
    expect((await house.project('shop'))?.status?.heldDeletes).toBeUndefined()
    for (let index = 1; index <= 8; index++) await house.environment({ branch: `feature/${index}` }).toBeGone()
  })

  it('nor does an edited filter empty the house before two listings have agreed', async () => {
    const { house } = await aHouseWithEight()
    await using _ = house
    await house.editProject('shop', {
      changes: { pullRequests: { labels: { all: ['never'] } }, branches: { include: ['never/*'] } },
    })
    await waitFor(async () => (await house.project('shop'))?.status?.heldDeletes?.count === 8, {
      describe: 'the guard to hold',
    })
    await house.settled()
    expect(await alive(house)).toBe(8)
    // Taken back in time, it has cost nothing.
    await house.editProject('shop', {
      changes: { pullRequests: { labels: { all: null } }, branches: { include: ['feature/*'] } },
    })
    await waitFor(async () => (await house.project('shop'))?.status?.heldDeletes === undefined, {
      describe: 'the guard to rest',
    })
    await house.settled()
    expect(await alive(house)).toBe(8)
  })
})

describe.each([kluctlStandIn, engine])(
  'a forge whose Git is away, deploying by $title',
  { concurrent: true },
  backend => {
    const deadline = { deadline: 100_000 }

    it('harms nothing that runs, calls no push a failure, and is asked again until it answers', async () => {
      await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
      const repo = house.repo()
      const [pushed, stays] = await repo.openPullRequests([{ branch: 'pushed' }, { branch: 'stays' }])
      if (!pushed || !stays) throw new Error('two were opened')
      const { sha: before } = pushed
      await house.environment(pushed).toBeReady(before, deadline)
      await house.environment(stays).toBeReady(stays.sha, deadline)

      house.forge.gitStatus = 503
      const sha = await repo.pushTo(pushed.number, { 'a.txt': 'newer' })
      const told = ({ status }: ReviewEnvironment) =>
        JSON.stringify(status?.conditions).includes(repo.url) && status?.state !== 'Failed'
      await house.environment(pushed).toMatch(told, 'told that its repository is away', deadline)
      expect(await house.environment(pushed).find()).toMatchObject({ data: { version: before } })
      expect(repo.statusesOf(sha).map(({ state }) => state)).not.toContain('failure')
      await house.environment(stays).toBeReady(stays.sha)

      house.forge.gitStatus = undefined
      await house.environment(pushed).toBeReady(sha, deadline)
      expect(await house.environment(pushed).find()).toMatchObject({ data: { version: sha } })
    }, 240_000)
  },
)
