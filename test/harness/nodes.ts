import type { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { Informer } from '../../src/kube/informer.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'

const pods = { apiVersion: 'v1', kind: 'Pod' }

/**
 * Plays the nodes that a bare control plane does not have: every Pod runs and is ready at once, those of Jobs have run
 * to their end. Disposing ends it.
 */
export function playNodes(kube: KubeClient): AsyncDisposable {
  const options = { ...pods, clock: systemClock, log: silentLogger, random: Math.random }
  const informer = new Informer<KubeObject>(kube, options)
  const working = new Set<Promise<void>>()
  const play = (pod: KubeObject) => {
    const status = pod.status as { phase?: string } | undefined
    if (pod.metadata.deletionTimestamp !== undefined || (status?.phase ?? 'Pending') !== 'Pending') return
    const work = report(kube, pod).finally(() => working.delete(work))
    working.add(work)
  }
  informer.addHandler({ onAdd: play, onUpdate: play })
  informer.start()
  return {
    async [Symbol.asyncDispose]() {
      await informer.close()
      await Promise.all(working)
    },
  }
}

async function report(kube: KubeClient, { metadata }: KubeObject): Promise<void> {
  const ends = metadata.ownerReferences?.some(({ kind }) => kind === 'Job') ?? false
  const at = new Date().toISOString()
  const conditions = [{ type: 'Ready', status: ends ? 'False' : 'True', lastTransitionTime: at }]
  const status = { phase: ends ? 'Succeeded' : 'Running', startTime: at, conditions }
  const key = { ...pods, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
  try {
    await kube.patch(key, { status }, { type: 'strategic', subresource: 'status' })
  } catch (error) {
    // Gone in the meantime, or changed: then it is heard of again.
    if (!(error instanceof KubeError && (error.isNotFound || error.isConflict))) throw error
  }
}
