import type { KubeObject } from '../../kube/types.ts'
import { type Api, systemWrite, timeOf } from '../api.ts'
import type { Resource } from '../kinds/resource.ts'
import { persist } from '../verbs/update.ts'
import { type Controller, erase, find, itself, make, setStatus } from './controller.ts'

/** Gives every namespace what a cluster gives it: an account and the certificates of the API server. */
export const namespaceContents: Controller = {
  concerns: (_api, storage, change) => {
    if (storage === 'namespaces' && change.type !== 'DELETED') return [itself(storage, change)]
    const lost = change.type === 'DELETED' && ['serviceaccounts', 'configmaps'].includes(storage)
    return lost ? [{ storage: 'namespaces', namespace: '', name: change.current.namespace }] : []
  },
  reconcile: (api, { name }) => {
    const namespace = find(api, 'namespaces', '', name)
    if (!namespace || namespace.metadata.deletionTimestamp !== undefined) return
    if (!find(api, 'serviceaccounts', name, 'default')) {
      make(api, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } })
    }
    if (!find(api, 'configmaps', name, 'kube-root-ca.crt')) {
      const metadata = { name: 'kube-root-ca.crt', namespace: name }
      make(api, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': '' } })
    }
  },
}

/** Empties namespaces that are deleted, says what holds them up, and removes them when nothing does. */
export const namespaces: Controller = {
  concerns: (api, storage, change) => {
    if (storage === 'namespaces') return change.type === 'DELETED' ? [] : [itself(storage, change)]
    const { namespace } = change.current
    if (namespace === '' || find(api, 'namespaces', '', namespace)?.metadata.deletionTimestamp === undefined) return []
    return [{ storage: 'namespaces', namespace: '', name: namespace }]
  },
  reconcile: (api, { name }) => {
    const namespace = find(api, 'namespaces', '', name)
    if (!namespace || namespace.metadata.deletionTimestamp === undefined) return
    for (const resource of api.registry.stored()) {
      if (!resource.namespaced) continue
      for (const { object } of Array.from(api.store.list(resource.storage, name))) {
        if (object.metadata.deletionTimestamp === undefined) erase(api, resource, object)
      }
    }
    const left = remaining(api, name)
    const resource = api.registry.builtIn('v1', 'Namespace')
    if (left.length > 0) {
      setStatus(api, resource, namespace, {
        phase: 'Terminating',
        conditions: conditions(namespace, left, timeOf(api)),
      })
      return
    }
    const { finalizers, ...spec } = namespace.spec as { finalizers?: string[] }
    const others = (finalizers ?? []).filter(one => one !== 'kubernetes')
    if (others.length === finalizers?.length) return
    const emptied = { ...namespace, spec: { ...spec, ...(others.length > 0 ? { finalizers: others } : {}) } }
    persist(api, emptied, systemWrite(resource, namespace))
  },
}

interface Left {
  resource: Resource
  objects: KubeObject[]
}

function remaining(api: Api, namespace: string): Left[] {
  return api.registry
    .stored()
    .filter(one => one.namespaced && api.store.hasAny(one.storage, namespace))
    .map(resource => ({
      resource,
      objects: [...api.store.list(resource.storage, namespace)].map(({ object }) => object),
    }))
}

/** The conditions of the namespace controller, in its words, since clients look for them. */
function conditions(namespace: KubeObject, left: readonly Left[], time: string) {
  const resources = left.map(({ resource, objects }) => {
    const name = resource.group === '' ? `${resource.plural}.` : `${resource.plural}.${resource.group}`
    return `${name} has ${objects.length} resource instances`
  })
  const finalizers = new Map<string, number>()
  for (const one of left.flatMap(({ objects }) => objects.flatMap(({ metadata }) => metadata.finalizers ?? []))) {
    finalizers.set(one, (finalizers.get(one) ?? 0) + 1)
  }
  const waiting = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`)
  const fine = (type: string, reason: string, message: string) => ({ type, status: 'False', reason, message })
  const wanted = [
    fine('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'),
    fine(
      'NamespaceDeletionGroupVersionParsingFailure',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    fine(
      'NamespaceDeletionContentFailure',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ),
    {
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${resources.join(', ')}`,
    },
    waiting.length > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${waiting.join(', ')}`,
        }
      : fine('NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'),
  ]
  const before = (namespace.status as { conditions?: { type: string; status: string; lastTransitionTime: string }[] })
    ?.conditions
  return wanted.map(one => {
    const old = before?.find(({ type, status }) => type === one.type && status === one.status)
    return { ...one, lastTransitionTime: old?.lastTransitionTime ?? time }
  })
}
