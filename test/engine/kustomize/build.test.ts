import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Tool } from '../../../src/engine/binaries/index.ts'
import { kustomize, place, renderedItem, scratch, tools } from './rendered.ts'

const signal = new AbortController().signal
const config = (name: string, more = '') => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}`
const names = (objects: readonly Record<string, unknown>[]) =>
  objects.map(({ metadata }) => (metadata as { name: string }).name)

/** Tools whose use is counted. */
function counted() {
  let used = 0
  const get = (skill: 'helm' | 'kustomize'): Promise<Tool> => {
    used++
    return tools.get(skill)
  }
  return { get, times: () => used }
}

test('files of a folder in the order of their bytes, hidden and upper-case ones too, JSON not', async () => {
  const item = renderedItem({
    'b.yaml': config('b'),
    'a.yml': config('a'),
    '.hidden.yaml': config('hidden'),
    'Z.YAML': config('z'),
    'x.json': '{}',
    'helm-values.yaml': 'x: 1',
    'sub/c.yaml': config('c'),
  })
  const { objects } = await kustomize().build(item, signal)
  expect(names(objects)).toEqual(['hidden', 'z', 'a', 'b'])
  const all = renderedItem(
    { 'b.yaml': config('b'), 'a/x.yaml': config('ax'), 'a.yaml': config('a') },
    { recursive: true },
  )
  expect(names((await kustomize().build(all, signal)).objects)).toEqual(['ax', 'a', 'b'])
})

test('recursive with a kustomization below is refused', async () => {
  const item = renderedItem({ 'a.yaml': config('a'), 'x/kustomization.yaml': 'resources: []' }, { recursive: true })
  await expect(kustomize().build(item, signal)).rejects.toThrow('x/kustomization.yaml')
})

test('a kustomization with components, patches, generators and another folder is built by the real Kustomize', async () => {
  const item = renderedItem(
    {
      'kustomization.yaml': [
        'metadata: {annotations: {kluctl.io/barrier: "true"}}',
        'resources: [../shared]',
        'components: [comp]',
        'namePrefix: pre-',
        'configMapGenerator:',
        '- name: made',
        '  files: [key=data.txt]',
        'generatorOptions: {disableNameSuffixHash: true}',
        '',
      ].join('\n'),
      'data.txt': 'hello\n',
      'comp/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {from: comp}}]\n',
      '../shared/kustomization.yaml': 'resources: [a.yaml]\n',
      '../shared/a.yaml': config('shared'),
    },
    { overrideNamespace: 'ns' },
  )
  const { objects, barrier, waitReadiness } = await kustomize().build(item, signal)
  expect({ barrier, waitReadiness }).toEqual({ barrier: true, waitReadiness: false })
  expect(objects).toMatchObject([
    { metadata: { name: 'pre-shared', namespace: 'ns', labels: { from: 'comp' } } },
    { metadata: { name: 'pre-made', namespace: 'ns' }, data: { key: 'hello\n' } },
  ])
})

test('plain folders need no program; a build whose inputs are the same is not made again', async () => {
  const { get, times } = counted()
  const cacheFolder = scratch()
  const builder = kustomize({ tools: { get }, cacheFolder })
  await builder.build(renderedItem({ 'a.yaml': config('a') }), signal)
  expect(times()).toBe(0)
  const files = {
    'kustomization.yaml': 'resources: [a.yaml]\nnameSuffix: -x\n',
    'a.yaml': config('a', 'data: {k: one}\n'),
  }
  const first = await builder.build(renderedItem(files), signal)
  const stored = readdirSync(join(cacheFolder, 'kustomize'))
  expect(stored).toHaveLength(1)
  expect(readFileSync(join(cacheFolder, 'kustomize', stored[0] ?? ''), 'latin1')).not.toContain('one')
  expect(await builder.build(renderedItem(files), signal)).toEqual(first)
  const other = { ...files, 'a.yaml': config('a', 'data: {k: two}\n') }
  expect((await builder.build(renderedItem(other), signal)).objects).toMatchObject([{ data: { k: 'two' } }])
  expect(readdirSync(join(cacheFolder, 'kustomize'))).toHaveLength(2)
  // A damaged entry is a missing one.
  writeFileSync(join(cacheFolder, 'kustomize', stored[0] ?? ''), 'nonsense')
  expect(await builder.build(renderedItem(files), signal)).toEqual(first)
})

test.each([
  ['a generator', 'configMapGenerator: [{name: x, files: [../../../../../../etc/hostname]}]'],
  ['a generator by absolute path', 'configMapGenerator: [{name: x, files: [k=/etc/hostname]}]'],
  ['an env file', 'secretGenerator: [{name: x, envs: [/etc/hostname]}]'],
  ['a resource', 'resources: [/etc/hostname]'],
  ['a patch', 'resources: [a.yaml]\npatches: [{path: ../../../../../../etc/hostname}]'],
  [
    'a generator plugin',
    'generators: ["apiVersion: builtin\\nkind: ConfigMapGenerator\\nmetadata: {name: x}\\nfiles: [/etc/hostname]\\n"]',
  ],
])('%s cannot read files of the machine', async (_, text) => {
  const item = renderedItem({ 'kustomization.yaml': `${text}\n`, 'a.yaml': config('a') })
  await expect(kustomize().build(item, signal)).rejects.toThrow('leads out of the project')
})

test('a link out of the tree is not followed', async () => {
  const item = renderedItem({ 'kustomization.yaml': 'configMapGenerator: [{name: x, files: [data]}]\n' })
  symlinkSync('/etc/hostname', join(item.renderedFolder, 'data'))
  await expect(kustomize().build(item, signal)).rejects.toThrow('leads out of the project')
})

test('a remote base is asked for only where the policy allows it', async () => {
  const item = renderedItem({ 'kustomization.yaml': 'resources: ["https://example.org/owner/repo?ref=v1"]\n' })
  const policy = { sources: 'all' as const, outsideLinks: false, allowsUrl: () => false }
  await expect(kustomize({ policy }).build(item, signal)).rejects.toThrow(
    'example.org/owner/repo?ref=v1 may not be asked for',
  )
})

test('encrypted files are decrypted for the build only', async () => {
  const sops = {
    decrypt: async (content: Uint8Array) =>
      Buffer.from(content).includes('ENC[') ? Buffer.from(config('plain', 'data: {k: opened}\n')) : undefined,
  }
  const cacheFolder = scratch()
  const files = { 'kustomization.yaml': 'resources: [s.yaml]\nnameSuffix: -x\n', 's.yaml': 'data: ENC[abc]\n' }
  const item = renderedItem(files)
  const { objects } = await kustomize({ sops, cacheFolder }).build(item, signal)
  expect(objects).toMatchObject([{ metadata: { name: 'plain-x' }, data: { k: 'opened' } }])
  expect(readFileSync(join(item.renderedFolder, 's.yaml'), 'utf8')).toContain('ENC[')
  // Nothing decrypted is kept.
  expect(readdirSync(cacheFolder)).toEqual([])
  const plain = renderedItem({ 's.yaml': 'data: ENC[abc]\n' })
  expect((await kustomize({ sops }).build(plain, signal)).objects).toMatchObject([{ data: { k: 'opened' } }])
})

test('what Kustomize complains of is told in its words, without folders of ours', async () => {
  const twice = renderedItem({ 'a.yaml': config('same'), 'b.yaml': config('same') })
  const error = await kustomize().build(twice, signal).catch(String)
  expect(error).toContain('may not add resource with an already registered id: ConfigMap.v1.[noGrp]/same.[noNs]')
  expect(error).not.toContain(twice.renderedRoot)
  const unknown = renderedItem({ 'kustomization.yaml': 'resourcez: [a.yaml]\n' })
  await expect(kustomize().build(unknown, signal)).rejects.toThrow('unknown field "resourcez"')
})

test('files beside the item that are named are part of what a cached build depends on', async () => {
  const cacheFolder = scratch()
  const files = { 'kustomization.yaml': 'resources: [../shared/a.yaml]\nnameSuffix: -x\n' }
  const item = renderedItem(files)
  place(item.renderedRoot, { 'shared/a.yaml': config('one') })
  expect(names((await kustomize({ cacheFolder }).build(item, signal)).objects)).toEqual(['one-x'])
  place(item.renderedRoot, { 'shared/a.yaml': config('two') })
  expect(names((await kustomize({ cacheFolder }).build(item, signal)).objects)).toEqual(['two-x'])
})
