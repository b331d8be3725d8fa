import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { receiveWebhook, repositoryKeys, type WebhookEvent, WebhookRejected } from '../../src/forge/index.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { FakeRepository } from '../harness/forge/repository.ts'

let host: FakeForge
let shop: FakeRepository
let receiver: Server
let events: WebhookEvent[]

beforeEach(async () => {
  events = []
  host = await startFakeForge()
  shop = await host.createRepository('acme/shop')
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const delivery = { type: 'github', headers: request.headers, body, secrets: ['new', 'old'] } as const
      receiveWebhook(delivery).then(
        event => response.writeHead(events.push(event) && 202).end(),
        error => response.writeHead(error instanceof WebhookRejected ? error.status : 500).end(),
      )
    })
  })
  await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve))
  shop.hook(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, 'old')
})
afterEach(async () => {
  receiver.close()
  await host.close()
})

const refs = () => events.flatMap(event => (event.kind === 'change' ? event.refs : []))

test('what the forge tells is believed and names its change, for the repository as a project writes it', async () => {
  await shop.openPullRequest({ branch: 'feature/x' })
  await host.deliveries.settled()
  expect(refs()).toContainEqual({ pullRequest: 1 })
  expect(refs()).toContainEqual({ branch: 'feature/x' })
  expect(
    events.every(event => event.kind === 'change' && event.repository.keys.includes(repositoryKeys(shop.url)[0] ?? '')),
  ).toBe(true)
})

test('deliveries come twice, in another order, late or never, as the test says', async () => {
  host.deliveries.copies = 2
  host.deliveries.delay = 1
  host.deliveries.drop = ({ event }) => event !== 'pull_request'
  host.deliveries.hold()
  const { number } = await shop.openPullRequest()
  await shop.close(number)
  expect(events).toEqual([])
  await host.deliveries.release(held => held.toReversed())
  expect(refs()).toEqual(Array.from({ length: 4 }, () => ({ pullRequest: 1 })))
  const sent = host.deliveries.log.filter(({ statuses }) => statuses.length > 0)
  expect(sent.map(({ action, statuses }) => [action, statuses])).toEqual([
    ['opened', [202, 202]],
    ['closed', [202, 202]],
  ])
})

test('a delivery with another secret is refused, and one can be asked for again', async () => {
  host.deliveries.secret = 'wrong'
  await shop.openPullRequest()
  await host.deliveries.settled()
  expect(events).toEqual([])
  const [delivery] = host.deliveries.log
  expect(delivery?.statuses).toEqual([401])
  host.deliveries.secret = 'new'
  if (delivery) await host.deliveries.redeliver(delivery)
  expect(delivery?.statuses).toEqual([401, 202])
})
