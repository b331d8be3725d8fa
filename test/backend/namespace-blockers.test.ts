import { describe, expect, it } from 'vitest'
import { namespaceBlockers } from '../../src/backend/namespace-blockers.ts'
import type { KubeObject } from '../../src/kube/types.ts'

function terminating(conditions: { type: string; message: string }[], finalizers: string[] = []): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop-pr-1', deletionTimestamp: '2026-11-23T12:00:00Z', finalizers },
    status: { phase: 'Terminating', conditions: conditions.map(condition => ({ ...condition, status: 'True' })) },
  }
}

const content = {
  type: 'NamespaceContentRemaining',
  message:
    'Some resources are remaining: configmaps. has 2 resource instances, kustomizations.kustomize.toolkit.fluxcd.io has 1 resource instances',
}
const held = {
  type: 'NamespaceFinalizersRemaining',
  message: 'Some content in the namespace has finalizers remaining: example.com/hold in 3 resource instances',
}
const configMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'shop-pr-1',
  name,
  finalizers: ['example.com/hold'],
})

describe('blockers of a namespace', () => {
  it('tells kinds with their counts and the finalizers that hold them', () => {
    expect(namespaceBlockers(terminating([content, held]), [])).toEqual([
      {
        apiVersion: 'v1',
        kind: 'configmaps',
        namespace: 'shop-pr-1',
        name: '(2)',
        finalizers: ['example.com/hold'],
        message: '2 configmaps remain in the namespace',
      },
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io',
        kind: 'kustomizations',
        namespace: 'shop-pr-1',
        name: '(1)',
        finalizers: ['example.com/hold'],
        message: '1 kustomizations.kustomize.toolkit.fluxcd.io remain in the namespace',
      },
    ])
  })

  it('prefers names to counts where all of a kind are known by name', () => {
    const known = [configMap('a'), configMap('b')]
    expect(namespaceBlockers(terminating([content, held]), known).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'ConfigMap a',
      'ConfigMap b',
      'kustomizations (1)',
    ])
  })

  it('drops names whose kind is gone, and counts of an earlier look', () => {
    const before = namespaceBlockers(terminating([content, held]), [])
    const later = { ...content, message: 'Some resources are remaining: secrets. has 1 resource instances' }
    const now = namespaceBlockers(terminating([later]), [...before, configMap('a')])
    expect(now.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['secrets (1)'])
  })

  it('keeps known names while nothing is counted yet', () => {
    expect(namespaceBlockers(terminating([]), [configMap('a')])).toEqual([configMap('a')])
  })

  it('tells failures of the namespace controller and finalizers of the namespace itself', () => {
    const failure = { type: 'NamespaceDeletionContentFailure', message: 'unable to reach token=hunter22 webhook' }
    const blockers = namespaceBlockers(terminating([failure], ['example.com/keep']), [])
    expect(blockers).toMatchObject([
      { kind: 'Namespace', message: 'NamespaceDeletionContentFailure: unable to reach token=*** webhook' },
      { kind: 'Namespace', finalizers: ['example.com/keep'] },
    ])
  })

  it('names nothing for a namespace that is not being deleted', () => {
    const active = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop-pr-1' } }
    expect(namespaceBlockers(active, [configMap('a')])).toEqual([])
  })
})
