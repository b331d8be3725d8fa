import type { KubeObject } from '../../kube/types.ts'
import { type Api, systemWrite, timeOf } from '../api.ts'
import { type DefinitionSpec, resourcesOf } from '../kinds/custom.ts'
import { persist } from '../verbs/update.ts'
import { type Controller, erase, find, itself, setStatus } from './controller.ts'

const storage = 'customresourcedefinitions.apiextensions.k8s.io'
const cleanup = 'customresourcecleanup.apiextensions.k8s.io'

/** Serves the kinds of definitions; a definition that is deleted takes its objects along first. */
export const definitions: Controller = {
  concerns: (api, changed, change) => {
    if (changed === storage) return [itself(changed, change)]
    if (change.type !== 'DELETED' || !api.store.get(storage, '', changed)) return []
    return [{ storage, namespace: '', name: changed }]
  },
  reconcile: (api, { name }) => {
    const definition = find(api, storage, '', name)
    if (!definition) api.registry.forget(name)
    else if (definition.metadata.deletionTimestamp === undefined) serve(api, definition)
    else empty(api, definition)
  },
}

interface Status {
  conditions?: { type: string; status: string; lastTransitionTime: string }[]
  storedVersions?: string[]
  observed?: number
}

/** Definitions whose current generation is served already. */
const served = new WeakMap<Api, Map<string, string>>()

function serve(api: Api, definition: KubeObject): void {
  const { name = '', uid = '', generation = 1 } = definition.metadata
  const known = served.get(api) ?? new Map<string, string>()
  served.set(api, known)
  if (known.get(name) !== `${uid} ${generation}` || !api.registry.all().some(one => one.custom?.definition === name)) {
    if (!known.get(name)?.startsWith(uid)) api.store.begin(name)
    api.registry.define(name, resourcesOf(definition))
    known.set(name, `${uid} ${generation}`)
  }
  const { names, versions } = definition.spec as DefinitionSpec
  const { conditions = [], storedVersions = [] } = (definition.status ?? {}) as Status
  const since = (type: string) => conditions.find(one => one.type === type)?.lastTransitionTime ?? timeOf(api)
  const kept = versions.find(one => one.storage)?.name ?? ''
  setStatus(api, api.registry.builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition'), definition, {
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found', since('NamesAccepted')),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted', since('Established')),
    ],
    acceptedNames: names,
    storedVersions: [...new Set([...storedVersions, kept])],
  })
}

function condition(type: string, reason: string, message: string, lastTransitionTime: string) {
  return { type, status: 'True', reason, message, lastTransitionTime }
}

function empty(api: Api, definition: KubeObject): void {
  const { name = '', finalizers = [] } = definition.metadata
  if (!finalizers.includes(cleanup)) return
  const resource = api.registry.all().find(one => one.custom?.definition === name)
  for (const { object } of Array.from(api.store.list(name))) {
    if (resource && object.metadata.deletionTimestamp === undefined) erase(api, resource, object)
  }
  if ([...api.store.list(name)].length > 0) return
  const metadata = { ...definition.metadata, finalizers: finalizers.filter(one => one !== cleanup) }
  const own = api.registry.builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition')
  persist(api, { ...definition, metadata }, systemWrite(own, definition))
}
