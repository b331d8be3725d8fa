import { createHash } from 'node:crypto'
import type { ReviewEnvironment, ReviewEnvironmentStatus, ReviewProject } from '../api/index.ts'
import { ForgeError } from '../forge/errors.ts'
import type { Forge } from '../forge/forge.ts'
import type { Budget } from './budget.ts'
import { renderComment } from './comment.ts'
import type { Mask } from './mask.ts'
import { renderStatus } from './status.ts'
import { type FeedbackView, viewOf } from './view.ts'

/** What was last sent to the forge for one environment. */
export type SentFeedback = NonNullable<ReviewEnvironmentStatus['feedback']>

/** One environment to tell about. */
export interface FeedbackRequest {
  environment: ReviewEnvironment
  project: ReviewProject
  forge: Forge
  /** Key of the credential that `forge` uses; limits count per credential. */
  credential: string
  /** Its removal is proven. */
  gone: boolean
  /** Tells clusters apart that use one account at the forge. */
  installation: string
  mask: Mask
  signal: AbortSignal
}

/** What came of it. */
export interface FeedbackResult {
  /** To be kept in `status.feedback`, also when something is still to be sent. */
  sent: SentFeedback
  /** Milliseconds after which to try the rest; absent: everything is told. */
  again?: number
}

/**
 * Brings comment and commit status up to date. What was sent before is not sent again, also after a restart.
 * When the budget is used up nothing is sent and `again` says when to come back, by then with newer facts.
 * A failure of one of the two does not keep the other from being sent.
 * @throws ForgeError for what failed, after everything was tried; `sent` is given to `keep` before that
 */
export async function sendFeedback(
  request: FeedbackRequest,
  budget: Budget,
  keep: (sent: SentFeedback) => Promise<void>,
): Promise<FeedbackResult> {
  const view = viewOf(request.environment, request)
  const before = request.environment.status?.feedback ?? {}
  const attempts = [() => sendStatus(request, view, before, budget), () => sendComment(request, view, before, budget)]
  let sent = before
  let again = 0
  let failure: unknown
  for (const attempt of attempts) {
    try {
      const result = await attempt()
      sent = { ...sent, ...result.sent }
      again = Math.max(again, result.wait)
    } catch (error) {
      request.signal.throwIfAborted()
      if (error instanceof ForgeError && error.kind === 'rateLimited') {
        budget.block(request.credential, error.retryAfter ?? 60_000)
      }
      failure ??= error
    }
  }
  if (sent !== before && JSON.stringify(sent) !== JSON.stringify(before)) await keep(sent)
  if (failure !== undefined) throw failure
  return again > 0 ? { sent, again } : { sent }
}

interface Attempt {
  sent: Partial<SentFeedback>
  wait: number
}

const nothing: Attempt = { sent: {}, wait: 0 }

async function sendComment(
  request: FeedbackRequest,
  view: FeedbackView,
  before: SentFeedback,
  budget: Budget,
): Promise<Attempt> {
  const { forge, project, environment, credential, signal } = request
  const pullRequest = environment.spec.change.pullRequest
  if (!project.spec.feedback.comment || pullRequest === undefined || !forge.capabilities.comments) return nothing
  // What nobody was ever told of need not be said to be gone.
  if (view.state === 'Gone' && before.commentId === undefined) return nothing
  const body = renderComment(view)
  const commentDigest = digestOf(body)
  if (commentDigest === before.commentDigest) return nothing
  const wait = budget.take(credential)
  if (wait > 0) return { sent: {}, wait }
  const id = before.commentId === undefined ? {} : { id: before.commentId }
  const comment = await forge.upsertComment({ pullRequest, marker: view.marker, body, ...id }, signal)
  if (comment.action === 'unchanged') budget.giveBack(credential)
  return { sent: { commentId: comment.id, commentDigest }, wait: 0 }
}

async function sendStatus(
  request: FeedbackRequest,
  view: FeedbackView,
  before: SentFeedback,
  budget: Budget,
): Promise<Attempt> {
  const { forge, project, credential, signal } = request
  if (!project.spec.feedback.status || view.revision === '' || !forge.capabilities.commitStatus) return nothing
  if (view.state === 'Gone' && before.statusDigest === undefined) return nothing
  const status = renderStatus(view)
  const statusDigest = digestOf(JSON.stringify([view.revision, status]))
  if (statusDigest === before.statusDigest) return nothing
  const wait = budget.take(credential)
  if (wait > 0) return { sent: {}, wait }
  await forge.setCommitStatus(view.revision, status, signal)
  return { sent: { statusRevision: view.revision, statusDigest }, wait: 0 }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
