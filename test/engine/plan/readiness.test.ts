import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../../src/engine/item.ts'
import { Judgement } from '../../../src/engine/plan/judgement.ts'
import { judgeReadiness, judgeWithoutStatus } from '../../../src/engine/plan/readiness.ts'
import type { Json, JsonObject } from '../../../src/engine/values.ts'

const waiting = { waiting: true, hook: false }
const validating = { waiting: false, hook: false }
const asHook = { waiting: true, hook: true }

function object(
  kind: string,
  status: JsonObject | undefined,
  spec: JsonObject = {},
  metadata: JsonObject = {},
): Manifest {
  const [name = '', group = ''] = kind.split('/').toReversed()
  const apiVersion = group === '' ? 'v1' : `${group}/v1`
  const base = { apiVersion, kind: name, metadata: { name: 'x', generation: 1, ...metadata }, spec }
  return status === undefined ? base : { ...base, status }
}

function said(manifest: Manifest, purpose = waiting) {
  const { ready, errors, reasons } = judgeReadiness(manifest, purpose)
  return ready ? 'ready' : { errors, reasons }
}

const no = (...reasons: string[]) => ({ errors: [], reasons })
const never = (...errors: string[]) => ({ errors, reasons: [] })
const conditions = (...list: [string, string, string?, string?][]): Json[] =>
  list.map(([type, status, reason = '', message = '']) => ({ type, status, reason, message }))
const rolling = { updateStrategy: { type: 'RollingUpdate' } }

describe('annotations', () => {
  const broken = { conditions: conditions(['Failed', 'True']) }

  it.each([
    [{ 'kluctl.io/validate-ignore': 'true' }, 'ready'],
    [{ 'kluctl.io/is-ready': 'true' }, 'ready'],
    [{ 'kluctl.io/is-ready': 'false' }, no('kluctl.io/is-ready annotation is set to false')],
    [{ 'kluctl.io/is-ready': 'perhaps' }, never('Failed')],
  ])('%o decide', (annotations, expected) => {
    expect(said(object('batch/Job', broken, {}, { annotations }))).toEqual(expected)
  })

  it('give results of validations', () => {
    const annotations = { 'validate-result.kluctl.io/a': '1', other: '2', 'validate-result.kluctl.io/b': '3' }
    expect(judgeReadiness(object('batch/Job', broken, {}, { annotations }), waiting).results).toEqual([
      { annotation: 'validate-result.kluctl.io/a', message: '1' },
      { annotation: 'validate-result.kluctl.io/b', message: '3' },
    ])
  })
})

it('an older generation is not the one that was deployed', () => {
  const status = { observedGeneration: 1, conditions: conditions(['Ready', 'True']) }
  expect(said(object('example.com/Thing', status, {}, { generation: 2 }))).toEqual(no('Waiting for reconciliation'))
  expect(said(object('example.com/Thing', status))).toBe('ready')
})

const ready = { observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1 }
const { updatedReplicas: _, ...unfinished } = ready

