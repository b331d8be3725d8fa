import { describe, expect, it } from 'vitest'
import { apiVersion } from '../../../src/api/index.ts'
import { aHouse } from '../../harness/house.ts'
import { backends } from '../../harness/story-backends.ts'

describe.each(backends)('deployed by $title', { concurrent: true }, backend => {
  const deadline = { deadline: 60_000 * backend.patience }

  it('a pull request of a fork gets nothing, whatever happens to it', async () => {
    await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
    const repo = house.repo()
    const fork = await repo.openPullRequest({ fork: true, author: 'mallory', labels: ['preview'] })
    const gone = await repo.openPullRequest({ fork: 'gone', author: 'mallory' })
    const own = await repo.openPullRequest({ branch: 'own' })
    await house.environment(own).toBeReady(own.sha, deadline)

    await repo.pushTo(fork.number, { 'deploy/app/more.yaml': 'kind: Nothing\n' })
    await repo.retitle(fork.number, 'Please deploy me')
    await repo.label(fork.number, 'approved')
    await repo.close(fork.number)
    await repo.reopen(fork.number)
    await repo.deleteFork(fork.number)
    await house.settled()
    await house.list()
    await house.settled()

    expect((await house.environments()).map(({ spec }) => spec.change)).toEqual([{ pullRequest: own.number }])
    expect(await house.environmentNamespaces()).toHaveLength(1)
    for (const { number, sha } of [repo.pull(fork.number), gone]) {
      expect(await house.environment(number).get()).toBeUndefined()
      expect(repo.commentsOf(number)).toEqual([])
      expect(repo.statusesOf(sha)).toEqual([])
    }
  })

  it('an environment that a person makes for a fork is refused, and takes nothing with it', async () => {
    await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
    const fork = await house.repo().openPullRequest({ fork: true })
    const environment = house.environment(fork)
    await house.kube.create({
      apiVersion,
      kind: 'ReviewEnvironment',
      metadata: { namespace: house.namespace, name: environment.name },
      spec: { projectRef: { name: 'shop' }, change: { pullRequest: fork.number } },
    })
    expect(await environment.toStall('ForkDenied')).toContain('fork')
    await house.settled()
    expect((await environment.get())?.status).not.toHaveProperty('namespace')
    expect(await house.remains()).toEqual([`ReviewEnvironment ${house.namespace}/${environment.name}`])
    await house.kube.delete({
      apiVersion,
      kind: 'ReviewEnvironment',
      namespace: house.namespace,
      name: environment.name,
    })
    await environment.toBeGone(deadline)
  })
})
