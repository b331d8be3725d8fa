import { describe, expect, it } from 'vitest'
import type { Blocker, ReviewEnvironment } from '../../../src/api/index.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { backends } from '../../harness/story-backends.ts'

const finalizer = 'example.com/hold'

function isBlockedBy(namespace: string): (environment: ReviewEnvironment) => boolean {
  const isHeld = ({ kind, name, finalizers, ...blocker }: Blocker) =>
    kind === 'ConfigMap' && name === 'config' && blocker.namespace === namespace && finalizers?.join() === finalizer
  return ({ status }) => status?.state === 'Blocked' && (status.blockers ?? []).some(isHeld)
}

describe.each(backends)('deployed by $title', { concurrent: true }, backend => {
  const deadline = { deadline: 60_000 * backend.patience }

  function hold(house: House, namespace: string, finalizers: string[]): Promise<KubeObject> {
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'config' }
    return house.kube.patch<KubeObject>(key, { metadata: { finalizers } }, { type: 'merge' })
  }

  it('a teardown that a foreign finalizer holds says so, holds nobody up, and ends when that goes', async () => {
    await using house = await aHouse()
      .deployingBy(backend)
      .withOffshoot({ limits: { blockedAfter: 1_000 } })
      .withProject('shop', backend.project())
      .start()
    const repo = house.repo()
    const [held, other] = [
      await repo.openPullRequest({ branch: 'held' }),
      await repo.openPullRequest({ branch: 'other' }),
    ]
    await house.environment(held).toBeReady(held.sha, deadline)
    await house.environment(other).toBeReady(other.sha, deadline)
    const namespace = await house.environment(held).namespace()
    await hold(house, namespace, [finalizer])

    await repo.close(held.number)
    // Before it the kluctl controller itself may be what is waited for.
    const blocked = await house.environment(held).toMatch(isBlockedBy(namespace), 'Blocked by its ConfigMap', deadline)
    expect(blocked.status?.blockerCount).toBe(blocked.status?.blockers?.length)
    await house.toSay(held, 'cannot be removed yet', `ConfigMap ${namespace}/config`, finalizer)

    // The others go on: one is updated, one comes, and one goes.
    const pushed = await repo.pushTo(other.number, { 'other.txt': 'newer' })
    await house.environment(other).toBeReady(pushed, deadline)
    const late = await repo.openPullRequest({ branch: 'late' })
    await house.environment(late).toBeReady(late.sha, deadline)
    await repo.close(other.number)
    await house.environment(other).toBeGone(deadline)

    // It is named for as long as it is in the way, whatever of it is still known.
    const still = await house.environment(held).toBe('Blocked', deadline)
    expect(JSON.stringify(still.status?.blockers)).toContain(finalizer)

    await hold(house, namespace, [])
    await house.environment(held).toBeGone(deadline)
    await house.toSay(held, 'is gone')
    expect(house.comment(held)).not.toContain(finalizer)
    await repo.close(late.number)
    await house.environment(late).toBeGone(deadline)
    expect(await house.remains()).toEqual([])
  })
})
