import type { KubeObject } from '../../kube/types.ts'
import type { Resource } from '../kinds/resource.ts'

/** Top-level fields that a write through an endpoint leaves as they are. */
export function resetFields(resource: Resource, subresource: string): string[] {
  if (subresource === 'status') return resource.custom ? ['spec', 'metadata'] : ['spec']
  return resource.subresources.includes('status') ? ['status'] : []
}

/** The new object, with those parts of the stored one that the endpoint must not change. */
export function keepForeign(
  after: KubeObject,
  before: KubeObject,
  resource: Resource,
  subresource: string,
): KubeObject {
  if (subresource === 'finalize') {
    return { ...before, metadata: after.metadata, spec: withFinalizers(before, after) }
  }
  if (subresource === '') {
    if (!resource.subresources.includes('status')) return after
    const { status: _status, ...rest } = after
    const spec = resource.storage === 'namespaces' ? { spec: withFinalizers(after, before) } : {}
    return 'status' in before
      ? ({ ...rest, ...spec, metadata: after.metadata, status: before.status } as KubeObject)
      : ({ ...rest, ...spec } as KubeObject)
  }
  const metadata = { ...before.metadata }
  if (after.metadata.managedFields) metadata.managedFields = after.metadata.managedFields
  if (after.metadata.resourceVersion !== undefined) metadata.resourceVersion = after.metadata.resourceVersion
  if (after.metadata.uid !== undefined) metadata.uid = after.metadata.uid
  if (!resource.custom) {
    const { labels, annotations, finalizers, ownerReferences } = after.metadata
    Object.assign(metadata, { labels, annotations, finalizers, ownerReferences })
    for (const name of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
      if (metadata[name] === undefined) delete metadata[name]
    }
  }
  const { status: _old, ...rest } = before
  return { ...rest, metadata, ...(after.status === undefined ? {} : { status: after.status }) } as KubeObject
}

/** The spec of a namespace with the finalizers of another. */
function withFinalizers({ spec }: KubeObject, other: KubeObject): object {
  const { finalizers: _own, ...rest } = (spec ?? {}) as { finalizers?: string[] }
  const { finalizers = [] } = (other.spec ?? {}) as { finalizers?: string[] }
  return finalizers.length === 0 ? rest : { ...rest, finalizers }
}
