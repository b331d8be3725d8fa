import {
  type ChangeFacts,
  type ChangeIdentity,
  isBranchName,
  parseChangeKey,
  type ReviewEnvironment,
  type ReviewProject,
} from '../api/index.ts'
import { type Decision, decideChange } from '../environment/decide.ts'
import { guardDeletes } from '../environment/guard.ts'
import type { Verified } from '../environment/listing.ts'
import { pathsMatter } from '../environment/listing.ts'
import type { Forge } from '../forge/forge.ts'
import { carryOut, deleteEnvironment } from './carry-out.ts'
import type { ControllerContext } from './context.ts'
import { placeOf, type Work } from './keys.ts'
import { changeProjectStatus } from './project-status.ts'
import { changeIndex } from './stores.ts'

/**
 * Looks at one change and does what it asks for. One request to the forge (two or three where the project filters by
 * paths or reads a config file), whatever the number of changes and environments.
 */
export async function reconcileChange(
  context: ControllerContext,
  { namespace, name, change }: Extract<Work, { kind: 'change' }>,
  signal: AbortSignal,
): Promise<undefined> {
  const project = context.stores.projects.get(namespace, name)
  if (project === undefined || project.metadata.deletionTimestamp !== undefined || project.spec.suspend)
    return undefined
  const identity = parseChangeKey(change)
  if (!follows(context, project, identity, change)) return undefined
  const { forge } = await context.forges.of(project)
  await context.locks.run(changeLock(project, change), async () => {
    context.freshness.fetching(placeOf(project), change)
    const existing = context.stores.environments.byIndex('change', changeIndex(placeOf(project), change))
    const verified = await verify(context, project, forge, identity, existing[0], signal)
    // More than one only where a person made another by hand; each is judged by itself.
    for (const environment of existing.length === 0 ? [undefined] : existing) {
      const decision = decideChange({ project, change: identity, existing: environment, ...verified })
      if (environment?.metadata.deletionTimestamp !== undefined) {
        // Whoever is open again gets a new environment after the old one.
        if (verified.lookup.state === 'open') context.wantedAgain.add(changeIndex(placeOf(project), change))
        continue
      }
      await act(context, project, change, decision, signal)
    }
  })
  return undefined
}

/** Serialises what is done for one change, whoever looks at it. */
export function changeLock(project: ReviewProject, change: string): string {
  return `change ${placeOf(project)}|${change}`
}

/** Asks the forge about one change, and for what it takes to judge it. */
export async function verify(
  context: ControllerContext,
  project: ReviewProject,
  forge: Forge,
  change: ChangeIdentity,
  existing: ReviewEnvironment | undefined,
  signal: AbortSignal,
): Promise<Verified> {
  try {
    const lookup = await forge.get(change, signal)
    if (lookup.state !== 'open') return { lookup }
    return { lookup, ...(await details(context, project, forge, lookup.change, existing, signal)) }
  } catch (error) {
    context.forges.noteFailure(project, error)
    throw error
  }
}

/** Paths and config file of an open change, where they matter. */
async function details(
  context: ControllerContext,
  project: ReviewProject,
  forge: Forge,
  facts: ChangeFacts,
  existing: ReviewEnvironment | undefined,
  signal: AbortSignal,
): Promise<Omit<Verified, 'lookup'>> {
  const needed = pathsMatter(project, facts, existing)
  const [paths, config] = await Promise.all([
    needed ? context.commits.paths(project, facts, forge, signal) : undefined,
    context.commits.readableOverrides(project, facts, forge, signal),
  ])
  return { paths, config }
}

/**
 * A kind of change that the project neither filters for nor has an environment of costs no request, and neither does a
 * branch that cannot be (a person's mistake, which the environment's own status tells).
 */
function follows(
  context: ControllerContext,
  project: ReviewProject,
  identity: ChangeIdentity,
  change: string,
): boolean {
  if (identity.branch !== undefined && !isBranchName(identity.branch)) return false
  const { pullRequests, branches } = project.spec.changes
  const filter = identity.pullRequest === undefined ? branches : pullRequests
  return (
    filter !== undefined ||
    context.stores.environments.byIndex('change', changeIndex(placeOf(project), change)).length > 0
  )
}

async function act(
  context: ControllerContext,
  project: ReviewProject,
  change: string,
  decision: Decision,
  signal: AbortSignal,
): Promise<void> {
  context.log.debug({ project: placeOf(project), change, action: decision.action, reason: decision.reason }, 'decided')
  if (decision.action !== 'delete') {
    await carryOut(context, project, decision, { mayReserve: true }, signal)
    return
  }
  if (decision.cause !== 'closed' && !(await guardAllows(context, project, change, decision.cause, signal))) return
  await deleteEnvironment(context, decision.environment, decision.reason, signal)
}

/** Whether a delete that rests on absence or on a filter may be done now; counts it if so. */
async function guardAllows(
  context: ControllerContext,
  project: ReviewProject,
  change: string,
  cause: 'absent' | 'filtered',
  signal: AbortSignal,
): Promise<boolean> {
  let pass = false
  const apply: Parameters<typeof changeProjectStatus>[2] = (status, newest) => {
    const { metadata } = newest
    const verdict = guardDeletes({
      candidates: [{ key: change, cause }],
      environments: context.stores.environments.count('alive', placeOf(newest)),
      state: status,
      now: context.clock.now(),
      listing: false,
    })
    pass = verdict.pass
    if (verdict.warning !== undefined) {
      context.event(newest, { type: 'Warning', reason: 'DeletesHeld', note: verdict.warning })
      context.log.warn({ project: placeOf({ metadata }), change, warning: verdict.warning }, 'delete held')
    }
    const { heldDeletes: _held, recentDeletes: _recent, ...rest } = status
    return { ...rest, ...verdict.nextState }
  }
  await changeProjectStatus(context, project.metadata, apply, signal)
  return pass
}
