import type { KubeClient } from '../../kube/client.ts'
import type { Clock } from '../../util/clock.ts'
import type { Progress } from '../host.ts'
import type { Manifest } from '../item.ts'
import type { Problems } from '../plan/problems.ts'
import type { ObjectRef } from '../plan/types.ts'

/** What work on a cluster needs. */
export interface ClusterContext {
  readonly kube: KubeClient
  readonly clock: Clock
  /** Numbers in [0, 1), for the jitter of retries. */
  readonly random: () => number
  readonly progress: Progress
  /** Takes what goes wrong, object by object; nothing that happens to an object is thrown. */
  readonly problems: Problems
  /** Ends the work: what has not begun is left, and the objects that were waited for say so in `problems`. */
  readonly signal: AbortSignal
}

/** How a deployment is carried out; named after kluctl's flags. */
export interface DeployOptions {
  /** Nothing is stored: the API server answers what would be. The steps are those of a real run. */
  readonly dryRun?: boolean | undefined
  /** Takes over all fields that others own. */
  readonly forceApply?: boolean | undefined
  /** Replaces what cannot be applied. */
  readonly replaceOnError?: boolean | undefined
  /** Deletes and creates anew what can be neither applied nor replaced. */
  readonly forceReplaceOnError?: boolean | undefined
  /** The first error ends the deployment. */
  readonly abortOnError?: boolean | undefined
  /** Does not wait for readiness. */
  readonly noWait?: boolean | undefined
  /** Milliseconds for an object to get ready; default 5 minutes. */
  readonly readinessTimeout?: number | undefined
  /** Objects that need no apply while they have this resourceVersion: by `refKey`. */
  readonly skipResourceVersions?: ReadonlyMap<string, string> | undefined
  /** Items worked on at a time; default 8, as kluctl. */
  readonly parallelism?: number | undefined
}

/** What a deployment did, or would have done in a dry run. */
export interface DeployResult {
  /** Objects as the API server answered, hooks among them: by `refKey`. */
  readonly applied: ReadonlyMap<string, Manifest>
  /** The applied ones that are hooks: `refKey`s. */
  readonly hooks: ReadonlySet<string>
  /** What did not exist before, without hooks. */
  readonly created: readonly ObjectRef[]
  /** What `deleteObjects`, `kluctl.io/delete` and forced replacing deleted; without hooks. */
  readonly deleted: readonly ObjectRef[]
}
