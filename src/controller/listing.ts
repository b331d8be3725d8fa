import { changeKey, durationMilliseconds, identityOf, type ReviewProject } from '../api/index.ts'
import { mayQualify } from '../environment/filters.ts'
import {
  type ListingPlan,
  pathsMatter,
  planListing,
  type ToVerify,
  type Verified,
  whatToList,
} from '../environment/listing.ts'
import type { Forge, Listing } from '../forge/forge.ts'
import { parallel } from '../util/parallel.ts'
import { carryOut, deleteEnvironment } from './carry-out.ts'
import { changeLock, verify } from './change.ts'
import type { ControllerContext } from './context.ts'
import { type Place, placeOf } from './keys.ts'
import { noteListing, noteListingFailure } from './listing-status.ts'
import { changeProjectStatus } from './project-status.ts'
import { Setbacks } from './setbacks.ts'
import { changeIndex, environmentsOf } from './stores.ts'
import type { Outcome } from './workers.ts'

/** Changes of one listing that are worked on at a time. */
const atATime = 16

/** Rounds of asking for what is missing; each answer can at most ask for its paths. */
const maxRounds = 4

/**
 * Lists all changes of a project and brings its environments in line: the safety net behind webhooks, and what makes
 * them safe to lose. Deletes need more than a listing: see `planListing`.
 */
export async function reconcileListing(
  context: ControllerContext,
  { namespace, name }: Place,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const project = context.stores.projects.get(namespace, name)
  if (project === undefined || project.metadata.deletionTimestamp !== undefined || project.spec.suspend)
    return undefined
  const began = context.freshness.tick()
  const setbacks = new Setbacks(signal)
  try {
    const { forge } = await context.forges.of(project)
    const { comment, status: statuses } = project.spec.feedback
    const comments = comment && project.spec.changes.pullRequests !== undefined
    const lacks = await forge.lacks({ comments, statuses })
    const listing = await forge.list(whatToList(project, environmentsOf(context.stores, project)), signal)
    await readFiles(context, project, forge, listing, setbacks, signal)
    const plan = await settle(context, project, forge, listing, setbacks, signal)
    await apply(context, project, plan, began, setbacks, signal)
    noteWanted(context, project, listing)
    await noteListing(context, project, { listing, plan, failure: setbacks.failure, lacks }, signal)
    context.freshness.forget(placeOf(project), began)
  } catch (error) {
    signal.throwIfAborted()
    context.forges.noteFailure(project, error)
    await noteListingFailure(context, project, error, signal)
    throw error
  }
  if (setbacks.failure?.transient) throw setbacks.failure
  // Spread, so that projects of one installation do not come back together.
  return { recheckAfter: durationMilliseconds(project.spec.source.interval) * (0.95 + context.random() / 10) }
}

/** Config files of the changes that may get an environment; at a known commit nothing is read twice. */
async function readFiles(
  context: ControllerContext,
  project: ReviewProject,
  forge: Forge,
  listing: Listing,
  setbacks: Setbacks,
  signal: AbortSignal,
): Promise<void> {
  if (project.spec.configFile.allow.length === 0) return
  const candidates = [...listing.pullRequests, ...listing.branches].filter(
    facts => mayQualify(project.spec.changes, facts).qualifies,
  )
  await parallel(candidates, atATime, facts =>
    setbacks.attempt(changeKey(identityOf(facts)), () =>
      context.commits.readableOverrides(project, facts, forge, signal),
    ),
  )
}

/** Stands for an answer that could not be had: by it nothing is made, changed or deleted. */
const unanswered: Verified = { lookup: { state: 'unknown', reason: 'asking about it failed' } }

