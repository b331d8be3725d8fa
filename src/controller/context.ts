import type { ReviewEnvironment, ReviewProject } from '../api/index.ts'
import type { Backend } from '../backend/backend.ts'
import type { ProjectSources } from '../backend/project-source.ts'
import type { Budget } from '../feedback/index.ts'
import type { KubeClient } from '../kube/client.ts'
import type { EventInput } from '../kube/events.ts'
import type { Clock } from '../util/clock.ts'
import type { Gate } from '../util/gate.ts'
import type { Logger } from '../util/log.ts'
import type { Farewells } from './farewells.ts'
import type { ForgeAccess } from './forge-access.ts'
import type { Freshness } from './freshness.ts'
import type { GitSecrets } from './git-secrets.ts'
import type { Work } from './keys.ts'
import type { KluctlWatch } from './kluctl-watch.ts'
import type { KeyedLocks } from './locks.ts'
import type { CommitCache } from './overrides.ts'
import type { RepairOptions } from './repair.ts'
import type { Stores } from './stores.ts'

/** Asks for work. */
export interface Enqueue {
  /** As soon as possible. */
  now(work: Work): void
  /** When there is nothing better to do: nothing is known to have happened. */
  look(work: Work): void
  /** After some milliseconds, unless it is done before. */
  after(work: Work, milliseconds: number): void
  /** As `now`; false when the queue is full, and nothing was taken. */
  offer(work: Work): boolean
}

/** Limits of the controller; durations in milliseconds. */
export interface ControllerLimits {
  /** How long a backend may take to remove its objects before the namespace is deleted all the same. */
  teardownPatience: number
  /** After this long, a teardown that waits for something is called blocked. */
  blockedAfter: number
  /** How long a removal waits for people to be told of it. */
  farewellPatience: number
  /** Between two looks of the sweeper. */
  sweepInterval: number
  /** Between two looks for deliveries that failed. */
  repairInterval: number
}

/** What the reconcilers share. */
export interface ControllerContext {
  kube: KubeClient
  stores: Stores
  enqueue: Enqueue
  forges: ForgeAccess
  gitSecrets: GitSecrets
  /** How failed deliveries are asked for again; absent: they are not. */
  repair?: RepairOptions
  backends: Readonly<Record<Backend['name'], Backend>>
  projects: ProjectSources
  /** What is known of the cluster's KluctlDeployments. */
  kluctl: Pick<KluctlWatch, 'ready' | 'start' | 'known' | 'has'>
  locks: KeyedLocks
  /** Environments that are created at the same time: what has begun is not to wait for what comes. */
  creations: Gate
  freshness: Freshness
  budget: Budget
  commits: CommitCache
  farewells: Farewells
  /** Environments (uids) that were looked at since this term began. */
  looked: Set<string>
  /** Changes (values of the index `change`) to look at again when their environment's removal is done. */
  wantedAgain: Set<string>
  /** Records a Kubernetes Event; never waits, never throws. */
  event(about: ReviewEnvironment | ReviewProject, event: EventInput): void
  clock: Clock
  /** Between 0 and 1. */
  random: () => number
  log: Logger
  limits: ControllerLimits
  /** Tells clusters apart that use one account at a forge; may be empty. */
  installation: string
  /** Namespaces whose projects are looked after; none: all. */
  namespaces: readonly string[]
  /** ClusterRoles that projects may give to environments; absent: what RBAC lets the controller bind. */
  allowedClusterRoles?: readonly string[]
}

/** Waits of the installed controller. */
export const defaultLimits: ControllerLimits = {
  teardownPatience: 60_000,
  blockedAfter: 10_000,
  farewellPatience: 30_000,
  sweepInterval: 10 * 60_000,
  repairInterval: 2 * 60_000,
}
