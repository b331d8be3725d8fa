import fc from 'fast-check'
import { expect, it } from 'vitest'
import { applyForm } from '../../../src/engine/plan/apply-form.ts'
import { blockersOf, heldBy } from '../../../src/engine/plan/blockers.ts'
import { underDryRunName } from '../../../src/engine/plan/dry-run-name.ts'
import { refOf } from '../../../src/engine/plan/refs.ts'
import { mapOf } from './plan-items.ts'

it('an object goes under another name for a dry run, and comes back under its own', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,80}[a-z0-9])?$/),
      fc.option(fc.constant('default')),
      (name, namespace) => {
        const { object, restore } = underDryRunName(mapOf(name), namespace ?? undefined)
        expect(refOf(object).name).not.toBe(name)
        expect(refOf(object).name.length).toBeLessThanOrEqual(63)
        expect(refOf(object).namespace).toBe(namespace ?? 'ns')
        expect(restore(object)).toEqual(mapOf(name))
      },
    ),
  )
})

it('what the server derived from the name goes back as well', () => {
  const { object, restore } = underDryRunName(mapOf('web'))
  const temporary = refOf(object).name
  const answer = { ...object, labels: { app: temporary, [temporary]: 'x' }, list: [temporary, `${temporary}-1`] }
  expect(restore(answer)).toEqual({
    ...mapOf('web'),
    labels: { app: 'web', web: 'x' },
    list: ['web', `${temporary}-1`],
  })
})

it('ports and quantities are sent as server-side apply wants them', () => {
  const container = {
    name: 'c',
    ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }],
    resources: { limits: { cpu: 0.5, memory: 100 }, requests: { cpu: '1' } },
  }
  const object = {
    ...mapOf('a'),
    spec: { ports: [{ port: 80 }], limits: [{ default: { cpu: 2 } }], template: { spec: { containers: [container] } } },
  }
  const before = structuredClone(object)
  expect(applyForm(object).spec).toEqual({
    ports: [{ port: 80, protocol: 'TCP' }],
    limits: [{ default: { cpu: '2' } }],
    template: {
      spec: {
        containers: [
          {
            name: 'c',
            ports: [
              { containerPort: 80, protocol: 'TCP' },
              { containerPort: 53, protocol: 'UDP' },
            ],
            resources: { limits: { cpu: '0.5', memory: 100 }, requests: { cpu: '1' } },
          },
        ],
      },
    },
  })
  expect(object).toEqual(before)
  expect(applyForm({ ...mapOf('a'), spec: { ports: 'all', template: null } })).toEqual({
    ...mapOf('a'),
    spec: { ports: 'all', template: null },
  })
})

it('what holds an object is said', () => {
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'ns', finalizers: ['example.com/f'] },
    status: {
      conditions: [
        { type: 'NamespaceContentRemaining', status: 'True', message: 'Some resources are remaining: pods.' },
        { type: 'NamespaceFinalizersRemaining', status: 'False', message: 'none' },
      ],
    },
  }
  expect(blockersOf(namespace)).toEqual(['finalizer example.com/f', 'Some resources are remaining: pods.'])
  expect(heldBy(mapOf('a'))).toBe('')
  const pod = { ...mapOf('a'), metadata: { name: 'a', deletionGracePeriodSeconds: 30 } }
  expect(heldBy(pod)).toBe(': held by grace period of 30 s')
})
