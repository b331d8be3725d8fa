// Every rule of every kind: test/engine/plan/readiness.test.ts.
import { afterAll, expect, it } from 'vitest'
import type { KubeObject, ObjectKey } from '../../../src/kube/types.ts'
import { TestProject } from '../../engine/harness/project.ts'
import { adminClient, uniqueNamespace } from '../../harness/cluster.ts'
import { CustomKinds } from '../../harness/engine/custom-kind.ts'
import { deployProject } from '../../harness/engine/deployer.ts'
import { makeDeploymentReady, makePodReady } from '../../harness/kluctl-controller/ready.ts'
import { waitFor } from '../../harness/wait.ts'

const cluster = adminClient()
const kinds = new CustomKinds(cluster)

afterAll(async () => {
  await kinds.dispose()
  await cluster.close()
})

const withStatus = {
  schema: { status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  subresources: { status: {} },
}
const conditions = (type: string, status: string, message = '') => [
  { type, status, reason: 'Test', message, lastTransitionTime: '2026-01-01T00:00:00Z' },
]
const pod = { containers: [{ name: 'c', image: 'nothing' }] }
const template = { metadata: { labels: { app: 'x' } }, spec: pod }
const selector = { matchLabels: { app: 'x' } }

/** Objects that are not ready by themselves on a cluster without nodes, and what makes each of them ready. */
const builtIn: Record<string, { apiVersion: string; spec: object; mend(key: Required<ObjectKey>): Promise<unknown> }> =
  {
    Deployment: {
      apiVersion: 'apps/v1',
      spec: { selector, template },
      mend: ({ namespace, name }) => makeDeploymentReady(cluster, namespace, name),
    },
    StatefulSet: {
      apiVersion: 'apps/v1',
      spec: {
        serviceName: 'x',
        selector: { matchLabels: { app: 's' } },
        template: { ...template, metadata: { labels: { app: 's' } } },
      },
      async mend({ namespace, name }) {
        const first = { apiVersion: 'v1', kind: 'Pod', namespace, name: `${name}-0` }
        await waitFor(() => cluster.get(first), { describe: 'the pod of the StatefulSet' })
        await makePodReady(cluster, namespace, first.name)
      },
    },
    Pod: { apiVersion: 'v1', spec: pod, mend: ({ namespace, name }) => makePodReady(cluster, namespace, name) },
    PersistentVolumeClaim: {
      apiVersion: 'v1',
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources: { requests: { storage: '1Mi' } } },
      mend: key => setStatus(key, { phase: 'Bound' }),
    },
    Service: {
      apiVersion: 'v1',
      spec: { type: 'LoadBalancer', selector: { app: 'x' }, ports: [{ port: 80 }] },
      mend: key => setStatus(key, { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }),
    },
  }

async function setStatus(key: ObjectKey, status: object): Promise<void> {
  await cluster.patch<KubeObject>(key, { status }, { type: 'merge', subresource: 'status' })
}

/** Deploys objects that are waited for, each in an item of its own; `onWaiting` hears of each once. */
async function deployWaiting(objects: readonly KubeObject[], onWaiting: (object: KubeObject) => Promise<unknown>) {
  const annotations = { 'kluctl.io/wait-readiness': 'true' }
  const files = objects.map(object => {
    const annotated = { ...object, metadata: { ...object.metadata, annotations } }
    return [`${object.kind}/object.yaml`, JSON.stringify(annotated)]
  })
  await using project = await TestProject.of({
    'deployment.yaml': JSON.stringify({ deployments: objects.map(({ kind }) => ({ path: kind })) }),
    ...(Object.fromEntries(files) as Record<string, string>),
  })
  const heard = new Map<string, Promise<unknown>>()
  const onLine = (line: string) => {
    const object = objects.find(({ kind }) => line.includes('Waiting for ') && line.includes(`/${kind}/`))
    if (object !== undefined && !heard.has(object.kind)) heard.set(object.kind, onWaiting(object))
  }
  const { errors } = await deployProject(project, { kube: cluster, onLine })
  await Promise.all(heard.values())
  return { errors, waited: [...heard.keys()].toSorted() }
}

it('built-in kinds are waited for until they are ready as kstatus has it', async () => {
  const namespace = await uniqueNamespace('readiness')
  const objects = Object.entries(builtIn).map(([kind, { apiVersion, spec }]) => {
    return { apiVersion, kind, metadata: { name: kind.toLowerCase(), namespace }, spec }
  })
  const { errors, waited } = await deployWaiting(objects, ({ apiVersion, kind, metadata: { name = '' } }) => {
    return builtIn[kind]?.mend({ apiVersion, kind, namespace, name }) ?? Promise.resolve()
  })
  expect([errors, waited]).toEqual([[], Object.keys(builtIn).toSorted()])
})

it('custom kinds are waited for by their conditions, and one that is stalled ends the wait with its message', async () => {
  const namespace = await uniqueNamespace('readiness')
  const { crd, object, key } = kinds.make(namespace, withStatus)
  await using crds = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/crd.yaml': JSON.stringify(crd),
  })
  await deployProject(crds, { kube: cluster })
  const ready = await deployWaiting([object], async () => {
    await setStatus(key, { conditions: conditions('Ready', 'False', 'pulls') })
    await setStatus(key, { conditions: conditions('Ready', 'True') })
  })
  expect(ready).toEqual({ errors: [], waited: ['Table'] })
  await setStatus(key, { conditions: conditions('Reconciling', 'True', 'works') })
  const stalled = await deployWaiting([object], () =>
    setStatus(key, { conditions: conditions('Stalled', 'True', 'three legs') }),
  )
  expect(stalled.waited).toEqual(['Table'])
  expect(stalled.errors).toEqual([expect.stringContaining('three legs')])
})
