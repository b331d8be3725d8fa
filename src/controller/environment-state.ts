import type { Observation } from '../backend/backend.ts'
import { ProjectError } from '../backend/project-error.ts'
import { maskFor } from '../feedback/index.ts'
import { ForgeError } from '../forge/errors.ts'
import { KubeConnectionError, KubeError } from '../kube/errors.ts'
import { InvalidInputError, messageOf, TerminalError } from '../util/errors.ts'
import type { StatusDraft } from './status-draft.ts'

const mask = maskFor()

/** Waits for a place within the project's limit. */
export function markWaiting(draft: StatusDraft): void {
  const { position, ahead } = draft.environment.status?.admission ?? {}
  draft.set({ state: 'Waiting' })
  const message =
    position === undefined
      ? 'waits for a place within the limit of environments'
      : `number ${position} of those that wait; ${ahead ?? 0} hold the limit's places`
  draft.condition({ type: 'Ready', status: 'False', reason: 'LimitReached', message })
  draft.condition({ type: 'Reconciling', status: 'True', reason: 'LimitReached', message: 'waits for a place' })
  draft.dropCondition('Stalled')
}

/** Not deployed yet: something has to come first. */
export function markPending(draft: StatusDraft, reason: string, message: string): void {
  draft.set({ state: 'Pending' })
  draft.condition({ type: 'Ready', status: 'False', reason, message })
  draft.condition({ type: 'Reconciling', status: 'True', reason, message })
  draft.dropCondition('Stalled')
}

/** What the backend saw. `revision` is the wanted commit. */
export function markObserved(draft: StatusDraft, observation: Observation, revision: string): void {
  const { phase, reason, message } = observation
  if (observation.engine !== undefined) draft.set({ engine: observation.engine })
  if (observation.appliedDigest !== undefined) draft.set({ appliedDigest: observation.appliedDigest })
  if (phase === 'ready') {
    markReady(draft, observation, revision)
    return
  }
  draft.set({ state: phase === 'deploying' ? 'Deploying' : 'Failed' })
  draft.condition({ type: 'Ready', status: 'False', reason, message })
  if (phase === 'stalled') {
    draft.condition({ type: 'Stalled', status: 'True', reason, message })
    draft.dropCondition('Reconciling')
  } else {
    draft.condition({ type: 'Reconciling', status: 'True', reason, message })
    draft.dropCondition('Stalled')
  }
}

function markReady(draft: StatusDraft, { reason, message }: Observation, revision: string): void {
  const fresh = draft.status.state !== 'Ready' || draft.status.deployedRevision !== revision
  draft.set({ state: 'Ready', deployedRevision: revision })
  if (fresh) draft.stamp('ready')
  draft.condition({ type: 'Ready', status: 'True', reason, message })
  draft.dropCondition('Reconciling')
  draft.dropCondition('Stalled')
}

/**
 * Something went wrong: for good until somebody changes something (Stalled), or to be tried again (Reconciling). What
 * passes by itself, such as a server that is away for a moment, does not make a failure of an environment.
 */
export function markFailed(draft: StatusDraft, error: unknown): void {
  if (isConflict(error)) return
  const message = problemsOf(error)
  const reason = reasonOf(error)
  if (error instanceof TerminalError) {
    draft.condition({ type: 'Stalled', status: 'True', reason, message })
    draft.dropCondition('Reconciling')
  } else {
    draft.condition({ type: 'Reconciling', status: 'True', reason: 'Retrying', message })
    draft.dropCondition('Stalled')
    if (isPassing(error)) return
  }
  // A removal that fails is still a removal, and may already say what blocks it.
  if (draft.environment.metadata.deletionTimestamp === undefined) draft.set({ state: 'Failed' })
  draft.condition({ type: 'Ready', status: 'False', reason, message })
}

/** Lost against another write: the next try begins with the newest object. */
function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.isConflict
}

function isPassing(error: unknown): boolean {
  if (error instanceof KubeError) return error.status >= 500 || error.status === 429 || error.isNamespaceTerminating
  if (error instanceof ForgeError || error instanceof ProjectError) return error.transient
  return error instanceof KubeConnectionError
}

/** The reason that an error carries, for a condition. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') {
    if (/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/.test(error.reason)) return error.reason
  }
  return 'Failed'
}

function problemsOf(error: unknown): string {
  if (!(error instanceof InvalidInputError)) return mask(messageOf(error))
  const count = error.problems.length
  return mask(count > 1 ? `${count} problems:\n${error.message}` : error.message)
}
