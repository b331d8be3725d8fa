import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiVersion } from '../../src/api/index.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { World } from '../controller/world.ts'
import { waitFor } from '../harness/cluster.ts'

/** Lets `count` writes through; the next ones never end, as if the process had died after them. */
class Crash {
  left = Number.POSITIVE_INFINITY
  crashed = false

  wrap(client: KubeClient): KubeClient {
    return new Proxy(client, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        if (property === 'as')
          return (...args: unknown[]) => this.wrap(Reflect.apply(value, target, args) as KubeClient)
        const isWrite = ['create', 'patch', 'apply', 'delete', 'replace'].includes(String(property))
        return (...args: unknown[]) => {
          if (isWrite && isOurs(args[0])) {
            if (this.left <= 0) {
              this.crashed = true
              return never(args.at(-1))
            }
            this.left--
          }
          return Reflect.apply(value, target, args) as unknown
        }
      },
    })
  }
}

/** Notes what is read, as `Kind namespace/name`. */
function counting(client: KubeClient, reads: string[]): KubeClient {
  return new Proxy(client, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const { kind, namespace, name } = (args[0] ?? {}) as { kind?: string; namespace?: string; name?: string }
        if (property === 'get' || property === 'getMetadata') reads.push(`${kind} ${namespace}/${name}`)
        const result: unknown = Reflect.apply(value, target, args)
        return property === 'as' ? counting(result as KubeClient, reads) : result
      }
    },
  })
}

/** Ends only with the process, which here is the abort of everything. */
function never(options: unknown): Promise<never> {
  const { signal } = (options ?? {}) as { signal?: AbortSignal }
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

/** Events and the project's counts are no steps of the path. */
function isOurs(object: unknown): boolean {
  return !['Event', 'ReviewProject'].includes((object as { kind: string }).kind)
}

describe('a controller that dies after any write', () => {
  const world = new World()
  beforeAll(async () => {
    await world.start()
  })
  afterAll(() => world.stop())

  async function startCrashing(writes: number): Promise<Crash> {
    await world.stopController(0)
    const crash = new Crash()
    crash.left = writes
    await world.startController({ kube: crash.wrap(world.newClient()) })
    return crash
  }

  async function restart(): Promise<void> {
    await world.stopController(0)
    await world.startController()
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('%i of a creation: the next one finishes the work', async writes => {
    const crash = await startCrashing(writes)
    const pull = await world.repo.openPullRequest({ branch: `create-${writes}` })
    const change = { pullRequest: pull.number }
    world.hear(change)
    await waitFor(async () => crash.crashed || (await world.environment(change))?.status?.state === 'Ready', {
      describe: 'the crash',
    })
    await restart()
    await world.ready(change, pull.sha)
  })

  test.each([
    1, 2, 3, 4, 5, 6, 7,
  ])('%i of a creation, and whose change is closed then: nothing is left', async writes => {
    const crash = await startCrashing(writes)
    const pull = await world.repo.openPullRequest({ branch: `abandon-${writes}` })
    const change = { pullRequest: pull.number }
    world.hear(change)
    await waitFor(async () => crash.crashed || (await world.environment(change))?.status?.state === 'Ready', {
      describe: 'the crash',
    })
    await world.stopController(0)
    await world.repo.close(pull.number)
    await world.startController()
    world.hear(change)
    await world.gone(change)
    const { name: environment } = world.environmentKey(change)
    const labelSelector = `offshoot.dev/environment=${environment}`
    const left = await Promise.all(
      [
        { apiVersion: 'v1', kind: 'Namespace' },
        { apiVersion: 'v1', kind: 'ServiceAccount' },
      ].map(async kind => (await world.admin.list(kind, { labelSelector })).items),
    )
    const ours = left
      .flat()
      .filter(({ metadata }) => metadata.annotations?.['offshoot.dev/owner']?.startsWith(`${world.namespace}/`))
    expect(ours).toEqual([])
  })

  test.each([1, 2, 3, 4, 5, 6])('%i of a removal: the next one finishes it, and nothing is left', async writes => {
    const pull = await world.repo.openPullRequest({ branch: `remove-${writes}` })
    const change = { pullRequest: pull.number }
    world.hear(change)
    const { status } = await world.ready(change, pull.sha)
    const crash = await startCrashing(writes)
    await world.repo.close(pull.number)
    world.hear(change)
    await waitFor(async () => crash.crashed || (await world.environment(change)) === undefined, {
      describe: 'the crash',
    })
    await restart()
    await world.gone(change)
    const name = status?.namespace ?? ''
    expect(await world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name })).toBeUndefined()
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      namespace: world.namespace,
      name: status?.serviceAccount ?? '',
    }
    expect(await world.admin.get(account)).toBeUndefined()
  })

  test('is followed by one that writes nothing while nothing happens', async () => {
    await restart()
    const kind = { apiVersion, kind: 'ReviewEnvironment' }
    const versions = async () => {
      const { items } = await world.admin.list(kind, { namespace: world.namespace })
      return items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).toSorted()
    }
    await waitFor(() => world.controller.quiet, { describe: 'the queues to be empty' })
    const before = await versions()
    await restart()
    await waitFor(() => world.controller.quiet, { describe: 'the queues to be empty' })
    expect(await versions()).toEqual(before)
    expect(before.length).toBeGreaterThan(0)
  })

  test('is followed by one that asks for nothing that is ready, but does what was asked for meanwhile', async () => {
    const pull = await world.repo.openPullRequest({ branch: 'settled' })
    const change = { pullRequest: pull.number }
    world.hear(change)
    const { status } = await world.ready(change, pull.sha)
    await waitFor(() => world.controller.quiet, { describe: 'the queues to be empty' })
    const namespace = status?.namespace ?? ''
    await world.stopController(0)
    const reads: string[] = []
    await world.startController({ kube: counting(world.newClient(), reads) })
    await waitFor(() => world.controller.quiet, { describe: 'the queues to be empty' })
    expect(reads.filter(read => read.startsWith(`ConfigMap ${namespace}/`))).toEqual([])
    await world.stopController(0)
    const { metadata, spec } = (await world.project()) ?? {}
    const manifests = spec?.deploy.objects?.manifests ?? []
    const added = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'added-while-away' } }
    const patch = { spec: { deploy: { objects: { manifests: [...manifests, added] } } } }
    const key = { apiVersion, kind: 'ReviewProject', namespace: world.namespace, name: metadata?.name ?? '' }
    await world.admin.patch(key, patch, { type: 'merge' })
    await world.startController()
    const wanted = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'added-while-away' }
    await waitFor(async () => (await world.admin.get(wanted)) !== undefined, { describe: 'the added object' })
  })

  test('is followed by one that puts a namespace back that was deleted meanwhile, with all that belongs there', async () => {
    const pull = await world.repo.openPullRequest({ branch: 'emptied' })
    const change = { pullRequest: pull.number }
    world.hear(change)
    const { status } = await world.ready(change, pull.sha)
    const name = status?.namespace ?? ''
    await world.stopController(0)
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name }
    await world.admin.delete(namespace)
    await waitFor(async () => (await world.admin.get(namespace)) === undefined, { describe: 'the namespace to go' })
    await world.startController()
    const shop = { apiVersion: 'v1', kind: 'ConfigMap', namespace: name, name: 'shop' }
    await waitFor(async () => (await world.admin.get(shop)) !== undefined, { describe: 'the object in it' })
  })
})
