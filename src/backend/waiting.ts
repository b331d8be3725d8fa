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

/** When to look again at a teardown that waits: soon at first, then ever more seldom (milliseconds). */
export function recheckWhileWaiting(context: BackendContext): number {
  return recheckAfter(teardownAge(context))
}

/** When to look again at something that began `age` milliseconds ago: after a tenth of that, 0.5 to 30 seconds. */
export function recheckAfter(age: number): number {
  return Math.min(30_000, Math.max(500, Math.round(age / 10)))
}
