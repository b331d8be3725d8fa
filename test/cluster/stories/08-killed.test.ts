import { describe, expect, it } from 'vitest'
import type { Matcher } from '../../harness/api-proxy.ts'
import type { PullRequest } from '../../harness/forge/model.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { backends } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

/** A moment at which Offshoot dies: when it writes this, before the API server has it or after. */
interface Point {
  title: string
  when: 'before' | 'after'
  write: Matcher
}

const status = (body: RegExp): Matcher => ({ method: 'PATCH', path: /\/reviewenvironments\/[^/]+\/status/, body })
const ready: Point = { title: 'before it is called ready', when: 'before', write: status(/"state":"Ready"/) }

/** On the way up; what is the same for both backends is gone through once. */
const up: Record<string, Point[]> = {
  objects: [
    {
      title: 'before the environment is created',
      when: 'before',
      write: { method: 'POST', path: /\/reviewenvironments(\?|$)/ },
    },
    {
      title: 'after the environment was created',
      when: 'after',
      write: { method: 'POST', path: /\/reviewenvironments(\?|$)/ },
    },
    { title: 'before the facts about the change are recorded', when: 'before', write: status(/"change":/) },
    { title: 'after its namespace was recorded, before it is made', when: 'after', write: status(/"namespace":/) },
    {
      title: 'after its namespace was created',
      when: 'after',
      write: { method: 'POST', path: /\/api\/v1\/namespaces(\?|$)/ },
    },
    { title: 'after its account was bound', when: 'after', write: { method: 'POST', path: /\/rolebindings(\?|$)/ } },
    {
      title: 'after the inventory was recorded, before the first object',
      when: 'after',
      write: status(/"inventory":/),
    },
    { title: 'after an object was applied', when: 'after', write: { method: 'PATCH', path: /\/configmaps\/config/ } },
    ready,
  ],
  kluctlDeployment: [
    {
      title: 'after its account was bound to tell the cluster',
      when: 'after',
      write: { method: 'POST', path: /\/kube-system\/rolebindings(\?|$)/ },
    },
    {
      title: 'after the discriminator was recorded, before the deploy',
      when: 'after',
      write: status(/"discriminators":/),
    },
    {
      title: 'after the deploy was asked for',
      when: 'after',
      write: { method: 'PATCH', path: /\/kluctldeployments\/[^/?]+\?/ },
    },
    ready,
  ],
  engine: [
    {
      title: 'after the discriminator was recorded, before anything carries it',
      when: 'after',
      write: status(/"discriminators":/),
    },
    { title: 'after an object was applied', when: 'after', write: { method: 'PATCH', path: /\/configmaps\/config/ } },
    ready,
  ],
}

