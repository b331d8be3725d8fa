import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type InclusionFlags, inclusion } from '../../../src/engine/deployment/inclusion.ts'
import type { Manifest } from '../../../src/engine/item.ts'
import { preferredKinds } from '../../../src/engine/plan/api-kinds.ts'
import { objectsToDelete, usesTags } from '../../../src/engine/plan/orphans.ts'
import { formatRef, refOf } from '../../../src/engine/plan/refs.ts'
import type { ObjectRef } from '../../../src/engine/plan/types.ts'
import type { JsonObject } from '../../../src/engine/values.ts'
import type { ApiResource } from '../../../src/kube/discovery.ts'

function resource(apiVersion: string, kind: string, plural: string, namespaced = true): ApiResource {
  return { apiVersion, kind, plural, namespaced, singular: '', shortNames: [], verbs: ['list'], subresources: [] }
}

const resources = [
  resource('v1', 'Namespace', 'namespaces', false),
  resource('v1', 'ConfigMap', 'configmaps'),
  resource('v1', 'Service', 'services'),
  resource('v1', 'ComponentStatus', 'componentstatuses', false),
  resource('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  resource('autoscaling/v1', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  resource('apps/v1', 'Deployment', 'deployments'),
  resource('cert-manager.io/v1', 'Certificate', 'certificates'),
  resource('extensions/v1beta1', 'Ingress', 'ingresses'),
]

interface Given {
  apiVersion?: string
  kind?: string
  name?: string
  namespace?: string
  labels?: JsonObject
  annotations?: JsonObject
  manager?: string
  owners?: JsonObject[]
}

/** A ConfigMap that kluctl deployed for the target, unless said otherwise. */
function object(given: Given = {}): Manifest {
  const { apiVersion = 'v1', kind = 'ConfigMap', name = 'cm', namespace = 'ns', manager = 'kluctl' } = given
  const managedFields = manager === '' ? [] : [{ manager: 'other' }, { manager, operation: 'Apply' }]
  const labels = { 'kluctl.io/discriminator': 'mine', ...given.labels }
  const metadata = { name, namespace, labels, annotations: given.annotations ?? {}, managedFields }
  return { apiVersion, kind, metadata: { ...metadata, ...(given.owners ? { ownerReferences: given.owners } : {}) } }
}

function chosen(objects: Manifest[], flags: InclusionFlags = {}, keep: ObjectRef[] = []): string[] {
  const scope = { discriminator: 'mine', kinds: preferredKinds(resources), inclusion: inclusion(flags) }
  return objectsToDelete(objects, { ...scope, hasTags: usesTags(flags), keep }).map(formatRef)
}

const annotated = (name: string, value = 'true') => object({ annotations: { [name]: value } })
const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' }

describe('who is deleted', () => {
  test.each<[string, Manifest, boolean]>([
    ['deployed', object(), true],
    ['of another target', object({ labels: { 'kluctl.io/discriminator': 'other' } }), false],
    ['applied by somebody else', object({ manager: 'kubectl' }), false],
    ['of unknown origin', object({ manager: '' }), false],
    ['owned by another object', object({ owners: [owner] }), false],
    [
      'owned, but managed by force',
      object({ owners: [owner], annotations: { 'kluctl.io/force-managed': 'true' } }),
      true,
    ],
    ['to be skipped', annotated('kluctl.io/skip-delete'), false],
    ['not to be skipped', annotated('kluctl.io/skip-delete', 'false'), true],
    ['kept by Helm', annotated('helm.sh/resource-policy', 'keep'), false],
    ['skipped with tags only', annotated('kluctl.io/skip-delete-if-tags'), true],
    ['of a kind that is served elsewhere', object({ apiVersion: 'extensions/v1beta1', kind: 'Ingress' }), false],
    ['of a kind that is gone', object({ apiVersion: 'gone.io/v1', kind: 'Gone' }), false],
  ])('%s', (_, one, isChosen) => expect(chosen([one])).toHaveLength(isChosen ? 1 : 0))

  test('without a discriminator nobody', () => {
    const scope = { discriminator: '', kinds: preferredKinds(resources), inclusion: inclusion({}), hasTags: false }
    expect(objectsToDelete([object({ labels: { 'kluctl.io/discriminator': '' } })], scope)).toEqual([])
  })
})

describe('tags and folders', () => {
  const tagged = object({
    name: 'tagged',
    labels: { 'kluctl.io/tag-0': 'a', 'kluctl.io/tag-1': 'b' },
    annotations: { 'kluctl.io/deployment-item-dir': 'apps/web', 'kluctl.io/skip-delete-if-tags': 'false' },
  })
  const namespace = object({
    kind: 'Namespace',
    name: 'ns',
    namespace: '',
    annotations: { 'kluctl.io/skip-delete-if-tags': 'true' },
    labels: { 'kluctl.io/tag-0': 'a' },
  })
  test.each<[InclusionFlags, string[]]>([
    [{}, ['Namespace/ns', 'ns/ConfigMap/tagged']],
    [{ includeTag: ['a'] }, ['ns/ConfigMap/tagged']],
    [{ includeTag: ['c'] }, []],
    [{ excludeTag: ['b'] }, []],
    [{ includeDeploymentDir: ['apps/web'] }, ['ns/ConfigMap/tagged']],
    [{ includeDeploymentDir: ['apps'] }, []],
    [{ excludeDeploymentDir: ['apps/web'] }, ['Namespace/ns']],
  ])('%j', (flags, expected) => expect(chosen([tagged, namespace], flags)).toEqual(expected))
})

test('what is rendered stays, in whatever version and with whatever namespace it is rendered', () => {
  const hpa = object({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'h', namespace: 'default' })
  const namespace = object({ kind: 'Namespace', name: 'n', namespace: '' })
  const keep = [
    { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler', name: 'h' },
    { version: 'v1', kind: 'Namespace', name: 'n', namespace: 'ignored' },
  ]
  expect(chosen([hpa, namespace, object()], {}, keep)).toEqual(['ns/ConfigMap/cm'])
})

test('an object that is known in two versions is deleted once', () => {
  const both = ['autoscaling/v2', 'autoscaling/v1'].map(apiVersion =>
    object({ apiVersion, kind: 'HorizontalPodAutoscaler' }),
  )
  expect(chosen(both)).toHaveLength(1)
})

test('namespaces first, then what operators work on, then what runs, then the rest', () => {
  const objects = [
    object({ name: 'b' }),
    object({ name: 'a' }),
    object({ apiVersion: 'apps/v1', kind: 'Deployment' }),
    object({ apiVersion: 'cert-manager.io/v1', kind: 'Certificate' }),
    object({ kind: 'Namespace', name: 'z', namespace: '' }),
    object({ kind: 'Service' }),
  ]
  expect(chosen(objects)).toEqual([
    'Namespace/z',
    'ns/Certificate/cm',
    'ns/Deployment/cm',
    'ns/Service/cm',
    'ns/ConfigMap/a',
    'ns/ConfigMap/b',
  ])
})

test('preferred kinds: each once, in the first version', () => {
  expect(preferredKinds(resources).map(({ version, kind }) => `${version} ${kind}`)).toEqual([
    'v1 Namespace',
    'v1 ConfigMap',
    'v1 Service',
    'v2 HorizontalPodAutoscaler',
    'v1 Deployment',
    'v1 Certificate',
  ])
})

const name = fc.constantFrom('a', 'b', 'c')
const some = fc.record({
  name,
  namespace: fc.constantFrom('ns', 'other'),
  kind: fc.constantFrom('ConfigMap', 'Service', 'Unknown'),
  manager: fc.constantFrom('kluctl', 'kubectl', ''),
  labels: fc.record({ 'kluctl.io/discriminator': fc.constantFrom('mine', 'mine-too', '') }),
  annotations: fc.dictionary(
    fc.constantFrom('kluctl.io/force-managed', 'kluctl.io/skip-delete'),
    fc.constantFrom('true', 'false'),
  ),
})

test('never an object of another discriminator, nor one that is rendered, nor one twice', () => {
  fc.assert(
    fc.property(fc.array(some), fc.array(some), (given, rendered) => {
      const objects = given.map(object)
      const keep = rendered.map(one => refOf(object(one)))
      const scope = {
        discriminator: 'mine',
        kinds: preferredKinds(resources),
        inclusion: inclusion({}),
        hasTags: false,
      }
      const refs = objectsToDelete(objects, { ...scope, keep }).map(formatRef)
      const mine = objects
        .filter(one => (one.metadata as { labels: JsonObject }).labels['kluctl.io/discriminator'] === 'mine')
        .map(one => formatRef(refOf(one)))
      for (const ref of refs) expect(mine).toContain(ref)
      for (const ref of keep) expect(refs).not.toContain(formatRef(ref))
      expect(new Set(refs).size).toBe(refs.length)
    }),
  )
})
