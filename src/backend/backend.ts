import type { BackendName, Blocker, EngineRecord, ReviewEnvironment, ReviewEnvironmentStatus } from '../api/index.ts'
import type { DesiredEnvironment } from '../environment/desired.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Clock } from '../util/clock.ts'
import type { Logger } from '../util/log.ts'
import type { GitCredentials } from './git-credential.ts'

/** The part of an environment's status that a backend may record. */
export type BackendRecord = Pick<ReviewEnvironmentStatus, 'inventory' | 'discriminators' | 'observedRevision'>

/** What a backend works with for one environment during one reconcile. */
export interface BackendContext {
  /** As the API server has it, never older than the last `record`: a stale inventory would leave objects behind. */
  environment: ReviewEnvironment
  /** The environment's namespace and account; both exist while `apply` and `observe` run. */
  namespace: string
  /** Name of the environment's own ServiceAccount, in the environment object's namespace. */
  serviceAccount: string
  /** Acts as the controller. */
  kube: KubeClient
  /** What opens the project's repositories. */
  credentials: GitCredentials
  /**
   * Writes facts into the environment's status at once and returns when the API server has them, so that a crash right
   * after finds them: an inventory or discriminator is recorded before it is used. `environment.status` shows them
   * afterwards; rejects with a conflict when `environment` is not the newest.
   */
  record(facts: BackendRecord): Promise<void>
  clock: Clock
  log: Logger
  signal: AbortSignal
  /**
   * What is known of the environment's namespace without asking: `new`, it was made in this very reconcile, and nothing
   * of a project can be in it yet; `owned`, it was made for this environment and goes with everything in it.
   */
  namespaceState?: 'new' | 'owned' | undefined
}

/** What a backend needs to foresee what it will record. */
export type ForeseeContext = Pick<BackendContext, 'environment' | 'namespace' | 'serviceAccount' | 'kube' | 'signal'>

/** How a deployment stands. */
export interface Observation {
  phase: 'deploying' | 'ready' | 'failed' | 'stalled'
  /** CamelCase, for the condition. */
  reason: string
  /** For people; never holds a secret. */
  message: string
  /** Commit that the observation speaks of, when the backend knows it. */
  revision?: string
  /** When to look again although nothing was heard, in milliseconds. */
  recheckAfter?: number
  /** What the status keeps of the last deployment by the engine. */
  engine?: EngineRecord
  /** What the status keeps of objects that are ready: see `Backend.isApplied`. */
  appliedDigest?: string
}

/** How far a teardown is. */
export interface Teardown {
  /** Nothing that this backend made is left outside the environment's namespace, nor inside it as far as it can tell. */
  gone: boolean
  /** What is still there; named, with finalizers. */
  blockers: Blocker[]
  /** Whether the environment's namespace may go now: what needs it to clean up has gone, or has had its time. */
  proceed: boolean
  /** When to look again although nothing was heard, in milliseconds. */
  recheckAfter?: number
}

/**
 * One way to deploy an environment. Every verb is idempotent, may be cut off at any point, never waits for the cluster
 * to finish something (it returns and is called again), and throws TerminalError for what a retry cannot mend.
 */
export interface Backend {
  readonly name: BackendName
  /**
   * What `apply` will record in a namespace that does not exist yet; it is then recorded with the namespace's own name.
   * Reads nothing of the environment, which may not exist yet either.
   */
  foresee?(context: ForeseeContext, desired: DesiredEnvironment): Promise<Pick<BackendRecord, 'inventory'>>
  /** Whether the status says that just this was applied and seen ready. Reads memory only. */
  isApplied?(context: BackendContext, desired: DesiredEnvironment): Promise<boolean>
  /** Brings the cluster towards `desired`; writes nothing when it is there already. */
  apply(context: BackendContext, desired: DesiredEnvironment): Promise<void>
  /** Tells how the deployment stands; reads only, except for asking a controller to look again. */
  observe(context: BackendContext, desired: DesiredEnvironment): Promise<Observation>
  /** Removes what `apply` made, by what is recorded; needs no project and no desired state. */
  teardown(context: BackendContext): Promise<Teardown>
  /** Ends what it does beside the reconciles; what is cut off is begun again by whoever leads next. */
  close?(): Promise<void>
}
