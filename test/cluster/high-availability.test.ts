import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/kube/types.ts'
import { serviceAccountKubeconfigFile, waitFor } from '../harness/cluster.ts'
import { type Delivery, deliveryHeaders } from '../harness/forge/deliveries.ts'
import { aHouse, type House } from '../harness/house.ts'
import { readMetrics, sumOf } from '../harness/metrics.ts'
import { startOffshoot, type TestOffshoot } from '../harness/offshoot.ts'

const patient = { deadline: 90_000 }

/** A house whose Offshoot leads, and a second process that stands by and is the only one that webhooks reach. */
async function twoReplicas(leaseDuration: string) {
  const settings = {
    settings: { leaseDuration },
    leaderElection: true,
    advertised: true,
    mode: 'childProcess',
  } as const
  const house = await aHouse()
    .withProject('shop', { feedback: { comment: false, status: false }, environment: { limit: 100 } })
    .withOffshoot(settings)
    .start()
  try {
    const standby = await startOffshoot({
      kubeconfig: await serviceAccountKubeconfigFile(house.system, 'offshoot'),
      namespace: house.system,
      watchNamespaces: [house.namespace],
      ...settings,
      // An unsigned delivery is answered 401 as soon as the standby knows whom to hand it to.
      waitUntil: 'leading',
    })
    redirect(house, standby)
    const dispose = async () => {
      await standby.stop()
      await house.stop()
    }
    return { house, standby, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await house.stop()
    throw error
  }
}

function redirect(house: House, { url }: TestOffshoot): void {
  for (const hook of house.repo().hooks) hook.url = url + new URL(hook.url).pathname
}

async function isLeading({ metricsUrl }: TestOffshoot): Promise<boolean> {
  return sumOf(await readMetrics(metricsUrl), 'offshoot_leading') === 1
}

async function leaseOf(house: House) {
  const key = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: house.system }
  const found = await house.kube.get<KubeObject & { spec?: { holderIdentity?: string } }>({
    ...key,
    name: 'offshoot-controller',
  })
  if (!found) throw new Error('there is no Lease')
  return found
}

/** Pull requests whose deliveries are sent one after the other; `middle` runs when some of them were answered 202. */
async function burst(house: House, middle: () => Promise<void>) {
  const { deliveries } = house.forge
  deliveries.hold()
  const pulls = await house.repo().openPullRequests(Array.from({ length: 24 }, (_, at) => ({ branch: `burst-${at}` })))
  const isAnswered = ({ statuses }: Delivery) => statuses[0] === 202
  let sent: Delivery[] = []
  const released = deliveries.release(held => {
    sent = held.filter(({ event, action }) => event === 'pull_request' && action === 'opened')
    return sent
  })
  await waitFor(() => sent.filter(isAnswered).length >= 6, { describe: 'answers', interval: 1, ...patient })
  await middle()
  await released
  const taken = sent.filter(isAnswered).map(({ body }) => (JSON.parse(body) as { number: number }).number)
  return {
    statuses: sent.map(({ statuses }) => statuses[0]),
    taken: pulls.filter(({ number }) => taken.includes(number)),
  }
}

/** A signed delivery of which half has arrived; `finish` sends the rest and gives the status. */
function halfDelivery(house: House, { url }: TestOffshoot, pull: number) {
  const hook = house.repo().hooks[0]
  const opened = house.forge.deliveries.log.find(
    ({ event, body }) => event === 'pull_request' && body.includes(`"number":${pull},`),
  )
  if (!hook || !opened) throw new Error('no delivery of that pull request')
  const body = Buffer.from(opened.body)
  const headers = { ...deliveryHeaders('pull_request', body, hook.secret), 'content-length': body.length }
  const { promise, resolve } = Promise.withResolvers<number>()
  const sent = request(url + new URL(hook.url).pathname, { method: 'POST', headers }, response => {
    response.resume()
    resolve(response.statusCode ?? 0)
  })
  sent.on('error', () => resolve(0))
  const begun = new Promise<void>(done => void sent.write(body.subarray(0, 100), () => done()))
  const finish = () => {
    sent.end(body.subarray(100))
    return promise
  }
  return { begun, finish }
}

describe('two replicas', () => {
  it('share the work: what the standby answers 202, the leader has taken, and after kill -9 the standby acts on it', async () => {
    await using replicas = await twoReplicas('6s')
    const { house, standby } = replicas
    expect([await isLeading(house.offshoot), await isLeading(standby)]).toEqual([true, false])
    expect((await fetch(`${standby.metricsUrl}/readyz`)).status).toBe(200)
    const first = await house.repo().openPullRequest()
    // The next listing is an hour away: only the delivery can have told of it.
    await house.environment(first).toBeReady(first.sha)
    await house.repo().close(first.number)
    await house.environment(first).toBeGone(patient)
    const metrics = await readMetrics(standby.metricsUrl)
    expect(sumOf(metrics, 'offshoot_webhook_deliveries_total', { outcome: 'handedOver' })).toBeGreaterThan(1)
    expect(sumOf(metrics, 'offshoot_webhook_deliveries_total', { outcome: 'enqueued' })).toBe(0)

    const { statuses, taken } = await burst(house, () => house.offshoot.kill())
    // Nobody leads for a while, and nobody pretends to.
    expect(statuses.filter(status => status !== 202 && status !== 503)).toEqual([])
    expect(taken.length).toBeGreaterThanOrEqual(6)
    await waitFor(() => isLeading(standby), { describe: 'the standby to lead', ...patient })
    for (const pull of taken) await house.environment(pull).toBeReady(pull.sha)
  }, 180_000)

  it('pass leadership on at SIGTERM: what has begun to arrive is answered, and the other leads at once', async () => {
    // Far longer than the wait below: whoever leads in time was given the Lease.
    await using replicas = await twoReplicas('120s')
    const { house, standby } = replicas
    redirect(house, house.offshoot)
    house.forge.deliveries.drop = () => true
    const pull = await house.repo().openPullRequest()
    const half = halfDelivery(house, house.offshoot, pull.number)
    await half.begun
    house.forge.deliveries.drop = () => false
    let late = 0
    const { statuses, taken } = await burst(house, async () => {
      const stopped = house.offshoot.stop()
      await waitFor(() => house.offshoot.log.some(line => line.includes('"ending"')), { interval: 1 })
      late = await half.finish()
      await stopped
    })
    expect(late).toBe(202)
    // 0: the one that ended listens no more.
    expect(statuses.filter(status => ![0, 202, 503].includes(status ?? -1))).toEqual([])
    await waitFor(() => isLeading(standby), { describe: 'the standby to lead', deadline: 60_000 })
    const { metadata } = await leaseOf(house)
    expect(metadata.annotations?.['offshoot.dev/address']).toBe(standby.url)
    for (const each of [pull, ...taken]) await house.environment(each).toBeReady(each.sha)
  }, 180_000)
})
