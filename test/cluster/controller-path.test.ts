import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { World } from '../controller/world.ts'
import { waitFor } from '../harness/cluster.ts'

describe('the path of a pull request', () => {
  const world = new World()
  beforeAll(async () => {
    await world.start()
  })
  afterAll(() => world.stop())

  test('opens, is deployed, follows a push, and is gone when it closes', async () => {
    const pull = await world.repo.openPullRequest({ title: 'Add search' })
    const change = { pullRequest: pull.number }
    world.hear(change)
    const ready = await world.ready(change, pull.sha)
    expect(ready.status).toMatchObject({
      summary: `#${pull.number} Add search`,
      namespace: `${world.name}-pr-${pull.number}`,
    })
    const namespace = ready.status?.namespace ?? ''
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shop' }
    expect(await world.admin.get(key)).toMatchObject({ data: { sha: pull.sha } })

    const sha = await world.repo.pushTo(pull.number, { 'a.txt': 'b' })
    world.hear(change)
    await world.ready(change, sha)
    expect(await world.admin.get(key)).toMatchObject({ data: { sha } })
    await waitFor(() => world.repo.commentsOf(pull.number).some(({ body }) => body.includes('is ready')), {
      describe: 'the comment',
    })
    await waitFor(() => world.repo.statusesOf(sha).some(({ state }) => state === 'success'), { describe: 'the status' })

    await world.repo.close(pull.number)
    world.hear(change)
    await world.gone(change)
    expect(await world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace })).toBeUndefined()
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      namespace: world.namespace,
      name: `offshoot-${ready.metadata.name}`,
    }
    expect(await world.admin.get(account)).toBeUndefined()
    expect(world.repo.commentsOf(pull.number)).toHaveLength(1)
    expect(world.repo.commentsOf(pull.number)[0]?.body).toContain('is gone')
  })
})
