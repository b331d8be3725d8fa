import type { KubeObject } from '../../kube/types.ts'
import type { Api } from '../api.ts'
import { controllerReference, make } from './controller.ts'

/** The template of a workload. */
export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec?: object
}

/** Pods of one workload that a stand-in makes at most; more are counted but not made. */
export const maxPods = 100

/** Creates a pod of a workload, under the given name or a generated one. */
export function makePod(api: Api, owner: KubeObject, template: PodTemplate, name?: string): KubeObject {
  const metadata = {
    ...template.metadata,
    ...(name === undefined ? { generateName: `${owner.metadata.name}-` } : { name }),
    namespace: owner.metadata.namespace ?? '',
    ownerReferences: [controllerReference(owner)],
  }
  return make(api, { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec })
}

/** Whether a pod counts as ready. */
export function isReady(pod: KubeObject): boolean {
  const { conditions = [] } = (pod.status ?? {}) as { conditions?: { type: string; status: string }[] }
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}
