import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { health } from '../../src/kube/health.ts'
import { builtinRules } from '../../src/kube/health-builtin.ts'
import type { KubeObject } from '../../src/kube/types.ts'

function object(apiVersion: string, kind: string, spec: object, status: object, metadata: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: 'x', generation: 2, ...metadata }, spec, status }
}
const condition = (type: string, status: string, reason = 'Because', more: object = {}) => ({
  type,
  status,
  reason,
  message: `about ${type}`,
  ...more,
})
const apps = (kind: string, spec: object, status: object) =>
  object('apps/v1', kind, spec, { observedGeneration: 2, ...status })
const rolledOut = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }
const waiting = (reason: string) => [{ name: 'app', state: { waiting: { reason, message: 'back-off' } } }]

describe('health', () => {
  it.each<[string, KubeObject, string, RegExp]>([
    ['a ConfigMap', object('v1', 'ConfigMap', {}, {}), 'Current', /exists/],
    [
      'an object being deleted',
      object('v1', 'ConfigMap', {}, {}, { deletionTimestamp: 'now', finalizers: ['a/b'] }),
      'Terminating',
      /a\/b/,
    ],
    ['a namespace going away', object('v1', 'Namespace', {}, { phase: 'Terminating' }), 'Terminating', /deleted/],
    ['a namespace', object('v1', 'Namespace', {}, { phase: 'Active' }), 'Current', /active/],

    ['a Deployment rolled out', apps('Deployment', { replicas: 2 }, rolledOut), 'Current', /2 replicas/],
    ['a Deployment of none', apps('Deployment', { replicas: 0 }, {}), 'Current', /0 replicas/],
    ['a Deployment not seen', object('apps/v1', 'Deployment', {}, {}), 'InProgress', /not observed/],
    [
      'an older generation',
      object('apps/v1', 'Deployment', { replicas: 2 }, { ...rolledOut, observedGeneration: 1 }),
      'InProgress',
      /generation 2/,
    ],
    [
      'a Deployment updating',
      apps('Deployment', { replicas: 2 }, { ...rolledOut, updatedReplicas: 1 }),
      'InProgress',
      /1 of 2 .*updated/,
    ],
    [
      'a Deployment ending old pods',
      apps('Deployment', { replicas: 2 }, { ...rolledOut, replicas: 3 }),
      'InProgress',
      /1 old/,
    ],
    [
      'a Deployment not available',
      apps('Deployment', { replicas: 2 }, { ...rolledOut, availableReplicas: 0 }),
      'InProgress',
      /0 of 2 .*available/,
    ],
    [
      'a Deployment past its deadline',
      apps('Deployment', {}, { conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] }),
      'Failed',
      /ProgressDeadlineExceeded/,
    ],
    [
      'a Deployment whose pods are refused',
      apps('Deployment', {}, { conditions: [condition('ReplicaFailure', 'True', 'FailedCreate')] }),
      'InProgress',
      /FailedCreate/,
    ],

    [
      'a ReplicaSet',
      apps('ReplicaSet', { replicas: 1 }, { replicas: 1, availableReplicas: 1 }),
      'Current',
      /available/,
    ],
    [
      'a ReplicaSet short of pods',
      apps('ReplicaSet', { replicas: 2 }, { replicas: 2, availableReplicas: 1 }),
      'InProgress',
      /1 of 2/,
    ],

    [
      'a StatefulSet',
      apps(
        'StatefulSet',
        { replicas: 1 },
        { replicas: 1, readyReplicas: 1, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'a' },
      ),
      'Current',
      /1 replicas/,
    ],
    [
      'a StatefulSet between revisions',
      apps(
        'StatefulSet',
        { replicas: 1 },
        { replicas: 1, readyReplicas: 1, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      ),
      'InProgress',
      /every replica/,
    ],
    [
      'a StatefulSet with a partition',
      apps(
        'StatefulSet',
        { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
        { replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      ),
      'Current',
      /3 replicas/,
    ],
    [
      'a StatefulSet updated by hand',
      apps('StatefulSet', { updateStrategy: { type: 'OnDelete' } }, {}),
      'Current',
      /by hand/,
    ],

    [
      'a DaemonSet',
      apps('DaemonSet', {}, { desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 }),
      'Current',
      /1 pods/,
    ],
    [
      'a DaemonSet coming up',
      apps('DaemonSet', {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 }),
      'InProgress',
      /1 of 2/,
    ],

    ['a Job running', object('batch/v1', 'Job', {}, { active: 1 }), 'InProgress', /1 pods active/],
    [
      'a Job done',
      object('batch/v1', 'Job', {}, { conditions: [condition('Complete', 'True')] }),
      'Current',
      /completed/,
    ],
    [
      'a Job failed',
      object('batch/v1', 'Job', {}, { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded')] }),
      'Failed',
      /Backoff/,
    ],
    ['a Job suspended', object('batch/v1', 'Job', { suspend: true }, {}), 'InProgress', /suspended/],
    ['a CronJob', object('batch/v1', 'CronJob', {}, {}), 'Current', /scheduled/],

    [
      'a Pod ready',
      object('v1', 'Pod', {}, { phase: 'Running', conditions: [condition('Ready', 'True')] }),
      'Current',
      /ready/,
    ],
    ['a Pod done', object('v1', 'Pod', {}, { phase: 'Succeeded' }), 'Current', /completed/],
    ['a Pod failed', object('v1', 'Pod', {}, { phase: 'Failed', message: 'evicted' }), 'Failed', /evicted/],
    [
      'a Pod crashing',
      object('v1', 'Pod', {}, { phase: 'Running', containerStatuses: waiting('CrashLoopBackOff') }),
      'Failed',
      /app: CrashLoop/,
    ],
    [
      'a Pod without a node',
      object('v1', 'Pod', {}, { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] }),
      'InProgress',
      /Unschedulable/,
    ],

    ['a PVC bound', object('v1', 'PersistentVolumeClaim', {}, { phase: 'Bound' }), 'Current', /bound/],
    ['a PVC pending', object('v1', 'PersistentVolumeClaim', {}, { phase: 'Pending' }), 'InProgress', /not bound/],
    ['a PVC lost', object('v1', 'PersistentVolumeClaim', {}, { phase: 'Lost' }), 'Failed', /lost/],
    ['a Service', object('v1', 'Service', { type: 'ClusterIP' }, {}), 'Current', /exists/],
    [
      'a load balancer without address',
      object('v1', 'Service', { type: 'LoadBalancer' }, { loadBalancer: {} }),
      'InProgress',
      /address/,
    ],
    [
      'a load balancer',
      object('v1', 'Service', { type: 'LoadBalancer' }, { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }),
      'Current',
      /address/,
    ],
    ['a PDB', object('policy/v1', 'PodDisruptionBudget', {}, { observedGeneration: 2 }), 'Current', /computed/],
    [
      'a PDB in trouble',
      object(
        'policy/v1',
        'PodDisruptionBudget',
        {},
        { observedGeneration: 2, conditions: [condition('DisruptionAllowed', 'False', 'SyncFailed')] },
      ),
      'InProgress',
      /SyncFailed/,
    ],
    [
      'a CRD',
      object(
        'apiextensions.k8s.io/v1',
        'CustomResourceDefinition',
        {},
        { conditions: [condition('Established', 'True')] },
      ),
      'Current',
      /established/,
    ],
    [
      'a CRD with names taken',
      object(
        'apiextensions.k8s.io/v1',
        'CustomResourceDefinition',
        {},
        { conditions: [condition('NamesAccepted', 'False', 'ListKindConflict')] },
      ),
      'Failed',
      /ListKindConflict/,
    ],

    ['a custom resource without status', object('example.com/v1', 'Thing', {}, {}), 'Current', /exists/],
    [
      'one that is ready',
      object('example.com/v1', 'Thing', {}, { conditions: [condition('Ready', 'True')] }),
      'Current',
      /about Ready/,
    ],
    [
      'one that is not',
      object('example.com/v1', 'Thing', {}, { conditions: [condition('Ready', 'False')] }),
      'InProgress',
      /about Ready/,
    ],
    [
      'one that does not know',
      object('example.com/v1', 'Thing', {}, { conditions: [condition('Ready', 'Unknown')] }),
      'InProgress',
      /about Ready/,
    ],
    [
      'one that was ready before',
      object(
        'example.com/v1',
        'Thing',
        {},
        { conditions: [condition('Ready', 'True', 'Ok', { observedGeneration: 1 })] },
      ),
      'InProgress',
      /generation 1/,
    ],
    [
      'one that is stalled',
      object(
        'example.com/v1',
        'Thing',
        {},
        { conditions: [condition('Ready', 'False'), condition('Stalled', 'True')] },
      ),
      'Failed',
      /about Stalled/,
    ],
    [
      'one at work, though still ready',
      object(
        'example.com/v1',
        'Thing',
        {},
        { conditions: [condition('Ready', 'True'), condition('Reconciling', 'True')] },
      ),
      'InProgress',
      /about Reconciling/,
    ],
  ])('of %s', (_, subject, status, message) => {
    const result = health(subject)
    expect(result.status).toBe(status)
    expect(result.message).toMatch(message)
  })

  it('withstands any spec and status', () => {
    const kinds = [...builtinRules.keys(), 'example.com/Thing'].map(id => id.split('/') as [string, string])
    const names = ['conditions', 'phase', 'containerStatuses', 'updateStrategy', 'loadBalancer', 'replicas', 'type']
    const anything = fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...names), fc.anything()))
    fc.assert(
      fc.property(fc.constantFrom(...kinds), anything, anything, ([group, kind], spec, status) => {
        const apiVersion = group === '' ? 'v1' : `${group}/v1`
        expect(health({ apiVersion, kind, metadata: {}, spec, status }).message).toEqual(expect.any(String))
      }),
      { numRuns: 1_000 },
    )
  })
})
