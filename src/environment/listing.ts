import {
  type ChangeFacts,
  type ChangeIdentity,
  changeKey,
  identityOf,
  isBranchName,
  type ReviewEnvironment,
} from '../api/index.ts'
import type { ConfigOverrides } from './config-file.ts'
import { type DecidingProject, type Decision, decideChange } from './decide.ts'
import { type ChangedPaths, mayQualify, needsPaths } from './filters.ts'
import { type GuardState, guardDeletes } from './guard.ts'
import type { ChangeListing, ChangeLookup } from './lookup.ts'

type Create = Extract<Decision, { action: 'create' }>
type Update = Extract<Decision, { action: 'update' }>
type Delete = Extract<Decision, { action: 'delete' }>

/** A fresh answer about one change, with what is needed to judge it. */
export interface Verified {
  lookup: ChangeLookup
  paths?: ChangedPaths | undefined
  config?: ConfigOverrides | undefined
}

/** A change to fetch before anything can be decided about it. */
export interface ToVerify {
  change: ChangeIdentity
  /** `missing`: not in the listing; `filtered`: listed, and matching no longer; `paths`: its paths are not known. */
  cause: 'missing' | 'filtered' | 'paths'
}

/** What a listing is judged with. */
export interface ListingInput {
  project: DecidingProject
  /** Fresh answer of the forge to a listing that asked for `whatToList(project, existing)`. */
  listing: ChangeListing
  /** All environments of the project, those that are being deleted among them. */
  existing: readonly ReviewEnvironment[]
  /** Paths of a pull request, if known for its present commit and base. */
  pathsOf?: ((facts: ChangeFacts) => ChangedPaths | undefined) | undefined
  /** The config file of a change, if it was read at its present commit. */
  configOf?: ((facts: ChangeFacts) => ConfigOverrides | undefined) | undefined
  /** Answers about what an earlier call for the same listing gave in `verify`, by `changeKey`. */
  verified?: ReadonlyMap<string, Verified> | undefined
  /** Milliseconds since the epoch, when the listing ended. */
  now: number
  guardState?: GuardState | undefined
}

/** What a listing asks for. Applied and planned again it is empty. */
export interface ListingPlan {
  creates: Create[]
  updates: Update[]
  /** To be fetched and handed in as `verified` in a second call for the same listing. */
  verify: ToVerify[]
  deletes: Delete[]
  /** Deletes that the guard holds back. */
  held: Delete[]
  /** For an Event and the log. */
  warnings: string[]
  /** To be written to the project's status together with the deletes; only that of the last call counts. */
  nextGuardState: GuardState
  /** Open changes in the listing, and how many of them get an environment. */
  changes: number
  qualifying: number
}

/** What to list for a project: what its filters speak of, and the kinds of change its environments follow. */
export function whatToList(
  project: DecidingProject,
  existing: readonly ReviewEnvironment[],
): { pullRequests: boolean; branches: boolean } {
  const { changes } = project.spec
  return {
    pullRequests: changes.pullRequests !== undefined || existing.some(env => env.spec.change.pullRequest !== undefined),
    branches: changes.branches !== undefined || existing.some(env => env.spec.change.branch !== undefined),
  }
}

/**
 * Compares a listing with the environments of a project. Creates and updates need no more than the listing; a delete
 * needs a complete listing and a fresh answer about the change itself, and passes the guard unless that answer says
 * `closed`. An incomplete listing deletes nothing, and an empty one nothing by itself.
 * @throws InvalidInputError for filters that cannot be read
 */
export function planListing(input: ListingInput): ListingPlan {
  const { project, existing, listing } = input
  const plan: ListingPlan = {
    creates: [],
    updates: [],
    verify: [],
    deletes: [],
    held: [],
    warnings: [],
    nextGuardState: input.guardState ?? {},
    changes: 0,
    qualifying: 0,
  }
  if (project.spec.suspend) return plan
  const environments = Map.groupBy(existing, environment => changeKey(environment.spec.change))
  const seen = new Set<string>()
  for (const facts of [...listing.pullRequests, ...listing.branches]) {
    const key = changeKey(identityOf(facts))
    if (seen.has(key)) continue
    seen.add(key)
    plan.changes++
    // More than one only where a person made another by hand; each is judged by itself.
    const own: (ReviewEnvironment | undefined)[] = environments.get(key) ?? [undefined]
    const followed = own.map(environment => planListed(input, plan, facts, environment))
    if (followed.includes(true)) plan.qualifying++
  }
  for (const [key, own] of environments) {
    if (!seen.has(key)) for (const environment of own) planMissing(input, plan, environment)
  }
  if (!listing.complete) {
    plan.warnings.push(
      `the listing is incomplete, so nothing is deleted: ${listing.incompleteReason ?? 'no reason given'}`,
    )
  }
  return guard(input, plan)
}

