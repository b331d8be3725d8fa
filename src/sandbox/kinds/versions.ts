import type { KubeObject } from '../../kube/types.ts'
import { eventAsCore, eventAsModern } from './events.ts'
import type { Resource } from './resource.ts'

/** A stored object in the version of the request; custom kinds differ in nothing but their apiVersion. */
export function asServed(object: KubeObject, resource: Resource): KubeObject {
  if (object.apiVersion === resource.apiVersion) return object
  if (resource.storage === 'events') return resource.group === '' ? eventAsCore(object) : eventAsModern(object)
  return { ...object, apiVersion: resource.apiVersion }
}

/** An object in the version that is kept. */
export function asStored(object: KubeObject, resource: Resource): KubeObject {
  if (resource.storage === 'events') return eventAsCore(object)
  if (!resource.custom) return object
  const apiVersion = `${resource.group}/${resource.custom.storageVersion}`
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion }
}
