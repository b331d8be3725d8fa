import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { KubeError } from '../../../src/kube/errors.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import type { WatchEvent } from '../../../src/kube/watch.ts'
import { waitFor } from '../wait.ts'
import { type ContractWorld, configMap, freshNamespace, mapKey, mapKind } from './world.ts'

/** What every API server tells of changes. */
export function watchContract(world: ContractWorld): void {
  describe('a watch', () => {
    let namespace = ''
    beforeAll(async () => {
      namespace = await freshNamespace(world)
    })

    /** The next events that are no bookmarks, as type and name. */
    async function take(events: AsyncGenerator<WatchEvent<KubeObject>, void>, count: number): Promise<string[]> {
      const seen: string[] = []
      for await (const { type, object } of events) {
        if (type === 'BOOKMARK' || object.metadata.name === 'kube-root-ca.crt') continue
        seen.push(`${type} ${object.metadata.name}`)
        if (seen.length === count) break
      }
      return seen
    }

    it('tells what happened since a version, then what happens', async () => {
      const client = world.client()
      const { resourceVersion } = await client.list(mapKind, { namespace })
      await client.create(configMap(namespace, 'w1'))
      await client.patch(mapKey(namespace, 'w1'), { data: { a: '1' } }, { type: 'merge' })
      const events = await client.watch(mapKind, { namespace, resourceVersion })
      const seen = take(events, 4)
      await client.delete(mapKey(namespace, 'w1'))
      await client.create(configMap(namespace, 'w2'))
      expect(await seen).toEqual(['ADDED w1', 'MODIFIED w1', 'DELETED w1', 'ADDED w2'])
    })

    it('sees objects come into a selection and leave it', async () => {
      const client = world.client()
      const { resourceVersion } = await client.list(mapKind, { namespace })
      const events = await client.watch(mapKind, { namespace, resourceVersion, labelSelector: 'in=yes' })
      await client.create(configMap(namespace, 'moves'))
      const label = (value: string | null) =>
        client.patch(mapKey(namespace, 'moves'), { metadata: { labels: { in: value } } }, { type: 'merge' })
      await label('yes')
      await label('no')
      expect(await take(events, 2)).toEqual(['ADDED moves', 'DELETED moves'])
    })

    it('ends after its timeout', async () => {
      const client = world.client()
      const { resourceVersion } = await client.list(mapKind, { namespace })
      const events = await client.watch(mapKind, { namespace, resourceVersion, timeoutSeconds: 1 })
      expect(await take(events, 1)).toEqual([])
    })

    it('from before the server can tell is refused as expired: a list has to come first', async () => {
      const client = world.client()
      const { resourceVersion } = await client.list(mapKind, { namespace })
      const word = `w${randomBytes(4).toString('hex')}`
      const kind = { apiVersion: 'contract.offshoot.dev/v1', kind: `Late${word}` }
      await client.create({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${word}s.contract.offshoot.dev` },
        spec: {
          group: 'contract.offshoot.dev',
          scope: 'Namespaced',
          names: { plural: `${word}s`, kind: kind.kind },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      })
      const failure = async () => {
        const events = await client.watch(kind, { namespace, resourceVersion, timeoutSeconds: 5 })
        return events.next().catch((error: unknown) => error)
      }
      // A server that is not ready for the new kind says so at first.
      const error = await waitFor(
        async () => {
          const seen = await failure()
          return seen instanceof KubeError && seen.status !== 429 ? seen : undefined
        },
        { deadline: 15_000, describe: 'the watch to be refused' },
      )
      expect(error).toMatchObject({ status: 410, reason: 'Expired', isExpired: true })
      expect(error.message).toContain('too old resource version')
      const { resourceVersion: newer } = await client.list(kind, { namespace })
      const events = await client.watch(kind, { namespace, resourceVersion: newer })
      const next = take(events, 1)
      await client.create({ ...kind, metadata: { namespace, name: 'first' } })
      expect(await next).toEqual(['ADDED first'])
    })

    it('starts with everything there is when it is asked to', async () => {
      const client = world.client()
      await client.create(configMap(namespace, 'there', {}, { labels: { initial: 'yes' } }))
      const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
      const path = `/api/v1/namespaces/${namespace}/configmaps?${query}&labelSelector=initial%3Dyes&timeoutSeconds=1`
      const lines = (await client.raw(path))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as WatchEvent<KubeObject>)
      expect(lines[0]).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'there' } } })
      const bookmark = lines.find(({ type }) => type === 'BOOKMARK')
      expect(bookmark?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
    })
  })
}
