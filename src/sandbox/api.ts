import type { KubeObject } from '../kube/types.ts'
import type { Clock } from '../util/clock.ts'
import { timestamp } from '../util/clock.ts'
import type { Registry } from './kinds/registry.ts'
import type { Resource } from './kinds/resource.ts'
import type { Store } from './store/store.ts'

/** What every part of the sandbox works with. */
export interface Api {
  store: Store
  registry: Registry
  clock: Clock
  /** A new UUID. */
  uid(): string
  /** Five letters and digits for generated names. */
  suffix(): string
}

/** Who asks. */
export interface User {
  username: string
  uid?: string
  groups: readonly string[]
  extra?: Readonly<Record<string, readonly string[]>>
}

/** One write, as the path, query and headers of its request say. */
export interface WriteRequest {
  resource: Resource
  /** Empty for cluster-scoped kinds. */
  namespace: string
  /** Empty for a create. */
  name: string
  subresource: string
  dryRun: boolean
  fieldManager: string
  fieldValidation: 'Strict' | 'Warn' | 'Ignore'
  /** Server-side apply only. */
  force: boolean
  user: User
  /** Warnings for the client; verbs add to them. */
  warnings: string[]
}

/** Seconds-precise time as objects carry it. */
export function timeOf(api: Api): string {
  return timestamp(api.clock.now())
}

/** What the sandbox's own controllers write as; they skip the checks of requests. */
export const system: User = { username: 'system:sandbox', groups: ['system:masters'] }

/** A write by one of the sandbox's own controllers. */
export function systemWrite(resource: Resource, object: KubeObject, subresource = ''): WriteRequest {
  return {
    resource,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
    subresource,
    dryRun: false,
    fieldManager: 'sandbox',
    fieldValidation: 'Ignore',
    force: true,
    user: system,
    warnings: [],
  }
}
