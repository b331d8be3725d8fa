import type { CommitStatus } from '../forge/forge.ts'
import { cut, oneLine } from './escape.ts'
import type { FeedbackView } from './view.ts'

/** Longest description that GitHub takes, in characters. */
const maxDescription = 140

const states: Record<FeedbackView['state'], CommitStatus['state']> = {
  Waiting: 'pending',
  Pending: 'pending',
  Deploying: 'pending',
  Ready: 'success',
  Failed: 'failure',
  Deleting: 'pending',
  Blocked: 'error',
  Gone: 'success',
}

/** The commit status for a view. */
export function renderStatus(view: FeedbackView): CommitStatus {
  const target = view.state !== 'Gone' && isWebAddress(view.url) ? { targetUrl: view.url } : {}
  return { context: view.context, state: states[view.state], description: describe(view), ...target }
}

function describe(view: FeedbackView): string {
  const texts: Record<FeedbackView['state'], () => string> = {
    Waiting: () => 'Waiting: the limit of environments is reached',
    Pending: () => 'Preparing the review environment',
    Deploying: () => 'Deploying the review environment',
    Ready: () => 'The review environment is ready',
    Failed: () => `${view.reason || 'Failed'}: ${view.message}`,
    Deleting: () => 'Removing the review environment',
    Blocked: () => `Removal waits for ${view.blockerCount} object${view.blockerCount === 1 ? '' : 's'}`,
    Gone: () => 'The review environment is gone',
  }
  return cut(oneLine(texts[view.state]()), maxDescription)
}

function isWebAddress(address: string): boolean {
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)
}
