import { afterAll, beforeAll, expect, test } from 'vitest'
import { KubeClient } from '../../../src/kube/client.ts'
import { type Sandbox, startSandbox } from '../../../src/sandbox/index.ts'
import { loadVars } from '../../harness/engine/host.ts'

let sandbox: Sandbox
let cluster: KubeClient

beforeAll(async () => {
  sandbox = await startSandbox()
  cluster = KubeClient.fromKubeconfig({ text: sandbox.kubeconfig() })
  const metadata = (name: string, labels = {}) => ({ name, namespace: 'shop', labels })
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  await cluster.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata('one', { app: 'x', n: '1' }),
    data: {
      vars: 'a: "{{ who }}"\nlist: [1, 2]\n',
      number: '123',
      yaml: 'k: {{ who }}',
      docs: '---\na: 1\n---\na: 2\n',
    },
  })
  await cluster.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata('two', { app: 'x' }),
    data: { vars: 'b: 1' },
  })
  const stringData = Buffer.from('s: "{{ who }}"').toString('base64')
  await cluster.create({ apiVersion: 'v1', kind: 'Secret', metadata: metadata('secret'), data: { vars: stringData } })
})

afterAll(async () => {
  await cluster.close()
  await sandbox.close()
})

const who = { values: { who: 'me' } }
const load = (...entries: Record<string, unknown>[]) => loadVars([who, ...entries], { cluster })

test('keys of ConfigMaps and Secrets are rendered and read as YAML', async () => {
  const at = { namespace: 'shop', key: 'vars' }
  const { variables, sensitive } = await load(
    { clusterConfigMap: { ...at, name: 'one' } },
    { clusterSecret: { ...at, name: 'secret' } },
    { clusterConfigMap: { ...at, labels: { app: 'x', n: '1' } }, targetPath: 'by.labels' },
    { clusterConfigMap: { namespace: 'shop', name: 'one', key: 'number' }, targetPath: 'n' },
    { clusterConfigMap: { namespace: 'shop', name: 'one', key: 'number', targetPath: 'old' } },
    { clusterConfigMap: { namespace: 'shop', name: 'one', key: 'docs' }, multidoc: true, targetPath: 'docs' },
  )
  expect(variables).toEqual({
    who: 'me',
    a: 'me',
    list: [1, 2],
    s: 'me',
    by: { labels: { a: 'me', list: [1, 2] } },
    n: 123,
    old: 123,
    docs: [{ a: 1 }, { a: 2 }],
  })
  expect(sensitive.slice(0, 3)).toEqual([false, false, true])
})

test('what is missing is named, or leaves defaults as they are', async () => {
  const absent = { namespace: 'shop', name: 'absent', key: 'vars' }
  await expect(load({ clusterConfigMap: absent })).rejects.toThrow('ConfigMap shop/absent not found on cluster')
  await expect(load({ clusterSecret: { ...absent, name: 'secret', key: 'k' } })).rejects.toThrow(
    'key k not found in shop/Secret/secret on cluster',
  )
  const labels = { namespace: 'shop', labels: { app: 'none' }, key: 'vars' }
  await expect(load({ clusterConfigMap: labels })).rejects.toThrow('no object found with labels app=none')
  const entries = [absent, { ...absent, name: 'one', key: 'k' }, labels].map(clusterConfigMap => ({
    clusterConfigMap,
    ignoreMissing: true,
    targetPath: 'settings',
  }))
  const { variables } = await load({ values: { settings: { default: 1 } } }, ...entries)
  expect(variables).toEqual({ who: 'me', settings: { default: 1 } })
})

test('labels must find one object, and name and labels exclude each other', async () => {
  const at = { namespace: 'shop', key: 'vars' }
  await expect(load({ clusterConfigMap: { ...at, labels: { app: 'x' } } })).rejects.toThrow(
    'found more than one objects with labels app=x',
  )
  await expect(load({ clusterConfigMap: at })).rejects.toThrow('either name or labels must be set')
  await expect(load({ clusterConfigMap: { ...at, name: 'a', labels: { b: 'c' } } })).rejects.toThrow(
    'only one of name or labels can be set',
  )
})

test('offline the cluster cannot be asked, even with ignoreMissing', async () => {
  for (const name of ['clusterConfigMap', 'clusterSecret']) {
    const entry = { [name]: { namespace: 'shop', name: 'one', key: 'vars' }, ignoreMissing: true }
    await expect(loadVars([entry])).rejects.toThrow('loading vars from cluster is disabled')
  }
  const clusterObject = { kind: 'ConfigMap', namespace: 'shop', name: 'one', path: '$' }
  await expect(loadVars([{ clusterObject, targetPath: 'x', ignoreMissing: true }])).rejects.toThrow('is disabled')
})

test('clusterObject takes a part of an object, or of each of a list, raw, rendered or as YAML', async () => {
  const one = { kind: 'ConfigMap', namespace: 'shop', name: 'one' }
  const { variables, sensitive } = await load(
    { clusterObject: { ...one, path: 'data.number' }, targetPath: 'number' },
    { clusterObject: { ...one, path: '$.data.yaml', render: true, parseYaml: true }, targetPath: 'yaml' },
    { clusterObject: { ...one, path: 'data', render: true }, targetPath: 'data' },
    {
      clusterObject: {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        namespace: 'shop',
        labels: { app: 'x' },
        list: true,
        path: 'metadata.name',
      },
      targetPath: 'names',
    },
  )
  expect(variables).toMatchObject({ number: '123', yaml: { k: 'me' }, data: { yaml: 'k: me' }, names: ['one', 'two'] })
  expect(sensitive[1]).toBe(true)
})

test('clusterObject says what does not fit', async () => {
  const one = { kind: 'ConfigMap', namespace: 'shop', name: 'one', path: '$' }
  const failing = (spec: Record<string, unknown>) => load({ clusterObject: { ...one, ...spec }, targetPath: 'x' })
  await expect(failing({ kind: 'Nothing' })).rejects.toThrow('no matching resource found for kind Nothing')
  await expect(failing({ name: undefined, labels: { app: 'x' } })).rejects.toThrow('found more than one object')
  await expect(failing({ path: 'data.none' })).rejects.toThrow('json path not found')
  await expect(failing({ path: 'data.*' })).rejects.toThrow('json path resulted in multiple matches')
  await expect(failing({ path: 'data', parseYaml: true })).rejects.toThrow('value is not a string')
  await expect(failing({ name: 'absent' })).rejects.toThrow('no object found')
  await expect(failing({ kind: 'Event', name: 'x' })).rejects.toThrow('consider also specifying apiVersion')
  const ignored = { clusterObject: { ...one, name: 'absent' }, targetPath: 'x', ignoreMissing: true }
  expect((await load(ignored)).variables).toEqual({ who: 'me', x: {} })
})
