import type { ReviewEnvironment, ReviewEnvironmentStatus } from '../api/index.ts'

const ahead = Symbol('holds a status that is not written yet')

/**
 * An environment that was just created, with the status that its first reconcile writes together with what it finds
 * out itself: one write less before the first object. A crash in between leaves an environment without facts, which
 * are then asked for again. The mark goes where the object's fields go; what the API server sends has none.
 */
export function withStatusAhead(environment: ReviewEnvironment, status: ReviewEnvironmentStatus): ReviewEnvironment {
  return Object.assign({ ...environment, status }, { [ahead]: true })
}

/** Whether the environment's status is ahead of what the API server has. */
export function isAhead(environment: ReviewEnvironment): boolean {
  return ahead in environment
}

/** The status that the API server has. */
export function storedStatus(environment: ReviewEnvironment): ReviewEnvironmentStatus | undefined {
  return isAhead(environment) ? undefined : environment.status
}
