import { afterAll, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/types.ts'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { adminClient, adminKubeconfig, uniqueNamespace } from '../../harness/cluster.ts'

afterAll(() => adminClient().close())

type Annotations = Record<string, string>

/** A project of ConfigMaps, one item each, in a namespace of its own. */
class Maps implements AsyncDisposable {
  readonly namespace: string
  readonly project: TestProject

  private constructor(namespace: string, project: TestProject) {
    this.namespace = namespace
    this.project = project
  }

  static async of(maps: Record<string, Annotations>): Promise<Maps> {
    const namespace = await uniqueNamespace('prune')
    const project = await TestProject.of({ '.kluctl.yaml': `discriminator: ${namespace}\n` })
    const story = new Maps(namespace, project)
    await story.render(maps)
    return story
  }

  async render(maps: Record<string, Annotations>): Promise<void> {
    const items = Object.keys(maps).map(name => `- path: ${name}\n  tags: [${name}]\n`)
    const files = Object.entries(maps).map(([name, annotations]) => {
      const metadata = `  namespace: ${this.namespace}\n  annotations: ${JSON.stringify(annotations)}\n`
      return [`${name}/map.yaml`, configMap(name, { a: 'b' }, metadata)] as const
    })
    await this.project.write({ 'deployment.yaml': `deployments:\n${items.join('')}`, ...Object.fromEntries(files) })
  }

  async run(...args: string[]): Promise<void> {
    const flags = ['--yes', '--kubeconfig', adminKubeconfig(), '--write-command-result=false']
    const { code, stdout, stderr } = await this.project.run([...args, ...flags])
    expect(code, stdout + stderr).toBe(0)
  }

  /** Changes a ConfigMap that is there as somebody else would. */
  async edit(name: string, metadata: Partial<KubeObject['metadata']>): Promise<KubeObject> {
    return adminClient().patch<KubeObject>(this.#key(name), { metadata }, { type: 'merge', fieldManager: 'somebody' })
  }

  /** Names of the ConfigMaps that are there. */
  async left(): Promise<string[]> {
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' }
    const { items } = await adminClient().list<KubeObject>(kind, { namespace: this.namespace })
    return items.map(({ metadata }) => metadata.name ?? '').filter(name => name !== 'kube-root-ca.crt')
  }

  #key(name: string) {
    return { apiVersion: 'v1', kind: 'ConfigMap', name, namespace: this.namespace }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]()
  }
}

it('leaves alone what asks for it, what others own, and what another target deployed', async () => {
  await using maps = await Maps.of({
    kept: {},
    orphan: {},
    owned: {},
    forced: {},
    edited: {},
    skipped: { 'kluctl.io/skip-delete': 'true' },
    helm: { 'helm.sh/resource-policy': 'keep' },
    unskipped: { 'kluctl.io/skip-delete': 'true' },
  })
  await maps.run('deploy')
  const { uid = '' } = (await maps.edit('kept', {})).metadata
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'kept', uid }]
  await maps.edit('owned', { ownerReferences })
  await maps.edit('forced', { ownerReferences, annotations: { 'kluctl.io/force-managed': 'true' } })
  await maps.edit('edited', { annotations: { 'kluctl.io/skip-delete': 'true' } })
  await maps.edit('unskipped', { annotations: { 'kluctl.io/skip-delete': 'false' } })
  const copied = { name: 'copied', namespace: maps.namespace, labels: { 'kluctl.io/discriminator': maps.namespace } }
  const other = { ...copied, name: 'other', labels: { 'kluctl.io/discriminator': `${maps.namespace}-2` } }
  for (const [metadata, fieldManager] of [[copied, 'somebody'] as const, [other, 'kluctl'] as const]) {
    await adminClient().apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, { fieldManager })
  }

  await maps.render({ kept: {} })
  await maps.run('prune')
  expect(await maps.left()).toEqual(['copied', 'edited', 'helm', 'kept', 'other', 'owned', 'skipped'])

  await maps.run('delete')
  // What was owned by a deleted object goes with it, sooner or later.
  const left = (await maps.left()).filter(name => name !== 'owned')
  expect(left).toEqual(['copied', 'edited', 'helm', 'other', 'skipped'])
})

it('goes by the tags and folders that objects were deployed with', async () => {
  await using maps = await Maps.of({ one: {}, two: {}, three: { 'kluctl.io/skip-delete-if-tags': 'true' } })
  await maps.run('deploy')
  await maps.run('delete', '--include-tag', 'one', '--include-tag', 'three')
  expect(await maps.left()).toEqual(['three', 'two'])
  await maps.run('delete', '--exclude-deployment-dir', 'two')
  expect(await maps.left()).toEqual(['two'])
  await maps.run('deploy', '--prune', '--include-tag', 'one')
  expect(await maps.left()).toEqual(['one', 'two'])
})
