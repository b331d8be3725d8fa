import type { Manifest } from '../item.ts'
import type { Json } from '../values.ts'

/**
 * Names one object of a cluster, in the fields and their order of kluctl's results. Fields that are empty are absent;
 * an error that belongs to no object has `{ kind: '', name: '' }` ({@link noObject}).
 */
export interface ObjectRef {
  readonly group?: string
  readonly version?: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** One difference between two versions of an object, as kluctl's results have it. */
export interface Change {
  readonly type: 'insert' | 'delete' | 'update'
  /** In kluctl's short form: `spec.replicas`, `metadata.labels["app.kubernetes.io/name"]`, `spec.ports[0].port`. */
  readonly jsonPath: string
  /** Absent for `insert`. */
  readonly oldValue?: Json
  /** Absent for `delete`. */
  readonly newValue?: Json
  /** Lines that begin with `+`, `-`, a space or `@@`; long texts and structures are cut to hunks. */
  readonly unifiedDiff?: string
}

/** An object that exists and would change or has changed. */
export interface ChangedObject {
  /** With the name of `kluctl.io/diff-name`, where that is set. */
  readonly ref: ObjectRef
  readonly changes: readonly Change[]
}

/** An error or a warning, and the object it is about. */
export interface DeploymentError {
  readonly ref: ObjectRef
  readonly message: string
}

/** A kind as discovery tells it; what planning knows of the cluster's API. */
export interface ApiKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Name in paths, such as `deployments`. */
  readonly plural: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

/** What is known of the objects that are on the cluster: those with the discriminator and those that are rendered. */
export interface RemoteView {
  /** The object as it was before the deployment; undefined when it did not exist or may not be read. */
  get(ref: ObjectRef): Manifest | undefined
  /** All that were found, in no particular order. */
  all(): readonly Manifest[]
}
