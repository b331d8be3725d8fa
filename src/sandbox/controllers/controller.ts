import type { KubeObject } from '../../kube/types.ts'
import { type Api, systemWrite } from '../api.ts'
import type { Resource } from '../kinds/resource.ts'
import { asServed } from '../kinds/versions.ts'
import type { Change } from '../store/history.ts'
import { create } from '../verbs/create.ts'
import { type DeleteOptions, remove } from '../verbs/delete.ts'
import { write } from '../verbs/update.ts'

/** Which object to look at. */
export interface Key {
  storage: string
  namespace: string
  name: string
}

/** A part of the sandbox that acts on changes, as the controllers of a cluster do. */
export interface Controller {
  /** The objects to look at after a change. */
  concerns(api: Api, storage: string, change: Change): Key[]
  /** Brings the world closer to what the object wants. Called again after every change that concerns it. */
  reconcile(api: Api, key: Key): void
}

/** What the sandbox's own writes are recorded as. */
const manager = 'kube-controller-manager'

/** The stored object of a built-in kind. */
export function find(api: Api, storage: string, namespace: string, name: string): KubeObject | undefined {
  return api.store.get(storage, namespace, name)?.object
}

/** Objects of a kind in a namespace whose controller is `owner`. */
export function ownedBy(api: Api, storage: string, namespace: string, owner: KubeObject): KubeObject[] {
  const found: KubeObject[] = []
  for (const { object } of api.store.list(storage, namespace)) {
    const controller = object.metadata.ownerReferences?.find(one => one.controller === true)
    if (controller?.uid === owner.metadata.uid) found.push(object)
  }
  return found
}

/** Creates a built-in object. */
export function make(api: Api, object: KubeObject): KubeObject {
  const resource = api.registry.builtIn(object.apiVersion, object.kind)
  return create(api, object, { ...systemWrite(resource, object), name: '', fieldManager: manager })
}

/** Brings an object to a new state. */
export function change(api: Api, resource: Resource, before: KubeObject, after: KubeObject): KubeObject {
  return write(api, before, after, { ...systemWrite(resource, before), fieldManager: manager })
}

/** Sets the status of an object, if it differs. */
export function setStatus(api: Api, resource: Resource, object: KubeObject, status: object): KubeObject {
  const served = asServed(object, resource)
  const request = { ...systemWrite(resource, served, 'status'), fieldManager: manager }
  return write(api, served, { ...served, status }, request)
}

/** Deletes an object that exists. */
export function erase(api: Api, resource: Resource, object: KubeObject, options: Partial<DeleteOptions> = {}): void {
  remove(api, systemWrite(resource, object), { propagation: 'Background', ...options })
}

/** The reference by which an object is owned by its controller. */
export function controllerReference(owner: KubeObject) {
  const { name = '', uid = '' } = owner.metadata
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** The key of the object that a change is about, for controllers of one kind. */
export function itself(storage: string, change: Change): Key {
  return { storage, namespace: change.current.namespace, name: change.current.name }
}

/** The key of an object's controller, if it is of the given kind. */
export function controllerOf(object: KubeObject, kind: string, storage: string): Key[] {
  const owner = object.metadata.ownerReferences?.find(one => one.controller === true && one.kind === kind)
  return owner ? [{ storage, namespace: object.metadata.namespace ?? '', name: owner.name }] : []
}
