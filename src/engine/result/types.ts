import type { GitRef } from '../host.ts'
import type { Manifest } from '../item.ts'
import type { Change, DeploymentError, ObjectRef } from '../plan/types.ts'
import type { FixedImage } from '../project/schema/project.ts'
import type { Target } from '../project/targets.ts'
import type { JsonObject } from '../values.ts'
import type { RenderedDeployment } from './deployment.ts'

// Field names, which fields are left out when empty and which are null are those of kluctl 2.28.2
// (pkg/types/result): its tools read these strictly, so there must be no field that it does not know.

/** Which repository and folder a project is of. */
export interface ProjectKey {
  /** `git://host/path`, or empty outside of a repository that has an origin. */
  readonly repoKey: string
  /** Folder of the project inside its repository; absent for the root. */
  readonly subDir?: string
}

/** What tells targets apart whose results are kept. */
export interface TargetKey {
  readonly targetName?: string
  readonly clusterId: string
  readonly discriminator?: string
}

/** The state of the repository that a project is deployed from. */
export interface GitInfo {
  /** Of the remote `origin`. */
  readonly url: string | null
  readonly ref: GitRef | null
  readonly subDir: string
  /** Empty without a commit. */
  readonly commit: string
  /** Whether anything differs from the commit, new files included. */
  readonly dirty: boolean
}

/** Which cluster was worked on: the UID of its namespace `kube-system`; empty when that may not be read. */
export interface ClusterInfo {
  readonly clusterId: string
}

/** The KluctlDeployment that a controller deployed for. */
export interface KluctlDeploymentInfo {
  readonly name: string
  readonly namespace: string
  readonly clusterId: string
}

/** Which command was run, and how. Times are RFC 3339, in whole seconds, UTC. */
export interface CommandInfo {
  initiator: 'CommandLine' | 'KluctlDeployment'
  startTime: string
  endTime: string
  command: CommandName
  target?: string
  targetNameOverride?: string
  contextOverride?: string
  args?: JsonObject
  images?: readonly FixedImage[]
  dryRun?: boolean
  noWait?: boolean
  forceApply?: boolean
  replaceOnError?: boolean
  forceReplaceOnError?: boolean
  abortOnError?: boolean
  includeTags?: readonly string[]
  excludeTags?: readonly string[]
  includeDeploymentDirs?: readonly string[]
  excludeDeploymentDirs?: readonly string[]
}

/** Commands that give a {@link CommandResult}. */
export type CommandName = 'diff' | 'deploy' | 'prune' | 'delete' | 'poke-images'

/** What a command found out about, or did to, one object. */
export interface BaseObject {
  ref: ObjectRef
  changes?: readonly Change[]
  new?: boolean
  orphan?: boolean
  deleted?: boolean
  hook?: boolean
}

/** The same with the object as it was rendered, as it was on the cluster before, and as it is after. */
export interface ResultObject extends BaseObject {
  rendered?: Manifest
  remote?: Manifest
  applied?: Manifest
}

/** What all results of a project's target say of where they come from. */
interface Origin {
  /** UUID. */
  readonly id: string
  /** Of a controller's reconciliation; empty on the command line. */
  readonly reconcileId: string
  readonly projectKey: ProjectKey
  readonly targetKey: TargetKey
  readonly kluctlDeployment?: KluctlDeploymentInfo
  readonly renderedObjectsHash?: string
}

/** Result of `diff`, `deploy`, `prune`, `delete` and `poke-images`. */
export interface CommandResult extends Origin {
  readonly target: Target
  readonly command: CommandInfo
  readonly gitInfo: GitInfo
  readonly clusterInfo: ClusterInfo
  readonly deployment?: RenderedDeployment
  objects: ResultObject[]
  errors: DeploymentError[]
  warnings: DeploymentError[]
  seenImages: readonly FixedImage[]
}

/** What lists of results show; stored as an annotation beside the result. */
export interface CommandResultSummary extends Origin {
  readonly target: Target
  readonly commandInfo: CommandInfo
  readonly gitInfo: GitInfo
  readonly clusterInfo: ClusterInfo
  readonly renderedObjects: number
  readonly remoteObjects: number
  readonly appliedObjects: number
  readonly appliedHookObjects: number
  readonly newObjects: number
  readonly changedObjects: number
  readonly orphanObjects: number
  readonly deletedObjects: number
  /** Null for none. */
  readonly errors: readonly DeploymentError[] | null
  /** Null for none. */
  readonly warnings: readonly DeploymentError[] | null
  readonly totalChanges: number
}

/** A result annotation (`validate-result.kluctl.io/…`) of an object that was validated. */
export interface ValidateResultEntry {
  readonly ref: ObjectRef
  readonly annotation: string
  readonly message: string
}

/** Result of `validate`. */
export interface ValidateResult extends Origin {
  readonly startTime: string
  readonly endTime: string
  readonly ready: boolean
  readonly warnings: readonly DeploymentError[]
  readonly errors: readonly DeploymentError[]
  readonly results: readonly ValidateResultEntry[]
}

/** What lists of validations show. */
export interface ValidateResultSummary extends Origin {
  readonly startTime: string
  readonly endTime: string
  readonly ready: boolean
  readonly warnings: number
  readonly errors: number
  readonly results: number
}
