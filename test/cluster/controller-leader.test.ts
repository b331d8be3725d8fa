import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findCondition } from '../../src/api/index.ts'
import { World } from '../controller/world.ts'
import { waitFor } from '../harness/cluster.ts'

describe('two controllers', () => {
  const world = new World()
  const election = (identity: string) => ({
    namespace: `${world.name}-system`,
    name: 'offshoot-controller',
    identity,
    leaseDuration: 3_000,
    renewDeadline: 2_000,
    retryPeriod: 400,
  })
  beforeAll(async () => {
    await world.start({}, { election: election('first') })
  })
  afterAll(() => world.stop())

  test('take turns: the standby refuses deliveries, and finds what nobody told it when it leads', async () => {
    const first = world.controller
    const standby = world.createController({ election: election('second') })
    standby.start()
    await waitFor(() => standby.notReady() === undefined && standby.leader?.identity === 'first', {
      describe: 'the standby to know the leader',
    })
    const pull = await world.repo.openPullRequest({ branch: 'turns' })
    expect(standby.accepting()).toBe(false)
    expect(standby.enqueue({ namespace: world.namespace, name: 'shop' }, { pullRequest: pull.number })).toBe(false)
    await first.stop(1_000)
    await waitFor(() => standby.accepting(), { describe: 'the standby to lead' })
    expect(first.accepting()).toBe(false)
    await world.ready({ pullRequest: pull.number }, pull.sha)
    await standby.stop(1_000)
  })
})

describe('a project with mistakes', () => {
  const world = new World()
  beforeAll(async () => {
    await world.start()
  })
  afterAll(() => world.stop())

  test('says every one of them, leaves others alone, and recovers when they are mended', async () => {
    const pull = await world.repo.openPullRequest({ branch: 'wrong' })
    const change = { pullRequest: pull.number }
    world.hear(change)
    await world.ready(change, pull.sha)
    await world.editProject({
      changes: { pullRequests: { title: { match: '(' } } },
      feedback: { url: 'https://{{ nothing.here }}.example.com' },
    })
    await waitFor(
      async () => {
        const condition = findCondition((await world.project())?.status?.conditions, 'Stalled')
        const fields = ['spec.changes.pullRequests.title.match', 'spec.feedback.url']
        return condition?.reason === 'Invalid' && fields.every(field => condition.message.includes(field))
      },
      { describe: async () => `both mistakes: ${JSON.stringify((await world.project())?.status)}` },
    )
    await world.until(change, ({ status }) => status?.state === 'Failed', 'the environment to say so, too')
    await world.editProject({ changes: { pullRequests: { title: { match: '' } } }, feedback: { url: '' } })
    await world.ready(change, pull.sha)
    await waitFor(async () => findCondition((await world.project())?.status?.conditions, 'Ready')?.status === 'True', {
      describe: async () => JSON.stringify((await world.project())?.status),
    })
  })
})
