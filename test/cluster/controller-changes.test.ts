import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiVersion, findCondition, type ReviewEnvironment } from '../../src/api/index.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { World } from '../controller/world.ts'
import { waitFor } from '../harness/cluster.ts'

const kind = { apiVersion, kind: 'ReviewEnvironment' }

async function environmentsOf(world: World): Promise<ReviewEnvironment[]> {
  return (await world.admin.list<ReviewEnvironment>(kind, { namespace: world.namespace })).items
}

/** Asks for a listing and waits until it was carried out. */
async function listAgain(world: World): Promise<void> {
  const requests = () => world.forge.requests.filter(({ path }) => path.includes('/pulls')).length
  const before = requests()
  await world.admin.patch<KubeObject>(
    { apiVersion, kind: 'ReviewProject', namespace: world.namespace, name: 'shop' },
    { metadata: { annotations: { 'offshoot.dev/requested-at': String(Date.now()) } } },
    { type: 'merge' },
  )
  await waitFor(() => requests() > before, { describe: 'a listing' })
}

describe('changes', () => {
  const world = new World()
  beforeAll(async () => {
    await world.start({
      changes: { pullRequests: { labels: { none: ['no-preview'] } }, branches: { include: ['dev/*'] } },
      environment: { name: `${world.name}-{{ change.slug }}`, limit: 3 },
    })
  })
  afterAll(() => world.stop())

  test('from a fork get nothing', async () => {
    const fork = await world.repo.openPullRequest({ branch: 'evil', fork: true })
    const good = await world.repo.openPullRequest({ branch: 'good' })
    for (const { number } of [fork, good]) world.hear({ pullRequest: number })
    await world.ready({ pullRequest: good.number }, good.sha)
    expect(await world.environment({ pullRequest: fork.number })).toBeUndefined()
    await world.repo.close(good.number)
    world.hear({ pullRequest: good.number })
    await world.gone({ pullRequest: good.number })
  })

  test('beyond the limit wait in line, are told their place, and move up when one goes', async () => {
    const pulls = await world.repo.openPullRequests([1, 2, 3, 4, 5].map(number => ({ branch: `line-${number}` })))
    for (const { number } of pulls) world.hear({ pullRequest: number })
    // An environment that was not looked at yet has no admission: it counts neither as admitted nor as waiting.
    const positions = async () =>
      (await environmentsOf(world))
        .map(({ status }) => (status?.admission?.admitted ? 0 : (status?.admission?.position ?? -1)))
        .toSorted((a, b) => a - b)
    await waitFor(async () => JSON.stringify(await positions()) === '[0,0,0,1,2]', {
      describe: async () => `two to wait: ${JSON.stringify((await environmentsOf(world)).map(({ status }) => status))}`,
    })
    const [first] = (await environmentsOf(world)).filter(({ status }) => status?.admission?.admitted)
    const next = (await environmentsOf(world)).find(({ status }) => status?.admission?.position === 1)
    const number = first?.spec.change.pullRequest ?? 0
    await world.repo.close(number)
    world.hear({ pullRequest: number })
    if (next === undefined) throw new Error('nobody is next')
    await world.ready(next.spec.change)
    for (const pull of pulls) {
      if (pull.number !== number) await world.repo.close(pull.number)
      world.hear({ pullRequest: pull.number })
    }
    for (const pull of pulls) await world.gone({ pullRequest: pull.number })
  })

  test('that no longer match lose their environment, and get it back', async () => {
    const pull = await world.repo.openPullRequest({ branch: 'label' })
    const change = { pullRequest: pull.number }
    world.hear(change)
    await world.ready(change, pull.sha)
    await world.repo.label(pull.number, 'no-preview')
    world.hear(change)
    await world.gone(change)
    await world.repo.unlabel(pull.number, 'no-preview')
    world.hear(change)
    await world.ready(change, pull.sha)
    await world.repo.close(pull.number)
    world.hear(change)
    await world.gone(change)
  })

  test('that are branches come and go', async () => {
    const sha = await world.repo.push('dev/ann', { 'a.txt': '1' })
    const change = { branch: 'dev/ann' }
    world.hear(change)
    await world.ready(change, sha)
    await world.repo.deleteBranch('dev/ann')
    world.hear(change)
    await world.gone(change)
  })

  test('asked for by hand are filled in from the forge and survive listings that do not match them', async () => {
    const sha = await world.repo.push('mine', { 'a.txt': '1' })
    const change = { branch: 'mine' }
    const { name } = world.environmentKey(change)
    const manual = {
      ...kind,
      metadata: { name, namespace: world.namespace },
      spec: { projectRef: { name: 'shop' }, change },
    }
    await world.admin.create<KubeObject>(manual)
    await world.ready(change, sha)
    const newer = await world.repo.push('mine', { 'a.txt': '2' })
    await listAgain(world)
    await world.ready(change, newer)
    await world.repo.deleteBranch('mine')
    await listAgain(world)
    await world.gone(change)
  })

  test('are found by a listing alone, and missed ones are removed by it', async () => {
    const pull = await world.repo.openPullRequest({ branch: 'unheard' })
    await listAgain(world)
    await world.ready({ pullRequest: pull.number }, pull.sha)
    await world.repo.close(pull.number)
    await listAgain(world)
    await world.gone({ pullRequest: pull.number })
  })
})

describe('a forge that fails', () => {
  const world = new World()
  beforeAll(async () => {
    await world.start()
  })
  afterAll(() => world.stop())

  test('kills no environment, whatever it answers, and says so in the status', async () => {
    const pulls = await world.repo.openPullRequests([1, 2, 3].map(number => ({ branch: `safe-${number}` })))
    for (const { number } of pulls) world.hear({ pullRequest: number })
    for (const { number, sha } of pulls) await world.ready({ pullRequest: number }, sha)
    for (const failure of [500, 404, 403, 401, 'empty', 'truncated'] as const) {
      const fault = world.forge.fail({ path: /pulls/, failure })
      world.hear({ pullRequest: pulls[0]?.number ?? 0 })
      await listAgain(world)
      await waitFor(
        async () => findCondition((await world.project())?.status?.conditions, 'Ready')?.status === 'False',
        {
          describe: async () =>
            `the failure ${failure} (${JSON.stringify(world.forge.requests.slice(-6))}) in the status: ${JSON.stringify((await world.project())?.status)}`,
        },
      )
      fault.remove()
      await listAgain(world)
      await waitFor(
        async () => findCondition((await world.project())?.status?.conditions, 'Ready')?.status === 'True',
        { describe: async () => `the recovery in the status: ${JSON.stringify((await world.project())?.status)}` },
      )
    }
    const alive = (await environmentsOf(world)).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    expect(alive).toHaveLength(3)
  })
})
