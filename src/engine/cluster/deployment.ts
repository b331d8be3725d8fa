import type { Manifest } from '../item.ts'
import type { Readiness } from '../plan/readiness.ts'
import type { ObjectRef, RemoteView } from '../plan/types.ts'
import type { ItemObjects } from '../render/items.ts'
import type { ClusterContext, DeployOptions, DeployResult } from './types.ts'

export type { ClusterContext, DeployOptions, DeployResult } from './types.ts'

/**
 * Carries out a deployment, or its dry run: items in parallel up to each barrier; in an item deletions, hooks before,
 * objects, waiting, hooks after. Never throws for what happens to an object, nor when it is aborted: the context's
 * `problems` say what went wrong, the result what was done up to then.
 */
export type Deploy = (
  context: ClusterContext,
  items: readonly ItemObjects[],
  remote: RemoteView,
  options?: DeployOptions,
) => Promise<DeployResult>

/**
 * Deletes objects, namespaces first, and gives those that were deleted (or did not exist). With `wait` it comes back
 * when they are gone, and says meanwhile what holds those that stay.
 */
export type DeleteObjects = (
  context: ClusterContext,
  refs: readonly ObjectRef[],
  options: { wait: boolean },
) => Promise<ObjectRef[]>

/** How ready a deployed object is by kluctl's rules, for `validate`. */
export type ValidateObject = (context: ClusterContext, object: Manifest) => Promise<Readiness>
