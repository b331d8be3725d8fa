import type { Registry } from 'prom-client'
import type { Backend } from '../backend/backend.ts'
import type { EngineServices } from '../backend/engine.ts'
import type { ProjectSources } from '../backend/project-source.ts'
import type { Limit } from '../feedback/index.ts'
import type { Forges } from '../forge/forge.ts'
import type { KubeClient } from '../kube/client.ts'
import type { EventRecorder } from '../kube/events.ts'
import type { LeaderElectorOptions } from '../kube/leader.ts'
import type { Clock } from '../util/clock.ts'
import type { Logger } from '../util/log.ts'
import type { InstallationApp } from './app-grants.ts'
import type { ControllerLimits } from './context.ts'
import type { QueueName } from './queues.ts'

/** What a controller is made of. */
export interface ControllerOptions {
  kube: KubeClient
  forges: Forges
  /** Where Kluctl projects come from. Closed by whoever made it. */
  projects: ProjectSources
  /** Carries out what backend `engine` deploys. */
  deployer: EngineServices['carryOut']
  /** Whether it can do so in Jobs. */
  jobs?: boolean
  /** Other backends than the built-in ones. */
  backends?: Partial<Record<Backend['name'], Backend>>
  events: EventRecorder
  registry: Registry
  log: Logger
  clock?: Clock
  /** Between 0 and 1; spreads retries and listings. */
  random?: () => number
  /** Which Lease decides who works; absent: this replica does, alone. */
  election?: Pick<LeaderElectorOptions, 'namespace' | 'name' | 'identity'> & Partial<LeaderElectorOptions>
  /** Namespaces whose projects are looked after; none: all. */
  namespaces?: readonly string[]
  /** ClusterRoles that projects may give to environments; absent: what RBAC lets the controller bind. */
  allowedClusterRoles?: readonly string[]
  /** The GitHub App of the whole installation, for projects without a credential of their own. */
  githubApp?: InstallationApp
  /** Public address of the server; with it, deliveries that failed to arrive there are asked for again. */
  webhookUrl?: string
  /** Tells clusters apart that use one account at a forge. */
  installation?: string
  limits?: Partial<ControllerLimits>
  workers?: Partial<Record<QueueName, number>>
  /** Sends to a forge, per credential; default: GitHub's limits. */
  feedbackLimits?: readonly Limit[]
}
