import { beforeAll, describe, expect, it } from 'vitest'
import { type ConfigMap, type ContractWorld, configMap, freshNamespace, mapKey, mapKind } from './world.ts'

/** What every API server does with single objects and lists of them. */
export function objectContract(world: ContractWorld): void {
  describe('objects', () => {
    let namespace = ''
    beforeAll(async () => {
      namespace = await freshNamespace(world)
    })

    it('get an identity of their own and versions that grow', async () => {
      const client = world.client()
      const first = await client.create(configMap(namespace, 'identity', { a: '1' }))
      expect(first.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
      expect(first.metadata.creationTimestamp).toMatch(/Z$/)
      const second = await client.replace({ ...first, data: { a: '2' } })
      expect(BigInt(second.metadata.resourceVersion ?? '')).toBeGreaterThan(
        BigInt(first.metadata.resourceVersion ?? ''),
      )
      expect(second.metadata.uid).toBe(first.metadata.uid)
      const same = await client.replace(second)
      expect(same.metadata.resourceVersion).toBe(second.metadata.resourceVersion)
    })

    it('get names that begin as asked', async () => {
      const meta = { name: undefined, generateName: 'gen-' }
      const made = await Promise.all([1, 2].map(() => world.client().create(configMap(namespace, '', {}, meta))))
      const names = made.map(({ metadata }) => metadata.name)
      for (const name of names) expect(name).toMatch(/^gen-[a-z0-9]{5}$/)
      expect(new Set(names).size).toBe(2)
    })

    it('are listed by selector, page by page as of one version', async () => {
      const client = world.client()
      const meta = (index: number) => ({ labels: { list: 'yes', parity: index % 2 === 0 ? 'even' : 'odd' } })
      for (let index = 0; index < 5; index++)
        await client.create(configMap(namespace, `list-${index}`, {}, meta(index)))
      const names = async (labelSelector: string) =>
        (await client.list(mapKind, { namespace, labelSelector })).items.map(({ metadata }) => metadata.name)
      expect(await names('list=yes,parity!=odd')).toEqual(['list-0', 'list-2', 'list-4'])
      expect(await names('list,parity in (odd)')).toEqual(['list-1', 'list-3'])
      expect(await names('list=yes,!parity')).toEqual([])
      const base = `/api/v1/namespaces/${namespace}/configmaps?labelSelector=list%3Dyes&limit=2`
      const first = JSON.parse(await client.raw(base)) as Page
      await client.create(configMap(namespace, 'list-9', {}, meta(9)))
      const token = encodeURIComponent(first.metadata.continue ?? '')
      const rest = JSON.parse(await client.raw(`${base.replace('limit=2', 'limit=9')}&continue=${token}`)) as Page
      expect([...first.items, ...rest.items].map(({ metadata }) => metadata.name)).toEqual(
        [0, 1, 2, 3, 4].map(index => `list-${index}`),
      )
      expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    })

    it('are listed as they were at a version', async () => {
      const client = world.client()
      const labels = { at: 'yes' }
      const base = `/api/v1/namespaces/${namespace}/configmaps?labelSelector=at%3Dyes`
      await client.create(configMap(namespace, 'at-1', { a: '1' }, { labels }))
      const { resourceVersion } = await client.list(mapKind, { namespace })
      await client.patch(mapKey(namespace, 'at-1'), { data: { a: '2' } }, { type: 'merge' })
      await client.create(configMap(namespace, 'at-2', {}, { labels }))
      const listed = async (query: string) => JSON.parse(await client.raw(`${base}&${query}`)) as Page<ConfigMap>
      const exact = await listed(`resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)
      expect(exact.metadata.resourceVersion).toBe(resourceVersion)
      expect(exact.items.map(({ metadata, data }) => [metadata.name, data])).toEqual([['at-1', { a: '1' }]])
      expect((await listed(`resourceVersion=${resourceVersion}`)).items).toHaveLength(2)
    })

    it('are listed by field', async () => {
      const client = world.client()
      await client.create(configMap(namespace, 'by-field'))
      const found = await client.list(mapKind, { namespace, fieldSelector: 'metadata.name=by-field' })
      expect(found.items).toHaveLength(1)
      await expect(client.list(mapKind, { namespace, fieldSelector: 'data.a=b' })).rejects.toMatchObject({
        status: 400,
      })
      await expect(client.list(mapKind, { namespace, labelSelector: 'a=(' })).rejects.toMatchObject({ status: 400 })
    })

    it('come without their contents when only metadata is asked for', async () => {
      const client = world.client()
      await client.create(configMap(namespace, 'bare', { secret: 'x' }))
      const one = await client.getMetadata(mapKey(namespace, 'bare'))
      expect(one?.metadata.name).toBe('bare')
      expect(one).not.toHaveProperty('data')
      const list = await client.list(mapKind, { namespace, metadataOnly: true })
      for (const item of list.items) expect(item).not.toHaveProperty('data')
    })

    it('come as a table for people', async () => {
      const client = world.client()
      await client.create(configMap(namespace, 'row', { a: '1', b: '2' }))
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
      const text = await client.raw(`/api/v1/namespaces/${namespace}/configmaps/row`, { accept })
      const table = JSON.parse(text) as {
        kind: string
        columnDefinitions: { name: string }[]
        rows: { cells: unknown[] }[]
      }
      expect(table.kind).toBe('Table')
      expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Data', 'Age'])
      expect(table.rows[0]?.cells.slice(0, 2)).toEqual(['row', 2])
    })

    it('are refused when somebody else was faster', async () => {
      const client = world.client()
      const made = await client.create(configMap(namespace, 'race', { a: '1' }))
      await client.patch(mapKey(namespace, 'race'), { data: { a: '2' } }, { type: 'merge' })
      await expect(client.replace({ ...made, data: { a: '3' } })).rejects.toMatchObject({
        status: 409,
        reason: 'Conflict',
      })
      const stale = { metadata: { resourceVersion: made.metadata.resourceVersion }, data: { a: '4' } }
      const patch = client.patch(mapKey(namespace, 'race'), stale, { type: 'merge' })
      await expect(patch).rejects.toMatchObject({ status: 409 })
      const version = made.metadata.resourceVersion ?? ''
      await expect(client.delete(mapKey(namespace, 'race'), { resourceVersion: version })).rejects.toMatchObject({
        status: 409,
      })
      expect((await client.get<ConfigMap>(mapKey(namespace, 'race')))?.data).toEqual({ a: '2' })
    })

    it('that are too large are refused', async () => {
      const made = world.client().create(configMap(namespace, 'large', { a: 'x'.repeat(4 << 20) }))
      await expect(made).rejects.toMatchObject({ status: 413 })
    })
  })
}

interface Page<T = { metadata: { name: string } }> {
  metadata: { continue?: string; resourceVersion: string }
  items: T[]
}
