import type { KubeObject } from '../kube/types.ts'
import type { BackendContext } from './backend.ts'

/** Milliseconds since the environment's teardown began, 0 before that. */
export function teardownAge({ environment, clock }: BackendContext): number {
  const started = environment.status?.times?.teardownStarted ?? environment.metadata.deletionTimestamp
  return started === undefined ? 0 : Math.max(0, clock.now() - Date.parse(started))
}

/** Whether the teardown has lasted longer than `milliseconds`. */
export function isOverdue(context: BackendContext, milliseconds: number): boolean {
  return teardownAge(context) >= milliseconds
}

/** How long an object that is being deleted keeps those deployed before it, which it may need to clean up, from going. */
export const holdMilliseconds = 30_000

/**
 * Whether an object that is being deleted keeps those deployed before it from going. One that began far in the future
 * does not: the clocks differ, and it would hold until ours is there.
 */
export function isHolding({ clock }: BackendContext, { metadata }: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds: grace = 0 } = metadata
  if (deletionTimestamp === undefined) return false
  const age = clock.now() - Date.parse(deletionTimestamp)
  return age < holdMilliseconds && age + grace * 1000 > -holdMilliseconds
}

/** When to look again at a teardown that waits: after a tenth of its age, 0.5 to 30 seconds (milliseconds). */
export function recheckWhileWaiting(context: BackendContext): number {
  return between(500, teardownAge(context) / 10)
}

/**
 * When to look again at objects that began to start `age` milliseconds ago: after a quarter of that, 1 to 30 seconds.
 * Nobody tells of them, and a thousand may start at once.
 */
export function recheckStarting(age: number): number {
  return between(1_000, age / 4)
}

function between(first: number, milliseconds: number): number {
  return Math.round(Math.min(30_000, Math.max(first, milliseconds)))
}
