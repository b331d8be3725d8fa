import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/types.ts'
import { waitFor } from '../wait.ts'
import { type ContractWorld, freshNamespace } from './world.ts'

const word = `w${randomBytes(4).toString('hex')}`
const group = 'contract.offshoot.dev'
const kind = { apiVersion: `${group}/v1`, kind: `Kind${word}` }

const definition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${word}s.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: `${word}s`, kind: kind.kind, shortNames: [`s${word}`] },
    versions: ['v1', 'v2'].map(name => ({
      name,
      served: true,
      storage: name === 'v1',
      subresources: {
        status: {},
        scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
      },
      additionalPrinterColumns: [
        { name: 'Size', type: 'string', jsonPath: '.spec.size' },
        { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      ],
      schema: {
        openAPIV3Schema: {
          type: 'object',
          required: ['spec'],
          properties: {
            spec: {
              type: 'object',
              required: ['size'],
              properties: {
                size: { type: 'string', enum: ['small', 'large'] },
                replicas: { type: 'integer', minimum: 0, default: 2 },
                fixed: {
                  type: 'string',
                  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed is fixed' }],
                },
                name: { type: 'string', maxLength: 5, pattern: '^[a-z]+$' },
                port: { 'x-kubernetes-int-or-string': true },
                free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                nested: {
                  type: 'object',
                  default: {},
                  properties: {
                    on: { type: 'boolean', default: true },
                    none: { type: 'array', default: [], items: { type: 'string' } },
                  },
                },
                items: {
                  type: 'array',
                  'x-kubernetes-list-type': 'map',
                  'x-kubernetes-list-map-keys': ['id'],
                  items: {
                    type: 'object',
                    required: ['id'],
                    properties: { id: { type: 'string' }, value: { type: 'string' } },
                  },
                },
                tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                a: { type: 'string' },
                b: { type: 'string' },
              },
              'x-kubernetes-validations': [{ rule: '!(has(self.a) && has(self.b))', message: 'a or b, not both' }],
            },
            status: {
              type: 'object',
              properties: {
                replicas: { type: 'integer' },
                conditions: {
                  type: 'array',
                  items: { type: 'object', properties: { type: { type: 'string' }, status: { type: 'string' } } },
                },
              },
            },
          },
        },
      },
    })),
  },
}

