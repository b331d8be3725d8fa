import type { ReviewEnvironment } from '../api/index.ts'

/** Who gets a place within a project's limit. */
export interface Admission {
  /** Environments that hold a place already, in no order. */
  admitted: string[]
  /** Environments that get a place now, oldest change first. */
  admit: string[]
  /** Who waits; the next one has position 1. */
  waiting: { name: string; position: number; ahead: number }[]
}

/**
 * Gives the free places to the oldest changes (by the opening of the pull request, else by the environment's own age,
 * then by name). Who holds a place keeps it, even if the limit shrinks. An environment that is being removed holds
 * none: a teardown that is stuck must not keep others out.
 */
export function admit(environments: readonly ReviewEnvironment[], limit: number): Admission {
  const alive = environments.filter(environment => environment.metadata.deletionTimestamp === undefined)
  const admitted = alive.filter(environment => environment.status?.admission?.admitted === true)
  const queue = alive
    .filter(environment => environment.status?.admission?.admitted !== true)
    .map(environment => ({ name: environment.metadata.name, age: age(environment) }))
    .sort((a, b) => a.age - b.age || (a.name < b.name ? -1 : 1))
  const free = Math.max(0, limit - admitted.length)
  const ahead = admitted.length + Math.min(free, queue.length)
  return {
    admitted: admitted.map(environment => environment.metadata.name),
    admit: queue.slice(0, free).map(entry => entry.name),
    waiting: queue.slice(free).map((entry, index) => ({ name: entry.name, position: index + 1, ahead })),
  }
}

/** Milliseconds since the epoch; an unreadable or missing time goes last. */
function age({ status, metadata }: ReviewEnvironment): number {
  const parsed = Date.parse(status?.change?.createdAt ?? metadata.creationTimestamp ?? '')
  return Number.isNaN(parsed) ? Number.MAX_SAFE_INTEGER : parsed
}
