import {
  type ConditionInput,
  findCondition,
  type ReviewProject,
  type ReviewProjectStatus,
  withCondition,
  withoutCondition,
} from '../api/index.ts'
import type { ListingPlan } from '../environment/listing.ts'
import { maskFor } from '../feedback/index.ts'
import { ForgeError } from '../forge/errors.ts'
import type { Listing } from '../forge/forge.ts'
import { timestamp } from '../util/clock.ts'
import { messageOf, TerminalError } from '../util/errors.ts'
import type { ControllerContext } from './context.ts'
import { reasonOf } from './environment-state.ts'
import { changeProjectStatus } from './project-status.ts'
import type { ChangesFailed } from './setbacks.ts'

const mask = maskFor()

/**
 * A listing that says the same as the last one is noted this seldom, in milliseconds: a project at rest is not written
 * to at every interval.
 */
const quiet = 60 * 60_000

/** A listing that was carried out. */
export interface CarriedOut {
  listing: Listing
  plan: ListingPlan
  /** What failed with single changes. */
  failure: ChangesFailed | undefined
  /** Permissions that the credential lacks for what the project wants. */
  lacks: readonly string[]
}

/** Notes a listing that was carried out, but for what failed with single changes. */
export async function noteListing(
  context: ControllerContext,
  project: ReviewProject,
  { listing, plan, failure, lacks }: CarriedOut,
  signal: AbortSignal,
): Promise<void> {
  for (const warning of plan.warnings) {
    const reason = plan.held.length > 0 ? 'DeletesHeld' : 'ListingIncomplete'
    context.event(project, { type: 'Warning', reason, note: mask(warning) })
  }
  if (failure !== undefined) {
    context.event(project, { type: 'Warning', reason: failure.reason, note: mask(failure.message) })
  }
  const condition = listedCondition(listing, failure, lacks)
  if (lacks.length > 0) context.event(project, { type: 'Warning', reason: 'PermissionsMissing', note: lackText(lacks) })
  await changeProjectStatus(
    context,
    project.metadata,
    (status, newest) => {
      const next = conditioned(context, status, newest, condition)
      return listing.complete ? { ...next, lastListing: lastListing(context, status, plan) } : next
    },
    signal,
  )
}

function lackText(lacks: readonly string[]): string {
  return `the GitHub App's installation lacks permissions: ${lacks.join(', ')}; let the account's owner accept them`
}

function listedCondition(
  listing: Listing,
  failure: ChangesFailed | undefined,
  lacks: readonly string[],
): ConditionInput {
  const notReady = { type: 'Ready', status: 'False' } as const
  if (!listing.complete) {
    const message = mask(listing.incompleteReason ?? 'the forge gave only a part of its changes')
    return { ...notReady, reason: 'ListingIncomplete', message }
  }
  if (failure !== undefined) return { ...notReady, reason: failure.reason, message: mask(failure.message) }
  if (lacks.length > 0) return { ...notReady, reason: 'PermissionsMissing', message: lackText(lacks) }
  return { type: 'Ready', status: 'True', reason: 'Listed', message: 'the changes of the repository are known' }
}

/** Notes that a listing failed. Nothing was created, changed or deleted by it. */
export async function noteListingFailure(
  context: ControllerContext,
  project: ReviewProject,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  const reason = error instanceof ForgeError ? forgeReason(error) : reasonOf(error)
  const message = mask(messageOf(error)).slice(0, 1000)
  context.event(project, { type: 'Warning', reason, note: message })
  await changeProjectStatus(
    context,
    project.metadata,
    (status, newest) => {
      // What is wrong with the project has been said in full, of which this is one part.
      if (findCondition(status.conditions, 'Stalled')?.reason === 'Invalid') return status
      const failed = conditioned(context, status, newest, { type: 'Ready', status: 'False', reason, message })
      if (!(error instanceof TerminalError)) return failed
      return conditioned(context, failed, newest, { type: 'Stalled', status: 'True', reason, message })
    },
    signal,
  )
}

/** A forge's failure as a condition's reason, such as `ForgeUnauthorized`. */
function forgeReason({ kind }: ForgeError): string {
  return `Forge${kind.charAt(0).toUpperCase()}${kind.slice(1)}`
}

function conditioned(
  context: ControllerContext,
  status: ReviewProjectStatus,
  project: ReviewProject,
  condition: ConditionInput,
): ReviewProjectStatus {
  const { generation } = project.metadata
  const observed = generation === undefined ? {} : { observedGeneration: generation }
  let conditions = status.conditions ?? []
  if (condition.type === 'Ready' && findCondition(conditions, 'Stalled')?.reason !== 'Invalid') {
    conditions = withoutCondition(conditions, 'Stalled')
  } else if (condition.type === 'Ready') {
    // The project itself is wrong, whatever its forge says.
    return status
  }
  return {
    ...status,
    ...observed,
    conditions: withCondition(conditions, { ...condition, ...observed }, timestamp(context.clock.now())),
  }
}

function lastListing(context: ControllerContext, status: ReviewProjectStatus, plan: ListingPlan) {
  const { changes, qualifying } = plan
  const last = status.lastListing
  const same = last?.changes === changes && last.qualifying === qualifying
  if (last !== undefined && same && Math.abs(context.clock.now() - Date.parse(last.time)) < quiet) return last
  return { time: timestamp(context.clock.now()), changes, qualifying }
}