/** On the way down. */
const down: Record<string, Point[]> = {
  objects: [
    {
      title: 'after the environment was deleted',
      when: 'after',
      write: { method: 'DELETE', path: /\/reviewenvironments\// },
    },
    {
      title: 'after its namespace was deleted',
      when: 'after',
      write: { method: 'DELETE', path: /\/api\/v1\/namespaces\// },
    },
    {
      title: 'before its account is deleted',
      when: 'before',
      write: { method: 'DELETE', path: /\/serviceaccounts\// },
    },
    {
      title: 'before its finalizer is taken off',
      when: 'before',
      write: { method: 'PATCH', path: /\/reviewenvironments\/[^/?]+(\?|$)/, body: /"finalizers":\[\]/ },
    },
  ],
  kluctlDeployment: [
    {
      title: 'after its KluctlDeployment was deleted',
      when: 'after',
      write: { method: 'DELETE', path: /\/kluctldeployments\// },
    },
    {
      title: 'before its namespace is deleted',
      when: 'before',
      write: { method: 'DELETE', path: /\/api\/v1\/namespaces\// },
    },
    {
      title: 'after its right to tell the cluster was deleted',
      when: 'after',
      write: { method: 'DELETE', path: /\/kube-system\/rolebindings\// },
    },
  ],
  engine: [
    {
      title: 'after its object was deleted',
      when: 'after',
      write: { method: 'DELETE', path: /\/configmaps\/config/ },
    },
    {
      title: 'before its namespace is deleted',
      when: 'before',
      write: { method: 'DELETE', path: /\/api\/v1\/namespaces\// },
    },
  ],
}

/** Lets Offshoot die at this point of what `cause` causes, and starts it again. */
async function dieAt(house: House, { write, when, title }: Point, cause: () => Promise<unknown>): Promise<void> {
  const held = house.api.hold(write, when)
  let hit = false
  void held.hit.then(() => (hit = true))
  await cause()
  const describeIt = () => `${title}; requests:\n${house.api.requests.slice(-40).join('\n')}`
  await waitFor(() => hit, { deadline: 60_000, describe: describeIt })

  await house.offshoot.kill()
  held.drop()
  await house.offshoot.start()
}

describe.each(backends.filter(({ kluctl }) => kluctl !== 'real'))(
  'killed by kill -9, deploying by $title',
  { concurrent: true },
  backend => {
    it('goes on where it was when it is started again, wherever that was on the way up', async () => {
      await using house = await aHouse()
        .deployingBy(backend)
        .withApiProxy()
        .withOffshoot({ mode: 'childProcess' })
        .withProject('shop', backend.project())
        .start()
      const pulls: PullRequest[] = []
      for (const point of up[backend.title] ?? []) {
        await dieAt(house, point, async () => pulls.push(await house.repo().openPullRequest({ title: point.title })))
        const pull = pulls.at(-1)
        if (!pull) throw new Error('a pull request was opened')
        const environment = house.environment(pull)
        await environment.toBeReady(pull.sha)
        expect(await environment.find(), point.title).toMatchObject({ data: { version: pull.sha } })
      }
      // Nothing twice, and nothing that nobody knows of.
      expect(await house.environments()).toHaveLength(pulls.length)
      expect(await house.environmentNamespaces()).toHaveLength(pulls.length)
      for (const pull of pulls) await house.toSay(pull, 'is ready')
      await Promise.all(pulls.map(({ number }) => house.repo().close(number)))
      await Promise.all(pulls.map(pull => house.environment(pull).toBeGone({ deadline: 90_000, interval: 250 })))
      expect(await house.remains()).toEqual([])
    }, 300_000)

    it('finishes what it was removing, wherever it was, and says so once', async () => {
      await using house = await aHouse()
        .deployingBy(backend)
        .withApiProxy()
        .withOffshoot({ mode: 'childProcess' })
        .withProject('shop', backend.project())
        .start()
      const points = down[backend.title] ?? []
      const pulls = await house.repo().openPullRequests(points.map(({ title }) => ({ title })))
      await Promise.all(pulls.map(pull => house.environment(pull).toBeReady(pull.sha)))
      for (const [index, point] of points.entries()) {
        const pull = pulls[index]
        if (!pull) throw new Error('there is one for each point')
        await dieAt(house, point, () => house.repo().close(pull.number))
        await house.environment(pull).toBeGone()
        await house.toSay(pull, 'is gone')
      }
      expect(await house.remains()).toEqual([])
    }, 300_000)
  },
)

describe('killed by kill -9', { concurrent: true }, () => {
  it('between a comment and the answer to it, does not comment again', async () => {
    await using house = await aHouse().withOffshoot({ mode: 'childProcess' }).withProject('shop').start()
    const lost = house.forge.fail({ method: 'POST', path: /\/issues\/\d+\/comments/, failure: 'unanswered', times: 1 })
    const pull = await house.repo().openPullRequest()
    await waitFor(() => lost.hits > 0, { deadline: 60_000, describe: 'a comment' })
    await house.offshoot.kill()
    await house.offshoot.start()
    await house.environment(pull).toBeReady(pull.sha)
    await house.toSay(pull, 'is ready')
    expect(house.repo().commentsOf(pull.number)).toHaveLength(1)
  })

  it('while it was away, changes came and went: it finds the state that is', async () => {
    await using house = await aHouse().withOffshoot({ mode: 'childProcess' }).withProject('shop').start()
    const repo = house.repo()
    const [closes, pushed] = await repo.openPullRequests([{ branch: 'closes' }, { branch: 'pushed' }])
    if (!closes || !pushed) throw new Error('two were opened')
    await house.environment(closes).toBeReady(closes.sha)
    await house.environment(pushed).toBeReady(pushed.sha)
    await house.offshoot.kill()
    await repo.close(closes.number)
    const sha = await repo.pushTo(pushed.number, { 'a.txt': 'newer' })
    const opened = await repo.openPullRequest({ branch: 'opened' })
    await house.forge.deliveries.settled()
    await house.offshoot.start()
    await house.environment(pushed).toBeReady(sha)
    await house.environment(opened).toBeReady(opened.sha)
    await house.environment(closes).toBeGone()
  })
})
