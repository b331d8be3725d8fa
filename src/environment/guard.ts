import { createHash } from 'node:crypto'
import type { ReviewProjectStatus } from '../api/index.ts'
import { timestamp } from '../util/clock.ts'

/** What the guard remembers between listings, in the project's status. */
export type GuardState = Pick<ReviewProjectStatus, 'heldDeletes' | 'recentDeletes'>

/** How far back deletes are counted, in milliseconds. */
export const guardWindow = 10 * 60_000
/** So many deletes always pass. */
export const guardAllowance = 5
/** More than this share of a project's environments is suspicious. */
export const guardShare = 0.5

const maxRecent = 60

/** A delete by absence or by a filter, before the guard. */
export interface GuardedDelete {
  /** `changeKey` of the change. */
  key: string
  cause: 'absent' | 'filtered'
}

/** What the guard says. All candidates pass, or all are held. */
export interface GuardVerdict {
  pass: boolean
  /** Why they are held, for status, Event and log. */
  warning?: string
  /** To be written to the project's status together with the deletes. */
  nextState: GuardState
}

/** What the guard judges by. */
export interface GuardInput {
  candidates: readonly GuardedDelete[]
  /** Environments of the project that are not being deleted, the candidates among them. */
  environments: number
  state: GuardState | undefined
  /** Milliseconds since the epoch, at the end of the listing (or of the fetch) that asks for the deletes. */
  now: number
  /** Whether a complete listing asks, rather than one event: only a listing can confirm or take back what is held. */
  listing: boolean
}

/** A digest of which changes would be deleted and why; equal for equal sets. */
export function evidenceDigest(candidates: readonly GuardedDelete[]): string {
  const lines = candidates.map(candidate => `${candidate.cause} ${candidate.key}`).sort()
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32)
}

/**
 * Holds deletes by absence or by a filter when they are more than 5 and over half of the project's environments within
 * 10 minutes, until a later listing asks for the very same ones.
 */
export function guardDeletes(input: GuardInput): GuardVerdict {
  const { candidates, now, listing } = input
  const state = input.state ?? {}
  const recent = recentOf(state, now)
  if (candidates.length === 0)
    return { pass: true, nextState: stateOf(recent, listing ? undefined : state.heldDeletes) }
  const recently = recent.reduce((sum, entry) => sum + entry.count, 0)
  const deletes = recently + candidates.length
  const before = recently + input.environments
  const suspicious = deletes > guardAllowance && deletes > before * guardShare
  if (!suspicious || (listing && confirmed(state, candidates, now))) {
    const added = withDeletes(recent, candidates.length, now)
    return { pass: true, nextState: stateOf(added, listing ? undefined : state.heldDeletes) }
  }
  const warning = `${deletes} of ${before} environments would be deleted within ${guardWindow / 60_000} minutes because their changes are missing or no longer match; they are kept until the next listing says the same`
  const evidence = evidenceDigest(candidates)
  const known = state.heldDeletes
  // One event cannot replace what a listing has asked for, nor be its own confirmation.
  const held =
    known && (!listing || known.evidence === evidence)
      ? { ...known, since: notAhead(known.since, now) }
      : { count: candidates.length, since: timestamp(now), reason: warning, evidence }
  return { pass: false, warning, nextState: stateOf(recent, held) }
}

/** Whether an earlier listing asked for the very same deletes. Times have second precision. */
function confirmed({ heldDeletes }: GuardState, candidates: readonly GuardedDelete[], now: number): boolean {
  return (
    heldDeletes !== undefined &&
    heldDeletes.evidence === evidenceDigest(candidates) &&
    now >= Date.parse(heldDeletes.since) + 1000
  )
}

function recentOf(state: GuardState, now: number) {
  const entries = (state.recentDeletes ?? []).map(({ time, count }) => ({ time: notAhead(time, now), count }))
  return entries.filter(({ time }) => Date.parse(time) > now - guardWindow)
}

/** A time from the future (another clock, or one that was set back) counts as now, and is written so. */
function notAhead(time: string, now: number): string {
  return Date.parse(time) > now ? timestamp(now) : time
}

function withDeletes(recent: { time: string; count: number }[], count: number, now: number) {
  const time = timestamp(now)
  const last = recent.at(-1)
  if (last && (last.time === time || recent.length >= maxRecent)) {
    return [...recent.slice(0, -1), { time, count: last.count + count }]
  }
  return [...recent, { time, count }]
}

function stateOf(recent: { time: string; count: number }[], held: GuardState['heldDeletes']): GuardState {
  return { ...(recent.length > 0 ? { recentDeletes: recent } : {}), ...(held ? { heldDeletes: held } : {}) }
}
