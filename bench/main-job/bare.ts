import { randomBytes } from 'node:crypto'
import { KubeClient } from '../../src/kube/client.ts'
import { parallel } from '../../src/util/parallel.ts'
import type { TestCluster } from '../../test/harness/test-cluster.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { keysIn, plainObjects } from './objects.ts'
import { between, type Usage } from './usage.ts'

/** Connections of the reference client. */
const connections = 16

const patience = { deadline: 20 * 60_000, interval: 1_000 }

/** What a client without any thought takes for as many environments. */
export interface BareTimes {
  /** Milliseconds. */
  create: number
  delete: number
  /** CPU seconds of client and control plane together: what can be compared on a busy machine too. */
  createCpu: number
  deleteCpu: number
}

/**
 * Creates the objects of `count` environments over 16 connections as fast as it can, and deletes them again: nothing
 * is remembered, nothing is checked. Resolves when the namespace controller is through with them: its work for a
 * thousand namespaces takes minutes of processor time, which whatever is measured next does not owe.
 */
export async function bareRun(cluster: TestCluster, usage: Usage, count: number): Promise<BareTimes> {
  const kube = KubeClient.fromKubeconfig({ path: cluster.adminKubeconfig, connections })
  const prefix = `bare-${randomBytes(3).toString('hex')}`
  const namespaces = Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  const sha = randomBytes(20).toString('hex')
  try {
    // The first request is not counted: discovery and connections are made in it.
    await kube.get({
      apiVersion: 'gitops.kluctl.io/v1beta1',
      kind: 'KluctlDeployment',
      namespace: 'default',
      name: 'a',
    })
    const create = await timed(usage, () =>
      parallel(namespaces, connections, async namespace => {
        for (const object of plainObjects(namespace, sha)) await kube.create(object)
      }),
    )
    const remove = await timed(usage, () =>
      parallel(namespaces, connections, async namespace => {
        for (const key of keysIn(namespace).toReversed()) await kube.delete(key)
      }),
    )
    await waitFor(async () => (await left(kube, prefix)) === 0, { describe: 'the reference to be gone', ...patience })
    return { create: create.wall, delete: remove.wall, createCpu: create.cpu, deleteCpu: remove.cpu }
  } finally {
    await kube.close()
  }
}

async function left(kube: KubeClient, prefix: string): Promise<number> {
  const { items } = await kube.list({ apiVersion: 'v1', kind: 'Namespace' }, { metadataOnly: true })
  return items.filter(({ metadata }) => metadata.name?.startsWith(prefix)).length
}

async function timed(usage: Usage, work: () => Promise<unknown>): Promise<{ wall: number; cpu: number }> {
  const before = await usage.read()
  await work()
  const { seconds, cpu } = between(before, await usage.read())
  return { wall: seconds * 1000, cpu: totalCpu(cpu) }
}

/** CPU seconds of all processes together. */
export function totalCpu(cpu: Record<string, number>): number {
  return Object.values(cpu).reduce((sum, seconds) => sum + seconds, 0)
}
