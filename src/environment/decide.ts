import { isDeepStrictEqual } from 'node:util'
import {
  type ChangeFacts,
  type ChangeIdentity,
  changeKey,
  identityOf,
  type ReviewEnvironment,
  type ReviewProject,
} from '../api/index.ts'
import type { ConfigOverrides } from './config-file.ts'
import { deployRefusal } from './deployable.ts'
import { type ChangedPaths, mayQualify, needsPaths, type Qualification, qualifies } from './filters.ts'
import type { ChangeLookup } from './lookup.ts'
import { newEnvironment } from './new-environment.ts'

/** The project as far as decisions need it. */
export type DecidingProject = Pick<ReviewProject, 'metadata' | 'spec'>

/**
 * Why a delete is right.
 * - `closed`: the pull request, fetched by number, that is closed: always passes;
 * - `absent`: a branch that a complete listing lacks; `filtered`: freshly fetched, and no longer matching, or of another
 *   repository than before: both count for the guard (`guardDeletes`).
 */
export type DeleteCause = 'closed' | 'absent' | 'filtered'

/** What to do for one change. `reason` is for people. */
export type Decision =
  /** Make this object; then record `facts` in its `status.change`. */
  | { action: 'create'; environment: ReviewEnvironment; facts: ChangeFacts; reason: string }
  /** Write `environment.spec` if `specChanged`; record `facts` in `status.change` if `factsChanged`. */
  | {
      action: 'update'
      environment: ReviewEnvironment
      facts: ChangeFacts
      specChanged: boolean
      factsChanged: boolean
      reason: string
    }
  /** Delete it, if the guard lets `cause` pass. `evidence` is what was seen. */
  | { action: 'delete'; environment: ReviewEnvironment; cause: DeleteCause; evidence: string; reason: string }
  /** It is as it should be, or nothing may be done to it. */
  | { action: 'keep'; environment: ReviewEnvironment; facts?: ChangeFacts; reason: string }
  /** There is no environment and there should be none now. */
  | { action: 'none'; reason: string; reasons?: string[] }

/** What a decision for one change is made from. */
export interface DecideInput {
  project: DecidingProject
  change: ChangeIdentity
  /** Fresh answer of the forge for this change. */
  lookup: ChangeLookup
  /** Paths of the pull request, when `needsPaths(project.spec.changes)` and `mayQualify` say they matter. */
  paths?: ChangedPaths | undefined
  /** The config file at the change's head, as `readConfigFile` gives it; absent where it was not read or is wrong. */
  config?: ConfigOverrides | undefined
  /** The environment object with this change's name, deleted or not. */
  existing?: ReviewEnvironment | undefined
}

/**
 * What should happen to the environment of one freshly fetched change.
 * Depends on its input alone: asked again after its answer was carried out, it says `keep` or `none`.
 * @throws InvalidInputError for filters that cannot be read
 * @throws TypeError when `paths` is needed and missing
 */
export function decideChange(input: DecideInput): Decision {
  const { existing } = input
  const obstacle = obstacleTo(input)
  if (obstacle !== undefined) {
    return existing && isOf(existing, input)
      ? { action: 'keep', environment: existing, reason: obstacle }
      : { action: 'none', reason: obstacle }
  }
  const { lookup } = input
  switch (lookup.state) {
    case 'unknown':
      return existing
        ? { action: 'keep', environment: existing, reason: `the Git host cannot tell: ${lookup.reason}` }
        : { action: 'none', reason: `the Git host cannot tell: ${lookup.reason}` }
    case 'closed': {
      const reason = lookup.merged ? 'the pull request is merged' : 'the pull request is closed'
      const known = existing?.status?.change?.url
      // After an edit of source.url numbers mean other pull requests: their end says nothing about ours.
      const elsewhere = known !== undefined && known !== lookup.change.url
      return ended(existing, elsewhere ? 'filtered' : 'closed', elsewhere ? `${lookup.change.url}: ${reason}` : reason)
    }
    case 'absent':
      return ended(existing, 'absent', 'the branch is gone', lookup.evidence)
    case 'open':
      return decideOpen(input, lookup.change)
  }
}

