import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Agent } from 'undici'
import { parallel } from '../../src/util/parallel.ts'
import type { RecordedWrite } from '../../test/harness/api-proxy.ts'
import { aHouse } from '../../test/harness/house.ts'
import { accountKubeconfigFile } from '../../test/harness/test-cluster.ts'
import { keysIn, manifests } from './objects.ts'
import { at } from './sightings.ts'
import { silent, type World } from './world.ts'

/** Connections of the reference client. */
const connections = 16

/** The pull request whose writes are recorded; the others take its place. */
const original = 1

/** What a replay of all writes took. */
export interface Replay {
  milliseconds: number
  /** Writes per environment. */
  writes: number
}

/**
 * Records every write that Offshoot makes for one environment (status, account and binding included), and makes them
 * again for `count` others over 16 connections, as the same account, with nobody thinking between them.
 */
export async function replay(world: World, count: number): Promise<Replay> {
  await using house = await aHouse()
    .onCluster(world.cluster)
    .withApiProxy()
    .withProject('shop', { ...silent, deploy: { objects: { manifests } } })
    .start()
  await house.settled()
  house.api.record()
  const pull = await house.repo().openPullRequest()
  const namespace = `${house.name}-shop-pr-${original}`
  await world.seen.last(
    keysIn(namespace)
      .slice(1)
      .map(key => at(pull.sha, key)),
  )
  await house.settled()
  // Nobody may act on what the replay makes.
  await house.offshoot.stop()
  const ours = house.api.recorded.filter(({ path, body }) => `${path} ${body}`.includes(`pr-${original}`))
  const writes = ours.map(unconditional)
  const account = { namespace: house.system, name: 'offshoot' }
  const kubeconfig = readFileSync(await accountKubeconfigFile(world.cluster, account), 'utf8')
  const token = /token: "?([^\s"]+)/.exec(kubeconfig)?.[1] ?? ''
  const agent = new Agent({ connections, connect: { ca: world.cluster.ca } })
  try {
    const numbers = Array.from({ length: count }, (_, index) => 100_000 + index)
    const began = performance.now()
    await parallel(numbers, connections, async number => {
      for (const write of writes) await send(agent, world.cluster.url, token, forNumber(write, number))
    })
    return { milliseconds: performance.now() - began, writes: writes.length }
  } finally {
    await agent.close()
  }
}

/** Without uid and version: those of the original would not fit. */
function unconditional(write: RecordedWrite): RecordedWrite {
  const body = JSON.parse(write.body === '' ? '{}' : write.body) as { metadata?: Record<string, unknown> }
  delete body.metadata?.uid
  delete body.metadata?.resourceVersion
  return { ...write, body: JSON.stringify(body) }
}

function forNumber(write: RecordedWrite, number: number): RecordedWrite {
  const replace = (text: string) => text.replaceAll(new RegExp(`pr-${original}(?![0-9])`, 'g'), `pr-${number}`)
  const headers = Object.fromEntries(Object.entries(write.headers).map(([name, value]) => [name, replace(value)]))
  return { ...write, path: replace(write.path), body: replace(write.body), headers }
}

/** Sends once, and again while a binding that was just made is not in force yet. */
async function send(agent: Agent, url: string, token: string, write: RecordedWrite): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const { statusCode, body } = await agent.request({
      origin: url,
      path: write.path,
      method: write.method as 'POST',
      headers: { ...write.headers, authorization: `Bearer ${token}` },
      body: write.body,
    })
    const text = await body.text()
    if (statusCode < 300) return
    if (statusCode !== 403 || attempt > 50) throw new Error(`${write.method} ${write.path}: ${statusCode} ${text}`)
    await setTimeout(10)
  }
}