/** Plans, asks the forge about each change that the plan cannot do without, and plans again with the answers. */
async function settle(
  context: ControllerContext,
  project: ReviewProject,
  forge: Forge,
  listing: Listing,
  setbacks: Setbacks,
  signal: AbortSignal,
): Promise<ListingPlan> {
  const verified = new Map<string, Verified>()
  // Whether its file lets the change have an environment is not known, so nothing is done to it.
  for (const facts of [...listing.pullRequests, ...listing.branches]) {
    const change = changeKey(identityOf(facts))
    if (setbacks.has(change)) verified.set(change, unanswered)
  }
  for (let round = 0; ; round++) {
    const plan = planNow(context, project, listing, verified)
    if (plan.verify.length === 0 || round >= maxRounds) return plan
    await parallel(plan.verify, atATime, async asked => {
      const change = changeKey(asked.change)
      const answer = await setbacks.attempt(change, () => ask(context, project, forge, listing, asked, signal))
      verified.set(change, answer ?? unanswered)
    })
  }
}

function planNow(
  context: ControllerContext,
  project: ReviewProject,
  listing: Listing,
  verified: ReadonlyMap<string, Verified>,
): ListingPlan {
  const newest = context.stores.projects.get(project.metadata.namespace, project.metadata.name) ?? project
  return planListing({
    project,
    listing,
    existing: environmentsOf(context.stores, project),
    pathsOf: facts => context.commits.knownPaths(project, facts),
    configOf: facts => context.commits.knownOverrides(project, facts),
    verified,
    now: context.clock.now(),
    guardState: newest.status,
  })
}

/** A change whose paths alone are missing is not fetched anew. */
async function ask(
  context: ControllerContext,
  project: ReviewProject,
  forge: Forge,
  listing: Listing,
  { change, cause }: ToVerify,
  signal: AbortSignal,
): Promise<Verified> {
  const [existing] = context.stores.environments.byIndex('change', changeIndex(placeOf(project), changeKey(change)))
  const facts = listing.pullRequests.find(each => each.number === change.pullRequest)
  if (cause !== 'paths' || facts === undefined || !pathsMatter(project, facts, existing)) {
    return verify(context, project, forge, change, existing, signal)
  }
  await context.commits.paths(project, facts, forge, signal)
  return { lookup: { state: 'open', change: facts } }
}

/** Carries a plan out; what one event has brought since the listing began is left alone. */
async function apply(
  context: ControllerContext,
  project: ReviewProject,
  plan: ListingPlan,
  began: number,
  setbacks: Setbacks,
  signal: AbortSignal,
): Promise<void> {
  const place = placeOf(project)
  const unlessNewer = (change: string, work: () => Promise<void>) =>
    context.locks.run(changeLock(project, change), async () => {
      if (!context.freshness.isNewer(place, change, began)) await setbacks.attempt(change, work)
    })
  await changeProjectStatus(
    context,
    project.metadata,
    ({ heldDeletes: _held, recentDeletes: _recent, ...rest }) => ({ ...rest, ...plan.nextGuardState }),
    signal,
  )
  await parallel(plan.deletes, atATime, ({ environment, reason }) =>
    unlessNewer(changeKey(environment.spec.change), () => deleteEnvironment(context, environment, reason, signal)),
  )
  const creates = plan.creates.toSorted((a, b) => openedAt(a.facts) - openedAt(b.facts))
  const mayReserve = creates.length <= freePlaces(context, project)
  await parallel([...plan.updates, ...creates], atATime, async decision =>
    unlessNewer(changeKey(identityOf(decision.facts)), () =>
      carryOut(context, project, decision, { mayReserve }, signal),
    ),
  )
}

/** A change that is open while its environment is on its way out is looked at again after that. */
function noteWanted(context: ControllerContext, project: ReviewProject, listing: Listing): void {
  const open = new Set([...listing.pullRequests, ...listing.branches].map(facts => changeKey(identityOf(facts))))
  for (const { metadata, spec } of environmentsOf(context.stores, project)) {
    const change = changeKey(spec.change)
    if (metadata.deletionTimestamp === undefined || !open.has(change)) continue
    context.wantedAgain.add(changeIndex(placeOf(project), change))
  }
}

function freePlaces(context: ControllerContext, project: ReviewProject): number {
  return project.spec.environment.limit - context.stores.environments.count('alive', placeOf(project))
}

/** Milliseconds since the epoch; what has no time goes last, as it does when places are given. */
function openedAt({ createdAt }: { createdAt?: string | undefined }): number {
  return createdAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(createdAt)
}