it.each([
  ['Pod', waiting, { conditions: conditions(['Ready', 'True']) }, {}, 'ready'],
  ['Pod', asHook, { conditions: conditions(['Ready', 'True']) }, {}, no('Not ready')],
  ['Pod', asHook, { conditions: conditions(['Ready', 'False', 'PodCompleted']) }, {}, 'ready'],
  ['Pod', waiting, {}, {}, no('Ready condition not in status')],
  [
    'Pod',
    asHook,
    {
      containerStatuses: [{ name: 'c', state: { terminated: { reason: 'Error' } } }],
      conditions: conditions(['Ready', 'False', 'PodCompleted']),
    },
    {},
    never('container c exited with error'),
  ],
  ['batch/Job', asHook, { active: 1 }, {}, no('Not completed')],
  ['batch/Job', asHook, { conditions: conditions(['Complete', 'True']) }, {}, 'ready'],
  ['batch/Job', asHook, { conditions: conditions(['Failed', 'True', '', 'too often']) }, {}, never('too often')],
  ['apps/Deployment', validating, {}, { replicas: 1 }, no('readyReplicas field not in status or empty')],
  ['apps/Deployment', validating, unfinished, { replicas: 1 }, 'ready'],
  ['apps/Deployment', validating, {}, { replicas: 0 }, 'ready'],
  ['apps/Deployment', waiting, unfinished, { replicas: 1 }, no(expect.any(String))],
  ['apps/Deployment', waiting, ready, { replicas: 1 }, 'ready'],
  [
    'apps/Deployment',
    waiting,
    { ...ready, readyReplicas: 0 },
    { replicas: 1 },
    no('readyReplicas (0) is less then replicas (1)'),
  ],
  [
    'apps/StatefulSet',
    waiting,
    { updatedReplicas: 1, readyReplicas: 3 },
    { ...rolling, replicas: 3 },
    no('StatefulSet is not ready. 1 out of 3 expected pods have been scheduled'),
  ],
  [
    'apps/StatefulSet',
    waiting,
    { updatedReplicas: 3, readyReplicas: 2 },
    { ...rolling, replicas: 3 },
    no('StatefulSet is not ready. 2 out of 3 expected pods are ready'),
  ],
  [
    'apps/StatefulSet',
    waiting,
    { updatedReplicas: 1, readyReplicas: 3 },
    { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
    'ready',
  ],
  ['apps/StatefulSet', waiting, {}, { ...rolling, replicas: 0 }, 'ready'],
  [
    'apps/DaemonSet',
    waiting,
    { updatedNumberScheduled: 1, desiredNumberScheduled: 4 },
    rolling,
    no('DaemonSet is not ready. 1 out of 4 expected pods have been scheduled'),
  ],
  [
    'apps/DaemonSet',
    waiting,
    { updatedNumberScheduled: 4, desiredNumberScheduled: 4, numberReady: 2 },
    rolling,
    no('DaemonSet is not ready. 2 out of 3 expected pods are ready'),
  ],
  [
    'apps/DaemonSet',
    waiting,
    { updatedNumberScheduled: 4, desiredNumberScheduled: 4, numberReady: 3 },
    rolling,
    'ready',
  ],
  [
    'apps/DaemonSet',
    waiting,
    { updatedNumberScheduled: 4, desiredNumberScheduled: 4, numberReady: 2 },
    { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } } },
    'ready',
  ],
  ['PersistentVolumeClaim', waiting, {}, {}, no('phase field not in status or empty')],
  ['PersistentVolumeClaim', waiting, { phase: 'Pending' }, {}, no('Volume is not bound')],
  ['PersistentVolumeClaim', waiting, { phase: 'Bound' }, {}, 'ready'],
  ['Service', waiting, {}, { clusterIP: 'None' }, 'ready'],
  ['Service', waiting, {}, { type: 'ExternalName' }, 'ready'],
  ['Service', waiting, {}, {}, never('Service does not have a cluster IP')],
  ['Service', waiting, { loadBalancer: {} }, { type: 'LoadBalancer', clusterIP: '10.0.0.1' }, no('Not ready')],
  [
    'Service',
    waiting,
    { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
    { type: 'LoadBalancer', clusterIP: '10.0.0.1' },
    'ready',
  ],
  ['apiextensions.k8s.io/CustomResourceDefinition', waiting, {}, {}, no('NamesAccepted condition not in status')],
  [
    'apiextensions.k8s.io/CustomResourceDefinition',
    waiting,
    { conditions: conditions(['NamesAccepted', 'True']) },
    {},
    no('CRD is not ready'),
  ],
  [
    'apiextensions.k8s.io/CustomResourceDefinition',
    waiting,
    { conditions: conditions(['Established', 'True']) },
    {},
    'ready',
  ],
  [
    'cluster.x-k8s.io/MachineDeployment',
    waiting,
    { conditions: conditions(['Ready', 'True'], ['Available', 'False', '', 'too few']), readyReplicas: 1, replicas: 1 },
    {},
    no('too few'),
  ],
  [
    'example.com/Thing',
    waiting,
    { conditions: conditions(['Ready', 'False', 'Pulling', 'images']) },
    {},
    no('Pulling: images'),
  ],
  [
    'example.com/Thing',
    waiting,
    { conditions: conditions(['Stalled', 'True', 'Broken', 'for good']) },
    {},
    never('Broken: for good'),
  ],
  ['example.com/Thing', validating, { phase: 'whatever' }, {}, 'ready'],
  ['apps/ReplicaSet', waiting, { observedGeneration: 1, replicas: 0 }, { replicas: 1 }, no(expect.any(String))],
] as const)('%s when %o', (kind, purpose, status, spec, expected) => {
  expect(said(object(kind, status as unknown as JsonObject, spec as unknown as JsonObject), purpose)).toEqual(expected)
})

describe('an object without a status', () => {
  it('depends on its kind', () => {
    expect(judgeReadiness(object('ConfigMap', undefined), waiting)).toMatchObject({ withoutStatus: true, ready: true })
  })

  it.each([
    ['no', 0, { ready: true, warnings: [] }],
    ['yes', 15_000, { ready: false, reasons: ['no status available yet'] }],
    ['yes', 15_001, { ready: true, reasons: [] }],
    ['unknown', 0, { ready: true, warnings: [expect.stringMatching(/^unable to determine if a status is expected/)] }],
  ] as const)('that has one: %s, after %d ms', (requirement, age, expected) => {
    const judgement = new Judgement()
    judgeWithoutStatus(requirement, age, judgement)
    expect(judgement).toMatchObject(expected)
  })
})
