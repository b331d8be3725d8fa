import { describe, expect, it } from 'vitest'
import { aHouse } from '../../harness/house.ts'
import { backends } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

// One after the other: so many namespaces at once are work enough for a small machine.
describe.each(backends)('deployed by $title', backend => {
  const deadline = { deadline: 120_000 * backend.patience }

  it('two projects on one repository each have environments of their own', async () => {
    const second = backend.project({ changes: { pullRequests: { labels: { any: ['staging'] } } } })
    await using house = await aHouse()
      .deployingBy(backend)
      .withProject('shop', backend.project())
      .withProject('staging', { ...second, repository: 'acme/shop' })
      .start()
    const repo = house.repo()
    const plain = await repo.openPullRequest({ branch: 'plain' })
    const both = await repo.openPullRequest({ branch: 'both', labels: ['staging'] })
    await house.environment(plain, 'shop').toBeReady(plain.sha, deadline)
    await house.environment(both, 'shop').toBeReady(both.sha, deadline)
    await house.environment(both, 'staging').toBeReady(both.sha, deadline)
    expect(await house.environment(plain, 'staging').get()).toBeUndefined()
    expect(await house.environmentNamespaces()).toHaveLength(3)
    const contexts = () => repo.statusesOf(both.sha).map(({ context, state }) => `${context} ${state}`)
    await waitFor(() => contexts().filter(each => each.endsWith('success')).length === 2, {
      describe: () => `both projects to mark the commit: ${contexts().join(', ')}`,
    })

    await repo.unlabel(both.number, 'staging')
    await house.environment(both, 'staging').toBeGone(deadline)
    await house.settled()
    await house.environment(both, 'shop').toBeReady(both.sha, deadline)

    await repo.close(both.number)
    await repo.close(plain.number)
    await house.environment(both, 'shop').toBeGone(deadline)
    await house.environment(plain, 'shop').toBeGone(deadline)
    expect(await house.remains()).toEqual([])
  })

  it(
    'twenty pull requests at once get twenty environments, and all go when all close',
    async () => {
      const project = backend.project({ feedback: { comment: false, status: false } })
      await using house = await aHouse().deployingBy(backend).withProject('shop', project).start()
      const repo = house.repo()
      const pulls = await repo.openPullRequests(Array.from({ length: 20 }, (_, index) => ({ branch: `many-${index}` })))
      await Promise.all(
        pulls.map(async pull => {
          const environment = house.environment(pull)
          await environment.toBeReady(pull.sha, { ...deadline, interval: 500 })
          expect(await environment.find()).toMatchObject({ data: { version: pull.sha } })
        }),
      )
      expect(new Set(await house.environmentNamespaces())).toHaveProperty('size', 20)
      for (const { number } of pulls) await repo.close(number)
      await Promise.all(pulls.map(pull => house.environment(pull).toBeGone({ ...deadline, interval: 500 })))
      expect(await house.remains()).toEqual([])
    },
    240_000 * backend.patience,
  )

  it('beyond the limit a pull request waits, is told its place, and is let in when another goes', async () => {
    const project = backend.project({ environment: { limit: 2 } })
    await using house = await aHouse().deployingBy(backend).withProject('shop', project).start()
    const repo = house.repo()
    // Whoever comes while there is room gets it; among those that wait the oldest is next.
    const [a, b] = [await repo.openPullRequest({ branch: 'a' }), await repo.openPullRequest({ branch: 'b' })]
    await house.environment(a).toBeReady(a.sha, deadline)
    await house.environment(b).toBeReady(b.sha, deadline)
    const [c, d] = [await repo.openPullRequest({ branch: 'c' }), await repo.openPullRequest({ branch: 'd' })]
    await house.environment(c).toMatch(({ status }) => status?.admission?.position === 1, 'next', deadline)
    const next = await house.environment(c).toBe('Waiting', deadline)
    expect(next.status?.admission).toEqual({ admitted: false, position: 1, ahead: 2 })
    const last = await house
      .environment(d)
      .toMatch(({ status }) => status?.state === 'Waiting' && status.admission?.position === 2, 'second', deadline)
    expect(last.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'LimitReached' }))
    await house.toSay(c, 'is waiting', 'It is next')
    await house.toSay(d, 'is waiting', 'number 2 in line')
    expect(await house.environmentNamespaces()).toHaveLength(2)

    // Who waits follows its change, and evicts nobody.
    const pushed = await repo.pushTo(c.number, { 'c.txt': 'newer' })
    await house.settled()
    expect(await house.environmentNamespaces()).toHaveLength(2)

    await repo.close(a.number)
    await house.environment(c).toBeReady(pushed, deadline)
    await house.environment(a).toBeGone(deadline)
    await house.environment(d).toMatch(({ status }) => status?.admission?.position === 1, 'next', deadline)
    await house.toSay(d, 'is waiting', 'It is next')
    await house.environment(b).toBeReady(b.sha, deadline)

    // Who waits and is closed goes without ever having had anything.
    await repo.close(d.number)
    await house.environment(d).toBeGone(deadline)
    expect(await house.environmentNamespaces()).toHaveLength(2)
  })
})