/** Plans for a change that the listing holds; gives whether it qualifies. */
function planListed(
  input: ListingInput,
  plan: ListingPlan,
  facts: ChangeFacts,
  existing: ReviewEnvironment | undefined,
): boolean {
  const { project } = input
  const change = identityOf(facts)
  const verified = input.verified?.get(changeKey(change))
  if (verified) return planVerified(input, plan, change, existing, verified)
  const paths = input.pathsOf?.(facts)
  if (paths === undefined && pathsMatter(project, facts, existing)) {
    ask(plan, change, 'paths')
    return false
  }
  const lookup = { state: 'open', change: facts } as const
  const decision = decideChange({ project, change, existing, lookup, paths, config: input.configOf?.(facts) })
  if (decision.action !== 'delete') return collect(plan, decision)
  if (input.listing.complete) ask(plan, change, 'filtered')
  return false
}

/** Plans by a fresh answer about the change; gives whether it qualifies. */
function planVerified(
  input: ListingInput,
  plan: ListingPlan,
  change: ChangeIdentity,
  existing: ReviewEnvironment | undefined,
  verified: Verified,
): boolean {
  const { project } = input
  const { lookup } = verified
  const facts = lookup.state === 'open' ? lookup.change : undefined
  const paths = verified.paths ?? (facts && input.pathsOf?.(facts))
  if (facts && paths === undefined && pathsMatter(project, facts, existing)) {
    ask(plan, change, 'paths')
    return false
  }
  const config = verified.config ?? (facts && input.configOf?.(facts))
  return collect(plan, decideChange({ project, change, existing, lookup, paths, config }))
}

/** Whether a change cannot be judged without its paths. */
export function pathsMatter(
  project: DecidingProject,
  facts: ChangeFacts,
  existing: ReviewEnvironment | undefined,
): boolean {
  const { changes } = project.spec
  return existing?.spec.origin !== 'manual' && needsPaths(changes, facts) && mayQualify(changes, facts).qualifies
}

/** Plans for an environment whose change the listing lacks. */
function planMissing(input: ListingInput, plan: ListingPlan, environment: ReviewEnvironment): void {
  const { listing } = input
  const { change } = environment.spec
  if (environment.metadata.deletionTimestamp !== undefined) return
  // Written by a person; no forge can be asked for it, and the environment's own status says so.
  if (change.branch !== undefined && !isBranchName(change.branch)) return
  const verified = input.verified?.get(changeKey(change))
  if (verified) {
    planVerified(input, plan, change, environment, verified)
    return
  }
  // A repository has a default branch: a listing without any branch was not one of branches, or it is wrong.
  const evident = listing.complete && (change.pullRequest !== undefined || listing.branches.length > 0)
  if (evident) ask(plan, change, 'missing')
}

/** Asks for a fresh answer, once for each change: environments of one change come one after the other. */
function ask(plan: ListingPlan, change: ChangeIdentity, cause: ToVerify['cause']): void {
  const last = plan.verify.at(-1)
  if (last === undefined || changeKey(last.change) !== changeKey(change)) plan.verify.push({ change, cause })
}

function collect(plan: ListingPlan, decision: Decision): boolean {
  if (decision.action === 'create') plan.creates.push(decision)
  if (decision.action === 'update') plan.updates.push(decision)
  if (decision.action === 'delete') plan.deletes.push(decision)
  return decision.action !== 'none' && decision.action !== 'delete'
}

/** Takes the deletes out that need the guard's leave and do not get it. */
function guard(input: ListingInput, plan: ListingPlan): ListingPlan {
  const { listing } = input
  const certain = plan.deletes.filter(decision => decision.cause === 'closed')
  const doubtful = listing.complete ? plan.deletes.filter(decision => decision.cause !== 'closed') : []
  const verdict = guardDeletes({
    candidates: doubtful.map(({ environment, cause }) => ({
      key: changeKey(environment.spec.change),
      cause: cause === 'absent' ? 'absent' : 'filtered',
    })),
    environments: input.existing.filter(env => env.metadata.deletionTimestamp === undefined).length - certain.length,
    state: input.guardState,
    now: input.now,
    // While answers are missing the listing has not said all it has to say.
    listing: listing.complete && plan.verify.length === 0,
  })
  return {
    ...plan,
    deletes: verdict.pass ? [...certain, ...doubtful] : certain,
    held: verdict.pass ? [] : doubtful,
    warnings: verdict.warning === undefined ? plan.warnings : [...plan.warnings, verdict.warning],
    nextGuardState: verdict.nextState,
  }
}
