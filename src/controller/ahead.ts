import { claimOf, type ReviewEnvironment, type ReviewEnvironmentStatus } from '../api/index.ts'
import { accountName } from '../environment/names.ts'

const ahead = Symbol('holds a status that is not written yet')

interface Ahead {
  [ahead]?: { stored: ReviewEnvironmentStatus | undefined }
}

/**
 * An environment with a status that its next write brings to the API server together with what is found out until
 * then: one write less before the first object. A crash in between leaves an environment without facts, which are then
 * asked for again. The mark goes where the object's fields go; what the API server sends has none.
 */
export function withStatusAhead(environment: ReviewEnvironment, status: ReviewEnvironmentStatus): ReviewEnvironment {
  return Object.assign({ ...environment, status }, { [ahead]: { stored: storedStatus(environment) } })
}

/** Whether the environment's status is ahead of what the API server has. */
export function isAhead(environment: ReviewEnvironment): boolean {
  return ahead in environment
}

/** The status that the API server has. */
export function storedStatus(environment: ReviewEnvironment): ReviewEnvironmentStatus | undefined {
  const { [ahead]: mark } = environment as Ahead
  return mark === undefined ? environment.status : mark.stored
}

/** The environment with what it claimed when it was made, if its status does not say it yet. */
export function withClaim(environment: ReviewEnvironment): ReviewEnvironment {
  const claim = claimOf(environment)
  if (claim === undefined) return environment
  const serviceAccount = accountName(environment.metadata.name)
  return withStatusAhead(environment, { ...environment.status, ...claim, serviceAccount })
}
