import type { KubeClient } from '../../../src/kube/client.ts'
import type { KubeObject } from '../../../src/kube/types.ts'

/** One thing to do; what it gives, or how it is refused, must be the same on every API server. */
export interface Step {
  name: string
  readonly run: (client: KubeClient, namespace: string) => Promise<unknown>
}

const map = (namespace: string, name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  ...more,
})
const key = (namespace: string, name: string, kind = 'ConfigMap', apiVersion = 'v1') => ({
  apiVersion,
  kind,
  namespace,
  name,
})
const me = { fieldManager: 'me' }
const labels = { app: 'steps' }

const deployment = (namespace: string, name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace, name },
  spec: {
    replicas: 0,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'a', image: 'a:1', ports: [{ containerPort: 1 }] }] },
    },
    ...spec,
  },
})

const step = (name: string, run: Step['run']): Step => ({ name, run })

/** In order; later steps use what earlier ones made. */
export const steps: readonly Step[] = [
  step('create', (c, ns) => c.create(map(ns, 'one', { data: { a: '1', b: '2' } }), me)),
  step('create again', (c, ns) => c.create(map(ns, 'one'), me)),
  step('create with a bad name', (c, ns) => c.create(map(ns, 'Bad_Name'), me)),
  step('create with a bad label', (c, ns) =>
    c.create({ ...map(ns, 'two'), metadata: { namespace: ns, name: 'two', labels: { 'a b': 'c d' } } }, me),
  ),
  step('create with an unknown field, strictly', (c, ns) =>
    c.create(map(ns, 'two', { dta: {} }), { ...me, fieldValidation: 'Strict' }),
  ),
  step('create with a wrong type', (c, ns) => c.create(map(ns, 'two', { data: 'x' }), me)),
  step('create in a missing namespace', c => c.create(map('missing-namespace', 'one'), me)),
  step('create without a name', (c, ns) => c.create({ ...map(ns, ''), metadata: { namespace: ns } }, me)),
  step('get what is missing', (c, ns) => c.raw(`/api/v1/namespaces/${ns}/configmaps/missing`)),
  step('get a missing kind', c => c.raw('/apis/apps/v1/nothings')),
  step('replace', async (c, ns) => {
    const found = await c.get<KubeObject>(key(ns, 'one'))
    return c.replace({ ...found, data: { a: '1', c: '3' } } as KubeObject, { fieldManager: 'other' })
  }),
  step('replace with an old version', (c, ns) =>
    c.replace({ ...map(ns, 'one'), metadata: { namespace: ns, name: 'one', resourceVersion: '1' } }, me),
  ),
  step('replace what is missing', (c, ns) => c.replace(map(ns, 'missing'), me)),
  step('merge patch', (c, ns) => c.patch(key(ns, 'one'), { data: { a: null, d: '4' } }, { ...me, type: 'merge' })),
  step('merge patch with another uid', (c, ns) =>
    c.patch(key(ns, 'one'), { metadata: { uid: 'another' } }, { ...me, type: 'merge' }),
  ),
  step('JSON patch', (c, ns) =>
    c.patch(key(ns, 'one'), [{ op: 'add', path: '/data/e', value: '5' }], { ...me, type: 'json' }),
  ),
  step('JSON patch that does not fit', (c, ns) =>
    c.patch(key(ns, 'one'), [{ op: 'remove', path: '/data/nothing' }], { ...me, type: 'json' }),
  ),
  step('JSON patch with a failing test', (c, ns) =>
    c.patch(key(ns, 'one'), [{ op: 'test', path: '/data/e', value: 'no' }], { ...me, type: 'json' }),
  ),
  step('empty patch', (c, ns) => c.patch(key(ns, 'one'), {}, { ...me, type: 'merge' })),
  step('labels by another manager', (c, ns) =>
    c.patch(key(ns, 'one'), { metadata: { labels: { x: 'y' } } }, { fieldManager: 'labeller', type: 'merge' }),
  ),

  step('apply creates', (c, ns) => c.apply(map(ns, 'applied', { data: { a: '1', b: '2' } }), { fieldManager: 'one' })),
  step('apply without a change', (c, ns) =>
    c.apply(map(ns, 'applied', { data: { a: '1', b: '2' } }), { fieldManager: 'one' }),
  ),
  step('apply shares a field', (c, ns) => c.apply(map(ns, 'applied', { data: { a: '1' } }), { fieldManager: 'two' })),
  step('apply conflicts', (c, ns) =>
    c.apply(map(ns, 'applied', { data: { a: '9', b: '9' } }), { fieldManager: 'three' }),
  ),
  step('apply in a dry run by force', (c, ns) =>
    c.apply(map(ns, 'applied', { data: { a: '9' } }), { fieldManager: 'three', force: true, dryRun: true }),
  ),
  step('apply by force', (c, ns) =>
    c.apply(map(ns, 'applied', { data: { a: '9' } }), { fieldManager: 'three', force: true }),
  ),
  step('apply drops a field', (c, ns) => c.apply(map(ns, 'applied', {}), { fieldManager: 'one' })),
  step('apply drops the rest', (c, ns) => c.apply(map(ns, 'applied', {}), { fieldManager: 'three' })),
  step('apply over an update', (c, ns) => c.apply(map(ns, 'one', { data: { d: '5' } }), { fieldManager: 'apply' })),
  step('apply without a manager', (c, ns) => c.apply(map(ns, 'one'), { fieldManager: '' })),
  step('apply with managedFields', (c, ns) =>
    c.apply({ ...map(ns, 'x'), metadata: { namespace: ns, name: 'x', managedFields: [{}] } }, { fieldManager: 'a' }),
  ),

  step('workload: create', (c, ns) => c.create(deployment(ns, 'web'), me)),
  step('workload: strategic patch of a container', (c, ns) =>
    c.patch(
      key(ns, 'web', 'Deployment', 'apps/v1'),
      {
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'a', image: 'a:2' },
                { name: 'b', image: 'b:1' },
              ],
            },
          },
        },
      },
      { ...me, type: 'strategic' },
    ),
  ),
  step('workload: strategic patch removes a container and a port', (c, ns) =>
    c.patch(
      key(ns, 'web', 'Deployment', 'apps/v1'),
      {
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'b', $patch: 'delete' },
                { name: 'a', ports: [{ containerPort: 1, $patch: 'delete' }] },
              ],
            },
          },
        },
      },
      { ...me, type: 'strategic' },
    ),
  ),
  step('workload: merge patch replaces lists', (c, ns) =>
    c.patch(
      key(ns, 'web', 'Deployment', 'apps/v1'),
      {
        spec: {
          strategy: { type: 'Recreate', rollingUpdate: null },
          template: { spec: { containers: [{ name: 'z', image: 'z' }] } },
        },
      },
      { ...me, type: 'merge' },
    ),
  ),
  step('workload: selector cannot change', (c, ns) =>
    c.patch(
      key(ns, 'web', 'Deployment', 'apps/v1'),
      { spec: { selector: { matchLabels: { app: 'no' } } } },
      { ...me, type: 'merge' },
    ),
  ),
  step('workload: no containers', (c, ns) =>
    c.create(deployment(ns, 'bad', { template: { metadata: { labels }, spec: { containers: [] } } }), me),
  ),
  step('workload: apply', (c, ns) => c.apply(deployment(ns, 'applied-web'), { fieldManager: 'one' })),
  step('workload: another manager scales', (c, ns) =>
    c.patch(
      key(ns, 'applied-web', 'Deployment', 'apps/v1'),
      { spec: { replicas: 0, paused: true } },
      { fieldManager: 'hpa', type: 'merge' },
    ),
  ),
  step('workload: apply adds a container and drops a port', (c, ns) =>
    c.apply(
      deployment(ns, 'applied-web', {
        template: {
          metadata: { labels },
          spec: {
            containers: [
              { name: 'b', image: 'b' },
              { name: 'a', image: 'a:1' },
            ],
          },
        },
      }),
      { fieldManager: 'one' },
    ),
  ),
  step('workload: apply a second manager’s container', (c, ns) =>
    c.apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { namespace: ns, name: 'applied-web' },
        spec: { template: { spec: { containers: [{ name: 'side', image: 's' }] } } },
      },
      { fieldManager: 'two' },
    ),
  ),
  step('workload: apply removes only its own', (c, ns) =>
    c.apply(
      deployment(ns, 'applied-web', {
        template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
      }),
      { fieldManager: 'one' },
    ),
  ),
  step('workload: scale', (c, ns) => c.raw(`/apis/apps/v1/namespaces/${ns}/deployments/web/scale`)),

  step('service: create', (c, ns) =>
    c.create(
      { apiVersion: 'v1', kind: 'Service', metadata: { namespace: ns, name: 'shop' }, spec: { ports: [{ port: 80 }] } },
      me,
    ),
  ),
  step('service: apply a port', (c, ns) =>
    c.apply(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: ns, name: 'shop' },
        spec: { ports: [{ name: 'x', port: 81 }] },
      },
      { fieldManager: 'two', force: true },
    ),
  ),
  step('service: replace keeps its address', (c, ns) =>
    c.replace(
      { apiVersion: 'v1', kind: 'Service', metadata: { namespace: ns, name: 'shop' }, spec: { ports: [{ port: 82 }] } },
      me,
    ),
  ),
  step('service: status by its own endpoint', (c, ns) => {
    const condition = {
      type: 'X',
      status: 'True',
      reason: 'R',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const patch = { status: { conditions: [condition] }, spec: { sessionAffinity: 'ClientIP' } }
    return c.patch(key(ns, 'shop', 'Service'), patch, { ...me, type: 'merge', subresource: 'status' })
  }),
  step('service: no ports', (c, ns) =>
    c.create({ apiVersion: 'v1', kind: 'Service', metadata: { namespace: ns, name: 'no' }, spec: {} }, me),
  ),
  step('service: bad type', (c, ns) =>
    c.create(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: ns, name: 'no' },
        spec: { type: 'X', ports: [{ port: 1 }] },
      },
      me,
    ),
  ),
  step('secret: stringData over data', (c, ns) =>
    c.create(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace: ns, name: 'shop' },
        stringData: { a: 'x' },
        data: { a: 'eQ==' },
      },
      me,
    ),
  ),
  step('secret: type cannot change', (c, ns) =>
    c.patch(key(ns, 'shop', 'Secret'), { type: 'other' }, { ...me, type: 'merge' }),
  ),
  step('role binding: roleRef cannot change', async (c, ns) => {
    const group = 'rbac.authorization.k8s.io'
    const binding = {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata: { namespace: ns, name: 'b' },
      roleRef: { apiGroup: group, kind: 'Role', name: 'x' },
      subjects: [],
    }
    await c.create(binding, me)
    return c.replace({ ...binding, roleRef: { ...binding.roleRef, name: 'y' } }, me)
  }),

  step('delete with another uid', (c, ns) => c.delete(key(ns, 'one'), { uid: 'another' })),
  step('delete in a dry run', (c, ns) => c.delete(key(ns, 'one'), { dryRun: true })),
  step('delete', (c, ns) => c.delete(key(ns, 'one'))),
  step('delete with a finalizer', async (c, ns) => {
    await c.create(
      { ...map(ns, 'held'), metadata: { namespace: ns, name: 'held', finalizers: ['example.com/hold'] } },
      me,
    )
    return c.delete(key(ns, 'held'))
  }),
  step('no new finalizers while deleting', (c, ns) =>
    c.patch(
      key(ns, 'held'),
      { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } },
      { ...me, type: 'merge' },
    ),
  ),
  step('the last finalizer goes', async (c, ns) => {
    const last = await c.patch(key(ns, 'held'), { metadata: { finalizers: null } }, { ...me, type: 'merge' })
    return { last, found: (await c.get(key(ns, 'held'))) ?? 'gone' }
  }),
  step('delete the default namespace', c => c.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' })),
]