function isOf(environment: ReviewEnvironment, { project, change }: DecideInput): boolean {
  return (
    environment.spec.projectRef.name === project.metadata.name &&
    changeKey(environment.spec.change) === changeKey(change)
  )
}

/** Why nothing at all may be done now. */
function obstacleTo(input: DecideInput): string | undefined {
  const { project, existing, lookup, change } = input
  if (existing && !isOf(existing, input)) {
    return `the name ${existing.metadata.name} is taken by the environment of another change (${existing.spec.projectRef.name}, ${changeKey(existing.spec.change)})`
  }
  if (existing?.metadata.deletionTimestamp !== undefined) {
    return 'the environment is being removed; the change is looked at again when it is gone'
  }
  if (project.metadata.deletionTimestamp !== undefined) return 'the project is being deleted'
  if (project.spec.suspend) return 'the project is suspended'
  const answered = lookup.state === 'open' || lookup.state === 'closed' ? identityOf(lookup.change) : change
  if (changeKey(answered) !== changeKey(change)) {
    return `the Git host answered about ${changeKey(answered)} when asked for ${changeKey(change)}`
  }
  return undefined
}

function ended(
  existing: ReviewEnvironment | undefined,
  cause: DeleteCause,
  reason: string,
  evidence = reason,
): Decision {
  return existing ? { action: 'delete', environment: existing, cause, evidence, reason } : { action: 'none', reason }
}

function decideOpen(input: DecideInput, facts: ChangeFacts): Decision {
  const { project, existing } = input
  if (existing?.spec.origin === 'manual') return decideManual(project, existing, facts)
  const judged = judge(input, facts)
  if (!judged.qualifies) {
    const reason = `the change does not qualify: ${judged.reasons.join('; ')}`
    return existing
      ? { action: 'delete', environment: existing, cause: 'filtered', evidence: reason, reason }
      : { action: 'none', reason, reasons: judged.reasons }
  }
  if (!existing) {
    return { action: 'create', environment: newEnvironment(project, facts), facts, reason: 'the change qualifies' }
  }
  return follow(existing, facts)
}

function judge({ project, paths, config }: DecideInput, facts: ChangeFacts): Qualification {
  const { changes } = project.spec
  const first = mayQualify(changes, facts)
  if (!first.qualifies) return first
  const full = needsPaths(changes, facts) ? qualifies(changes, facts, paths) : first
  if (!full.qualifies || config?.enabled !== false) return full
  return { qualifies: false, reasons: [`its ${project.spec.configFile.path} says enabled: false`] }
}

function decideManual(project: DecidingProject, existing: ReviewEnvironment, facts: ChangeFacts): Decision {
  const refusal = deployRefusal(project.spec, facts)
  // The facts are recorded all the same: by them the environment's own reconciler refuses the deploy.
  return refusal === undefined ? follow(existing, facts) : follow(existing, facts, refusal)
}

function follow(existing: ReviewEnvironment, facts: ChangeFacts, refusal?: string): Decision {
  const specChanged = refusal === undefined && existing.spec.revision !== facts.sha
  const factsChanged = !isDeepStrictEqual(plain(existing.status?.change), plain(facts))
  const reason = refusal ?? (specChanged ? 'the change has a new commit' : 'the facts about the change are new')
  if (!specChanged && !factsChanged) {
    return { action: 'keep', environment: existing, facts, reason: refusal ?? 'nothing has changed' }
  }
  const environment = specChanged ? { ...existing, spec: { ...existing.spec, revision: facts.sha } } : existing
  return { action: 'update', environment, facts, specChanged, factsChanged, reason }
}

/** Without undefined fields and with the API's defaults, as the API server stores it. */
function plain(facts: ChangeFacts | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts ?? {}).filter(([, value]) => value !== undefined))
}
