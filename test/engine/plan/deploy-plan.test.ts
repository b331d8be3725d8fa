import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ItemPlan, planDeployment, resolveReference } from '../../../src/engine/plan/deploy-plan.ts'
import { Problems } from '../../../src/engine/plan/problems.ts'
import { refOf } from '../../../src/engine/plan/refs.ts'
import type { ItemObjects } from '../../../src/engine/render/items.ts'
import { itemOf, mapOf } from './plan-items.ts'

const empty = { get: () => undefined }

function plan(items: readonly ItemObjects[], remote: Parameters<typeof planDeployment>[1] = empty) {
  const problems = new Problems()
  return { ...planDeployment(items, remote, problems), problems }
}

const names = (objects: readonly { metadata?: unknown }[]) => objects.map(object => refOf(object as never).name)
const flat = (item: ItemPlan) => ({
  deletions: item.deletions.map(ref => ref.name),
  before: names(item.hooksBefore.map(hook => hook.object)),
  objects: names(item.objects),
  waitFor: item.waitFor.map(ref => ref.name),
  after: names(item.hooksAfter.map(hook => hook.object)),
})

describe('stages', () => {
  it('end at barriers, those of kustomizations too', () => {
    const withOwn = { ...itemOf({ path: 'b' }), barrier: true }
    const { stages } = plan([
      itemOf({ path: 'a' }),
      withOwn,
      itemOf({ barrier: true, message: 'wait' }),
      itemOf({ path: 'c' }),
    ])
    expect(stages.map(({ items, barrier }) => [items.map(item => item.name), barrier])).toEqual([
      [['a', 'b'], { message: undefined }],
      [[undefined], { message: 'wait' }],
      [['c'], undefined],
    ])
  })

  it('hold every item once, in order', () => {
    const items = fc.array(fc.record({ barrier: fc.boolean(), own: fc.boolean() }))
    fc.assert(
      fc.property(items, shapes => {
        const all = shapes.map(({ barrier, own }, index) => ({
          ...itemOf({ path: `${index}`, barrier }),
          barrier: own,
        }))
        const { stages } = plan(all)
        expect(stages.flatMap(stage => stage.items.map(item => item.name))).toEqual(
          shapes.map((_, index) => `${index}`),
        )
        const barriers = shapes.filter(({ barrier, own }) => barrier || own).length
        expect(stages.filter(stage => stage.barrier !== undefined)).toHaveLength(barriers)
      }),
    )
  })
})

describe('an item', () => {
  const objects = [
    mapOf('plain'),
    mapOf('gone', { 'kluctl.io/delete': 'true', 'kluctl.io/hook': 'pre-deploy' }),
    mapOf('first', { 'kluctl.io/hook': 'pre-deploy-initial,post-deploy' }),
    mapOf('later', { 'kluctl.io/hook': 'pre-deploy-upgrade' }),
    mapOf('early', { 'kluctl.io/hook': 'pre-deploy', 'kluctl.io/hook-weight': '-1' }),
  ]

  it('is deployed for the first time when none of its objects is there', () => {
    const [stage] = plan([itemOf({ path: 'a', waitReadiness: true }, objects)]).stages
    expect(stage?.items.map(flat)).toEqual([
      { deletions: ['gone'], before: ['early', 'first'], objects: ['plain'], waitFor: ['plain'], after: ['first'] },
    ])
  })

  it.each(objects.map(object => refOf(object).name))('is upgraded when %s is there', name => {
    const remote = { get: (ref: { name: string }) => (ref.name === name ? mapOf(name) : undefined) }
    const [stage] = plan([itemOf({ path: 'a' }, objects)], remote).stages
    expect(stage?.items.map(flat)).toMatchObject([{ before: ['early', 'later'], after: ['first'], waitFor: [] }])
  })

  it('waits for what its kustomization or its objects ask for', () => {
    const asking = mapOf('asking', { 'kluctl.io/wait-readiness': 'true' })
    const [stage] = plan([
      itemOf({ path: 'a' }, [asking, mapOf('other')]),
      { ...itemOf({ path: 'b' }, [mapOf('all')]), waitReadiness: true },
    ]).stages
    expect(stage?.items.map(item => item.waitFor.map(ref => ref.name))).toEqual([['asking'], ['all']])
  })

  it('is called by its folder, or by what it does', () => {
    const one = { kind: 'ConfigMap', name: 'x' }
    const items = [{ path: 'a' }, { deleteObjects: [one] }, { waitReadinessObjects: [one] }, { message: 'hello' }]
    const [stage] = plan(items.map(config => itemOf(config))).stages
    expect(stage?.items.map(item => item.name)).toEqual(['a', '<delete>', '<wait>', undefined])
  })
})

it('knows the kinds and namespaces that the deployment itself brings', () => {
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: { group: 'example.com', names: { kind: 'Thing' }, versions: [{ name: 'v1' }, { name: 'v2' }] },
  }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fresh' } }
  const gone = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'old', annotations: { 'kluctl.io/delete': 'true' } },
  }
  const { definedKinds, namespaces } = plan([itemOf({ path: 'a' }, [crd]), itemOf({ path: 'b' }, [namespace, gone])])
  expect([...definedKinds]).toEqual(['example.com/v1 Thing', 'example.com/v2 Thing'])
  expect([...namespaces]).toEqual(['fresh'])
})

it('tells what is wrong with hooks by object', () => {
  const hook = mapOf('hook', {
    'kluctl.io/hook': 'sometimes',
    'helm.sh/hook': 'test',
    'kluctl.io/hook-weight': 'heavy',
  })
  const { problems } = plan([itemOf({ path: 'a' }, [hook])])
  expect(problems.errors).toEqual([
    { ref: refOf(hook), message: "unsupported kluctl.io/hook 'sometimes'" },
    { ref: refOf(hook), message: 'failed to parse hook weight: "heavy" is not an integer of 32 bits' },
  ])
  expect(problems.warnings).toEqual([{ ref: refOf(hook), message: "unsupported helm.sh/hook 'test'" }])
})

it('finds the objects of a reference in every kind that fits', () => {
  const kind = (group: string, version: string, name: string) => {
    return { group, version, kind: name, plural: '', namespaced: true, verbs: [] }
  }
  const kinds = [
    kind('', 'v1', 'Service'),
    kind('serving.knative.dev', 'v1', 'Service'),
    kind('apps', 'v1', 'Deployment'),
  ]
  expect(resolveReference({ kind: 'Service', name: 'x', namespace: 'ns' }, kinds)).toEqual([
    { version: 'v1', kind: 'Service', name: 'x', namespace: 'ns' },
    { group: 'serving.knative.dev', version: 'v1', kind: 'Service', name: 'x', namespace: 'ns' },
  ])
  expect(resolveReference({ group: '', name: 'x' }, kinds)).toEqual([{ version: 'v1', kind: 'Service', name: 'x' }])
  expect(resolveReference({ kind: 'Nothing', name: 'x' }, kinds)).toEqual([])
})
