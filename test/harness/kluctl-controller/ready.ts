import type { KubeClient } from '../../../src/kube/client.ts'
import type { KubeObject } from '../../../src/kube/types.ts'

interface Workload extends KubeObject {
  spec: { replicas?: number }
}

/** Makes a Deployment available without a kubelet: writes the status that its controllers would. */
export async function makeDeploymentReady(admin: KubeClient, namespace: string, name: string): Promise<void> {
  const key = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name }
  const found = await admin.get<Workload>(key)
  if (found === undefined) throw new Error(`there is no Deployment ${namespace}/${name}`)
  const count = found.spec.replicas ?? 1
  const pods = await podsOf(admin, namespace, name, count)
  for (const pod of pods) await makePodReady(admin, namespace, pod.metadata.name ?? '')
}

/** Pods that the Deployment's ReplicaSets made, once there are enough of them. */
async function podsOf(admin: KubeClient, namespace: string, name: string, count: number): Promise<KubeObject[]> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const { items } = await admin.list<KubeObject>({ apiVersion: 'v1', kind: 'Pod' }, { namespace })
    const pods = items.filter(pod => pod.metadata.ownerReferences?.some(owner => owner.name.startsWith(`${name}-`)))
    if (pods.length >= count) return pods
    if (Date.now() > deadline) throw new Error(`Deployment ${namespace}/${name} has ${pods.length} of ${count} pods`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** Makes all Pods of a namespace run without being ready, as those do whose probe fails. */
export async function makePodsFail(admin: KubeClient, namespace: string): Promise<void> {
  const { items } = await admin.list<KubeObject>({ apiVersion: 'v1', kind: 'Pod' }, { namespace })
  for (const { metadata } of items) await writePodStatus(admin, namespace, metadata.name ?? '', 'False')
}

/** Makes a Pod ready without a kubelet. */
export function makePodReady(admin: KubeClient, namespace: string, name: string): Promise<void> {
  return writePodStatus(admin, namespace, name, 'True')
}

async function writePodStatus(
  admin: KubeClient,
  namespace: string,
  name: string,
  ready: 'True' | 'False',
): Promise<void> {
  const time = new Date().toISOString()
  const conditions = ['Initialized', 'ContainersReady', 'Ready', 'PodScheduled'].map(type => ({
    type,
    status: type.endsWith('Ready') ? ready : 'True',
    lastTransitionTime: time,
  }))
  const patch = { status: { phase: 'Running', startTime: time, conditions } }
  const options = { type: 'merge', subresource: 'status' } as const
  await admin.patch({ apiVersion: 'v1', kind: 'Pod', namespace, name }, patch, options)
}
