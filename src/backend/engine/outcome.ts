import type { EngineRecord } from '../../api/index.ts'
import { timestamp } from '../../util/clock.ts'
import { presentable } from '../mask.ts'
import type { Stages } from './stages.ts'

/** `deploy` brings the cluster to the project; `compare` only looks how far it is from it. */
export type RunMode = 'deploy' | 'compare'

/** What a run did, or saw. */
export interface EngineOutcome {
  /** Objects that the project renders. */
  readonly objects: number
  /** Objects that were created or changed; in a comparison those that would be. */
  readonly changed: number
  readonly deleted: number
  /** For people, one per problem. A deployment with errors failed; one without is ready. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** In a comparison: what is not ready any more, and what has failed for good, for people. */
  readonly unready?: readonly string[] | undefined
  readonly failing?: readonly string[] | undefined
  /** In which order it deploys; absent when that does not matter, or is not known. */
  readonly stages?: Stages | undefined
  /** Name of the Job that did it, in the project's namespace. */
  readonly job?: string | undefined
  /** ID of the result that tells of it, in the environment's namespace. */
  readonly result?: string | undefined
}

/** Most problems, and characters of one, that a status holds. */
const maxProblems = 20
const maxProblem = 512

/** What the status keeps of a deployment. One that came to no order leaves what is there as the one `before` did. */
export function recordOf(
  outcome: EngineOutcome,
  { digest, revision }: Pick<EngineRecord, 'digest' | 'revision'>,
  now: number,
  before: EngineRecord | undefined,
): EngineRecord {
  const { objects, changed, deleted, errors, warnings, job, result } = outcome
  const stages = (outcome.stages ?? before?.stages ?? []).map(folders => [...folders])
  const time = timestamp(now)
  return {
    digest,
    revision,
    result: errors.length === 0 ? 'succeeded' : 'failed',
    finished: time,
    compared: time,
    objects,
    changed,
    deleted,
    ...(job === undefined ? {} : { job }),
    ...(result === undefined ? {} : { resultId: result }),
    ...(stages.length === 0 ? {} : { stages }),
    ...(errors.length === 0 ? {} : { errors: shown(errors) }),
    ...(warnings.length === 0 ? {} : { warnings: shown(warnings) }),
  }
}

/** The record after a comparison. One that came to nothing says so, and changes nothing about the deployment. */
export function comparedRecord(record: EngineRecord, outcome: EngineOutcome, now: number): EngineRecord {
  const errors = outcome.errors.map(error => `comparing: ${error}`)
  // It did not get as far as to look at objects.
  if (errors.length > 0 && outcome.objects === 0)
    return { ...record, compared: timestamp(now), warnings: shown(errors) }
  const { drifted: _drifted, warnings: _warnings, unready: _unready, failing: _failing, ...rest } = record
  const { unreadySince = timestamp(now), ...kept } = rest
  const drifted = outcome.changed + outcome.deleted
  const { unready = [], failing = [] } = outcome
  const warnings = [...errors, ...outcome.warnings]
  return {
    ...kept,
    compared: timestamp(now),
    ...(drifted === 0 ? {} : { drifted }),
    ...(unready.length === 0 ? {} : { unready: shown(unready), unreadySince }),
    ...(failing.length === 0 ? {} : { failing: shown(failing) }),
    ...(warnings.length === 0 ? {} : { warnings: shown(warnings) }),
  }
}

function shown(problems: readonly string[]): string[] {
  const kept = problems.slice(0, maxProblems).map(problem => presentable(problem, maxProblem))
  const left = problems.length - maxProblems
  return left > 0 ? [...kept.slice(0, -1), `and ${left + 1} more`] : kept
}