/** What every API server does with custom resources. */
export function customContract(world: ContractWorld): void {
  describe('custom resources', () => {
    let namespace = ''
    beforeAll(async () => {
      namespace = await freshNamespace(world)
      await world.client().create(definition)
      await waitFor(() =>
        world
          .client()
          .list(kind, { namespace })
          .then(() => true),
      )
      await waitFor(() =>
        world
          .client()
          .list({ ...kind, apiVersion: `${group}/v2` }, { namespace })
          .then(() => true),
      )
    })

    const thing = (name: string, spec: object): KubeObject => ({ ...kind, metadata: { namespace, name }, spec })
    const key = (name: string) => ({ ...kind, namespace, name })

    it('get defaults and lose unknown fields', async () => {
      const made = await world
        .client()
        .create(thing('one', { size: 'small', nonsense: 1, free: { any: { thing: 1 } }, port: 'http' }))
      expect(made.spec).toEqual({
        size: 'small',
        replicas: 2,
        nested: { on: true, none: [] },
        free: { any: { thing: 1 } },
        port: 'http',
      })
      expect(made.metadata.generation).toBe(1)
    })

    it('are refused with every problem at its place', async () => {
      const made = world.client().create(thing('bad', { size: 'huge', replicas: -1, name: 'Too-Long' }))
      const fields = await made.then(
        () => [],
        (error: { details: { causes: { field: string }[] } }) => error.details.causes.map(({ field }) => field),
      )
      expect([...new Set(fields)].sort()).toEqual([
        '.spec.replicas',
        '<nil>',
        'spec.name',
        'spec.replicas',
        'spec.size',
      ])
      await expect(world.client().create(thing('bad', {}))).rejects.toMatchObject({ status: 422, reason: 'Invalid' })
      await expect(world.client().create(thing('bad', { size: 3 }))).rejects.toMatchObject({ status: 422 })
      const twice = { size: 'small', items: [{ id: 'a' }, { id: 'a' }] }
      await expect(world.client().create(thing('bad', twice))).rejects.toMatchObject({ status: 422 })
      const strict = world.client().create(thing('bad', { size: 'small', odd: 1 }), { fieldValidation: 'Strict' })
      await expect(strict).rejects.toThrow(/unknown field "spec.odd"/)
    })

    it('keep their rules, also those about the change itself', async () => {
      const client = world.client()
      await expect(client.create(thing('bad', { size: 'small', a: 'x', b: 'y' }))).rejects.toThrow(/a or b, not both/)
      await client.create(thing('rules', { size: 'small', fixed: 'x' }))
      const change = client.patch(key('rules'), { spec: { fixed: 'y' } }, { type: 'merge' })
      await expect(change).rejects.toMatchObject({ status: 422, message: expect.stringContaining('fixed is fixed') })
    })

    it('count generations of the spec, and keep the status apart', async () => {
      const client = world.client()
      const made = await client.create({ ...thing('status', { size: 'small' }), status: { replicas: 9 } })
      expect(made.status).toBeUndefined()
      const status = {
        status: { replicas: 1, conditions: [{ type: 'Ready', status: 'True' }] },
        spec: { size: 'large' },
      }
      const reported = await client.patch(key('status'), status, { type: 'merge', subresource: 'status' })
      expect(reported).toMatchObject({ status: { replicas: 1 }, spec: { size: 'small' }, metadata: { generation: 1 } })
      const changed = await client.patch(
        key('status'),
        { spec: { size: 'large' }, status: { replicas: 5 } },
        { type: 'merge' },
      )
      expect(changed).toMatchObject({ status: { replicas: 1 }, metadata: { generation: 2 } })
    })

    it('are applied by key and by value', async () => {
      const client = world.client()
      const apply = (manager: string, items: object[], tags: string[]) =>
        client.apply(thing('lists', { size: 'small', items, tags }), { fieldManager: manager })
      await apply('one', [{ id: 'a', value: '1' }, { id: 'b' }], ['x', 'y'])
      await apply('two', [{ id: 'c' }], ['z'])
      const last = await apply('one', [{ id: 'a', value: '2' }], ['x'])
      expect(last.spec).toMatchObject({ items: [{ id: 'a', value: '2' }, { id: 'c' }], tags: ['x', 'z'] })
      const conflict = client.apply(thing('lists', { size: 'small', items: [{ id: 'a', value: '3' }] }), {
        fieldManager: 'two',
      })
      await expect(conflict).rejects.toMatchObject({ details: { causes: [{ field: '.spec.items[id="a"].value' }] } })
    })

    it('are served in every version and as a table', async () => {
      const client = world.client()
      await client.create(thing('versions', { size: 'large' }))
      const other = await client.get({ ...key('versions'), apiVersion: `${group}/v2` })
      expect(other).toMatchObject({ apiVersion: `${group}/v2`, spec: { size: 'large' } })
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
      const path = `/apis/${group}/v1/namespaces/${namespace}/${word}s/versions`
      const table = JSON.parse(await client.raw(path, { accept })) as {
        columnDefinitions: { name: string }[]
        rows: { cells: unknown[] }[]
      }
      expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Size', 'Ready'])
      expect(table.rows[0]?.cells.slice(0, 2)).toEqual(['versions', 'large'])
      const scale = JSON.parse(await client.raw(`${path}/scale`)) as KubeObject
      expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 2 } })
    })

    it('go with their definition', async () => {
      const client = world.client()
      await client.create(thing('last', { size: 'small' }))
      const name = definition.metadata.name ?? ''
      await client.delete({ apiVersion: definition.apiVersion, kind: definition.kind, name })
      const gone = () =>
        client
          .get({ apiVersion: definition.apiVersion, kind: definition.kind, name })
          .then(found => found === undefined)
      await waitFor(gone)
      const path = `/apis/${group}/v1/namespaces/${namespace}/${word}s`
      await waitFor(() =>
        client.raw(path).then(
          () => false,
          (error: { status?: number }) => error.status === 404,
        ),
      )
    })
  })
}
