import { describe, expect, it } from 'vitest'
import { aHouse } from '../../harness/house.ts'
import { backends } from '../../harness/story-backends.ts'

describe.each(backends)('deployed by $title', { concurrent: true }, backend => {
  const deadline = { deadline: 60_000 * backend.patience }
  const changes = {
    pullRequests: { labels: { any: ['preview'] } },
    branches: { include: ['feature/*'] },
  }
  const feedback = { url: 'https://{{ environment.name }}.preview.example.com' }

  it('a pull request gets an environment, loses it with its label, gets it back, and loses it when merged', async () => {
    const project = backend.project({ changes, feedback })
    await using house = await aHouse().deployingBy(backend).withProject('shop', project).start()
    const repo = house.repo()

    const pull = await repo.openPullRequest({ title: 'Add search', labels: ['preview'] })
    const environment = house.environment(pull)
    const ready = await environment.toBeReady(pull.sha, deadline)
    expect(ready.status).toMatchObject({ summary: `#${pull.number} Add search`, deployedRevision: pull.sha })
    expect(await environment.find()).toMatchObject({ data: { version: pull.sha } })
    await house.toSay(pull, 'is ready', `https://${house.name}-shop-pr-${pull.number}.preview.example.com`)
    await house.toMark(pull.sha, 'success')

    const pushed = await repo.pushTo(pull.number, { 'search.txt': 'better' })
    await environment.toBeReady(pushed, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: pushed } })
    await house.toSay(pull, 'is ready', pushed.slice(0, 12))
    await house.toMark(pushed, 'success')

    await repo.unlabel(pull.number, 'preview')
    await environment.toBeGone(deadline)
    expect(await house.remains()).toEqual([])
    await house.toSay(pull, 'is gone')

    await repo.label(pull.number, 'preview')
    await environment.toBeReady(pushed, deadline)
    await repo.close(pull.number)
    await environment.toBeGone(deadline)
    await house.toSay(pull, 'is gone')

    await repo.reopen(pull.number)
    await environment.toBeReady(pushed, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: pushed } })
    await house.toSay(pull, 'is ready')

    await repo.merge(pull.number)
    await environment.toBeGone(deadline)
    expect(await house.remains()).toEqual([])
    await house.toSay(pull, 'is gone')
    expect(repo.commentsOf(pull.number)).toHaveLength(1)
  })

  it('a branch gets an environment, follows its pushes, and loses it with its end', async () => {
    const project = backend.project({ changes, feedback })
    await using house = await aHouse().deployingBy(backend).withProject('shop', project).start()
    const repo = house.repo()

    const first = await repo.push('feature/search', { 'search.txt': 'a' })
    const environment = house.environment({ branch: 'feature/search' })
    await environment.toBeReady(first, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: first } })
    await house.toMark(first, 'success')

    const second = await repo.push('feature/search', { 'search.txt': 'b' })
    await environment.toBeReady(second, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: second } })

    await repo.deleteBranch('feature/search')
    await environment.toBeGone(deadline)
    expect(await house.remains()).toEqual([])

    const third = await repo.push('feature/search', { 'search.txt': 'c' })
    await environment.toBeReady(third, deadline)
    await repo.deleteBranch('feature/search')
    await environment.toBeGone(deadline)
    expect(await house.remains()).toEqual([])
  })
})
