import { randomBytes, randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { deliveryHeaders } from '../../harness/forge/deliveries.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { engine, objects } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

const deadline = { deadline: 90_000 }
const quiet = { feedback: { comment: false, status: false } }

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map(item => ({ item, at: randomInt(1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

/** Posts to the project's own webhook; absent headers are left out. */
async function post(
  house: House,
  body: string | Buffer,
  headers: Record<string, string | undefined>,
  path = `/webhooks/github/${house.namespace}/shop`,
): Promise<number> {
  const present = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
  const init = { method: 'POST', headers: present as Record<string, string>, body, signal: AbortSignal.timeout(30_000) }
  return (await fetch(`${house.offshoot.url}${path}`, init as RequestInit)).status
}

/** Body and headers of an event that the forge would send about a pull request that there is. */
function opened(house: House, secret = house.repo().hooks[0]?.secret ?? '') {
  const delivery = house.forge.deliveries.log.findLast(
    ({ event, action }) => event === 'pull_request' && action === 'opened',
  )
  if (!delivery) throw new Error('no pull request was opened')
  return { body: delivery.body, headers: deliveryHeaders('pull_request', delivery.body, secret) }
}

describe('deliveries', { concurrent: true }, () => {
  it.each([
    objects,
    engine,
  ])('that come twice and in any order end in the state that the forge has, by $title', async backend => {
    await using house = await aHouse().withProject('shop', backend.project(quiet)).start()
    const repo = house.repo()
    const { deliveries } = house.forge
    deliveries.hold()
    const [stays, closes, returns, pushed] = await repo.openPullRequests(
      ['stays', 'closes', 'returns', 'pushed'].map(branch => ({ branch })),
    )
    if (!stays || !closes || !returns || !pushed) throw new Error('four were opened')
    await repo.close(closes.number)
    await repo.close(returns.number)
    await repo.reopen(returns.number)
    const first = await repo.pushTo(pushed.number, { 'a.txt': '1' })
    const last = await repo.pushTo(pushed.number, { 'a.txt': '2' })
    expect(first).not.toBe(last)
    deliveries.copies = 2
    await deliveries.release(shuffled)
    deliveries.copies = 1
    await house.environment(stays).toBeReady(stays.sha, deadline)
    await house.environment(returns).toBeReady(returns.sha, deadline)
    await house.environment(pushed).toBeReady(last, deadline)
    expect(await house.environment(pushed).find()).toMatchObject({ data: { version: last } })
    await house.settled()
    expect(await house.environment(closes).get()).toBeUndefined()
    expect(await house.environments()).toHaveLength(3)

    // An old event, sent again by hand long after, changes nothing.
    const before = await house.environment(pushed).get()
    for (const delivery of deliveries.log.slice()) await deliveries.redeliver(delivery)
    await house.settled()
    expect(await house.environments()).toHaveLength(3)
    expect(await house.environment(pushed).get()).toEqual(before)
  })

  it('that are forged are refused and cause nothing: wrong secret, no signature, a changed body, another project’s', async () => {
    await using house = await aHouse().withProject('shop', quiet).withProject('other', quiet).start()
    house.forge.deliveries.drop = () => true
    await house.repo().openPullRequest()
    const { body, headers } = opened(house)
    const signed = (secret: string) => deliveryHeaders('pull_request', body, secret)
    const asked = () => house.forge.requests.filter(({ path }) => path.includes('/pulls/')).length
    const other = house.repo('other').hooks[0]?.secret ?? ''
    expect(await post(house, body, signed('wrong'))).toBe(401)
    expect(await post(house, body, signed(''))).toBe(401)
    expect(await post(house, body, signed(other))).toBe(401)
    expect(await post(house, body.replace('"opened"', '"closed"'), headers)).toBe(401)
    expect(await post(house, body, { ...headers, 'x-hub-signature-256': undefined })).toBe(401)
    expect(await post(house, body, { ...headers, 'x-hub-signature-256': 'sha256=' })).toBe(401)
    const sha1 = { ...headers, 'x-hub-signature-256': undefined, 'x-hub-signature': 'sha1=0000' }
    expect(await post(house, body, sha1)).toBe(401)
    // Whose secrets count is decided by the path alone.
    expect(await post(house, body, headers, `/webhooks/github/${house.namespace}/other`)).toBe(401)
    expect(await post(house, body, headers, '/webhooks/github')).toBe(401)
    expect(await post(house, body, headers, `/webhooks/github/${house.namespace}/nobody`)).toBe(401)
    await house.settled()
    expect(asked()).toBe(0)
    expect(await house.environments()).toEqual([])
    expect(house.offshoot.log.join('\n')).not.toContain(other)
    // The very same body with the right signature is believed.
    expect(await post(house, body, headers)).toBe(202)
    await house.environment(1).toBeReady()
  })

  it('signed with the old secret count during a rotation, and no longer after it', async () => {
    await using house = await aHouse().withProject('shop', quiet).start()
    const old = house.repo().hooks[0]?.secret ?? ''
    const fresh = randomBytes(12).toString('hex')
    const setSecrets = async (webhookSecret: string) => {
      const key = { apiVersion: 'v1', kind: 'Secret', namespace: house.namespace, name: 'shop-forge' }
      await house.kube.patch(key, { stringData: { webhookSecret } }, { type: 'merge' })
    }
    const ping = JSON.stringify({ zen: 'Keep it logically awesome.', hook_id: 1 })
    const deliver = (secret: string) => post(house, ping, deliveryHeaders('ping', ping, secret))
    await waitFor(async () => (await deliver(old)) === 202, { describe: 'the project to be known' })
    expect(await deliver(fresh)).toBe(401)
    await setSecrets(`${fresh}\n${old}\n`)
    await waitFor(async () => (await deliver(fresh)) === 202, {
      deadline: 60_000,
      interval: 250,
      describe: 'the new secret',
    })
    expect(await deliver(old)).toBe(202)
    await setSecrets(fresh)
    await waitFor(async () => (await deliver(old)) === 401, {
      deadline: 60_000,
      interval: 250,
      describe: 'the old secret to end',
    })
    expect(await deliver(fresh)).toBe(202)
  })

  it('that are no deliveries are refused at once, and the server goes on: 30 MB, bad JSON, missing headers', async () => {
    await using house = await aHouse().withProject('shop', quiet).start()
    const secret = house.repo().hooks[0]?.secret ?? ''
    const huge = Buffer.alloc(30 * 1024 * 1024, ' ')
    const tooLarge = await post(house, huge, deliveryHeaders('push', huge, secret)).catch(() => 'cut off')
    expect([413, 'cut off']).toContain(tooLarge)
    for (const text of ['{"action":', '', '[]', 'null', '"text"', '{"action":"opened"}']) {
      const status = await post(house, text, deliveryHeaders('pull_request', text, secret))
      expect([400, 422], text).toContain(status)
    }
    const body = JSON.stringify({ zen: 'x', hook_id: 1 })
    const headers = deliveryHeaders('ping', body, secret)
    expect(await post(house, body, { ...headers, 'x-github-event': undefined })).toBe(400)
    expect(await post(house, body, { ...headers, 'content-type': 'text/plain' })).toBe(415)
    expect((await fetch(`${house.offshoot.url}/webhooks/github`)).status).toBe(404)
    const unknown = JSON.stringify({ action: 'starred' })
    expect(await post(house, unknown, deliveryHeaders('star', unknown, secret))).toBe(202)
    expect(await post(house, body, headers)).toBe(202)
    await house.settled()
    expect(await house.environments()).toEqual([])
    const pull = await house.repo().openPullRequest()
    await house.environment(pull).toBeReady(pull.sha)
  })

  it('that are all lost are made up for by the listing', async () => {
    await using house = await aHouse().withProject('shop', quiet).start()
    const repo = house.repo()
    house.forge.deliveries.drop = () => true
    const [first, second] = await repo.openPullRequests([{ branch: 'one' }, { branch: 'two' }])
    if (!first || !second) throw new Error('two were opened')
    await house.list()
    await house.environment(first).toBeReady(first.sha)
    await house.environment(second).toBeReady(second.sha)
    const pushed = await repo.pushTo(first.number, { 'a.txt': '1' })
    await repo.close(second.number)
    await house.list()
    await house.environment(first).toBeReady(pushed)
    await house.environment(second).toBeGone()
  })
})
