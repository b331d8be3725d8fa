import type { KubeObject, OwnerReference } from '../../kube/types.ts'
import { type Api, systemWrite } from '../api.ts'
import type { Resource } from '../kinds/resource.ts'
import type { Change } from '../store/history.ts'
import { persist } from '../verbs/update.ts'
import { type Controller, erase, find, itself, type Key } from './controller.ts'

/** Deletes objects whose owners are gone, and holds owners that wait for their dependents. */
export class GarbageCollector implements Controller {
  /** Where each object is, by uid. */
  readonly #places = new Map<string, Key>()
  /** Keys of the objects that name an owner, by the owner's uid. */
  readonly #dependents = new Map<string, Map<string, Key>>()

  concerns(_api: Api, storage: string, change: Change): Key[] {
    const { current, previous, type } = change
    const key = itself(storage, change)
    const uid = current.object.metadata.uid ?? ''
    this.#index(key, previous?.object, type === 'DELETED' ? undefined : current.object)
    if (type === 'DELETED') {
      this.#places.delete(uid)
      const owners = (current.object.metadata.ownerReferences ?? []).flatMap(({ uid }) => this.#places.get(uid) ?? [])
      return [...(this.#dependents.get(uid)?.values() ?? []), ...owners]
    }
    this.#places.set(uid, key)
    const { ownerReferences = [], deletionTimestamp } = current.object.metadata
    return ownerReferences.length > 0 || deletionTimestamp !== undefined ? [key] : []
  }

  reconcile(api: Api, key: Key): void {
    const object = find(api, key.storage, key.namespace, key.name)
    const resource = object && api.registry.stored().find(({ storage }) => storage === key.storage)
    if (!object || !resource) return
    const { deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata
    if (deletionTimestamp !== undefined) {
      if (finalizers.includes('orphan')) this.#orphan(api, resource, object)
      else if (finalizers.includes('foregroundDeletion')) this.#waitForDependents(api, resource, object)
      return
    }
    if (ownerReferences.length > 0) this.#check(api, resource, object, ownerReferences)
  }

  #index(key: Key, before: KubeObject | undefined, after: KubeObject | undefined): void {
    const id = `${key.storage}/${key.namespace}/${key.name}`
    for (const { uid } of before?.metadata.ownerReferences ?? []) {
      const known = this.#dependents.get(uid)
      known?.delete(id)
      if (known?.size === 0) this.#dependents.delete(uid)
    }
    for (const { uid } of after?.metadata.ownerReferences ?? []) {
      const known = this.#dependents.get(uid) ?? new Map<string, Key>()
      this.#dependents.set(uid, known.set(id, key))
    }
  }

  #check(api: Api, resource: Resource, object: KubeObject, owners: readonly OwnerReference[]): void {
    const states = owners.map(owner => ({ owner, found: this.#owner(api, object, owner) }))
    const alive = states.filter(({ found }) => found !== undefined && !isWaiting(found))
    if (alive.length === 0) {
      const waiting = states.some(({ found }) => found !== undefined)
      erase(api, resource, object, { propagation: waiting ? 'Foreground' : 'Background' })
    } else if (alive.length < owners.length) {
      const metadata = { ...object.metadata, ownerReferences: alive.map(({ owner }) => owner) }
      persist(api, { ...object, metadata }, systemWrite(resource, object))
    }
  }

  #owner(api: Api, object: KubeObject, { uid }: OwnerReference): KubeObject | undefined {
    const place = this.#places.get(uid)
    if (!place || (place.namespace !== '' && place.namespace !== object.metadata.namespace)) return undefined
    return find(api, place.storage, place.namespace, place.name)
  }

  #waitForDependents(api: Api, resource: Resource, object: KubeObject): void {
    const { uid = '' } = object.metadata
    let blocked = false
    for (const key of Array.from(this.#dependents.get(uid)?.values() ?? [])) {
      const dependent = find(api, key.storage, key.namespace, key.name)
      if (!dependent) continue
      const kind = api.registry.stored().find(({ storage }) => storage === key.storage)
      const blocks = dependent.metadata.ownerReferences?.some(one => one.uid === uid && one.blockOwnerDeletion === true)
      if (kind && dependent.metadata.deletionTimestamp === undefined)
        this.#check(api, kind, dependent, dependent.metadata.ownerReferences ?? [])
      blocked ||= blocks === true && find(api, key.storage, key.namespace, key.name) !== undefined
    }
    if (!blocked) drop(api, resource, object, 'foregroundDeletion')
  }

  #orphan(api: Api, resource: Resource, object: KubeObject): void {
    const { uid = '' } = object.metadata
    for (const key of Array.from(this.#dependents.get(uid)?.values() ?? [])) {
      const dependent = find(api, key.storage, key.namespace, key.name)
      const kind = api.registry.stored().find(({ storage }) => storage === key.storage)
      if (!dependent || !kind) continue
      const { ownerReferences = [], ...rest } = dependent.metadata
      const kept = ownerReferences.filter(one => one.uid !== uid)
      const metadata = kept.length > 0 ? { ...rest, ownerReferences: kept } : rest
      persist(api, { ...dependent, metadata }, systemWrite(kind, dependent))
    }
    drop(api, resource, object, 'orphan')
  }
}

/** Whether an owner waits until its dependents are deleted. */
function isWaiting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes('foregroundDeletion')
}

function drop(api: Api, resource: Resource, object: KubeObject, finalizer: string): void {
  const finalizers = (object.metadata.finalizers ?? []).filter(one => one !== finalizer)
  persist(api, { ...object, metadata: { ...object.metadata, finalizers } }, systemWrite(resource, object))
}
