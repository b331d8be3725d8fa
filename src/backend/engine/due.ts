import type { EngineRecord } from '../../api/index.ts'
import type { RunMode } from './outcome.ts'

/** A run of this process, as far as it matters for what comes next. */
export interface RunState {
  readonly digest: string
  readonly mode: RunMode
  readonly working: boolean
  /** Failures in a row of this very deployment. */
  readonly failures: number
  /** When the last one ended, in milliseconds since the epoch. */
  readonly endedAt: number
}

/** The first wait after a failed deployment, and the longest, in milliseconds. */
const firstRetry = 5_000
const lastRetry = 5 * 60_000

/** When what is not ready any more is looked at first, in milliseconds; then after twice the time, up to the interval. */
const unreadyInterval = 60_000

/** Milliseconds to wait after this many failures in a row. */
export function retryDelay(failures: number): number {
  return Math.min(lastRetry, firstRetry * 2 ** Math.max(0, Math.min(failures, 16) - 1))
}

/**
 * What is to be run now, and when to look again, in milliseconds. Pure. A time that is yet to come was written by another
 * clock and tells nothing.
 */
export function nextRun(
  digest: string,
  record: EngineRecord | undefined,
  run: RunState | undefined,
  options: { now: number; interval: number },
): { run?: RunMode; recheckAfter: number } {
  const { now, interval } = options
  const own = run?.digest === digest ? run : undefined
  const past = (time: number | undefined) => (time !== undefined && time <= now ? time : undefined)
  // The run itself tells when it ends; this is for what is missed.
  if (own?.working) return { recheckAfter: 60_000 }
  const deployed = record?.digest === digest && record.result === 'succeeded' && record.byHand !== true
  if (!deployed) {
    // A failure of a process that is no more counts as the first.
    const failedAt = record?.digest === digest ? Date.parse(record.finished) : undefined
    const endedAt = record?.byHand === true ? undefined : (past(own?.endedAt) ?? past(failedAt))
    const wait = endedAt === undefined ? 0 : endedAt + retryDelay(own?.failures ?? 1) - now
    return wait <= 0 ? { run: 'deploy', recheckAfter: 60_000 } : { recheckAfter: wait }
  }
  const compared = Math.max(past(Date.parse(record.compared ?? record.finished)) ?? 0, past(own?.endedAt) ?? 0)
  const since = past(Date.parse(record.unreadySince ?? ''))
  const patience = since === undefined ? interval : Math.max(unreadyInterval, compared - since)
  const wait = compared + Math.min(interval, patience) - now
  return wait <= 0 ? { run: 'compare', recheckAfter: 60_000 } : { recheckAfter: wait }
}
