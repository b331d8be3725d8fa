import { type ChangeIdentity, changeKey, type ReviewProject, type ReviewProjectSpec } from '../api/index.ts'
import type { Admission } from './admission.ts'
import type { Decision } from './decide.ts'

/** Longest summary, in characters; the API allows twice that. */
const maxSummary = 120

/** A change in words: `pull request #42`, `branch feature/x`. */
export function changeInWords(change: ChangeIdentity): string {
  return change.pullRequest !== undefined ? `pull request #${change.pullRequest}` : `branch ${change.branch}`
}

/**
 * Why a change has no environment, in one sentence for a person, or undefined when it has one or gets one.
 * It speaks of the project's filters, never of values of a secret.
 */
export function whyNot(change: ChangeIdentity, decision: Decision): string | undefined {
  if (decision.action === 'delete') return `The environment of ${changeInWords(change)} is removed: ${decision.reason}.`
  return decision.action === 'none' ? `No environment for ${changeInWords(change)}: ${decision.reason}.` : undefined
}

/** Why an environment waits for a place, in one sentence, or undefined when it does not. */
export function whyWaiting(admission: Admission, name: string, spec: ReviewProjectSpec): string | undefined {
  const place = admission.waiting.find(entry => entry.name === name)
  if (!place) return undefined
  const limit = spec.environment.limit
  return limit === 0
    ? 'The project’s limit of environments is 0, so none is deployed.'
    : `Place ${place.position} in the queue: the project’s limit of ${limit} environments is reached (${place.ahead} before it).`
}

/** Why the guard holds deletes, from the project's status; undefined when it holds none. */
export function whyHeld(project: Pick<ReviewProject, 'status'>): string | undefined {
  const held = project.status?.heldDeletes
  return held && `${held.count} deletes are held since ${held.since}: ${held.reason}.`
}

/** What an environment's name stands for, for lists: `#42 Add search`, `feature/x`. At most 120 characters. */
export function changeSummary(change: ChangeIdentity, title?: string): string {
  const text =
    change.pullRequest === undefined
      ? changeKey(change).slice('branch:'.length)
      : `#${change.pullRequest} ${title ?? ''}`
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
  return line.length > maxSummary ? `${line.slice(0, maxSummary - 1)}…`.toWellFormed() : line
}
