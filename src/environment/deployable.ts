import type { ChangeFacts, ReviewProjectSpec } from '../api/index.ts'

/**
 * Why a commit of this change must not be deployed, whoever asked for it, or undefined when it may be.
 * These rules bind environments made by hand too.
 */
export function deployRefusal(spec: ReviewProjectSpec, facts: ChangeFacts): string | undefined {
  if (facts.fork && spec.changes.pullRequests?.forks !== 'allow') {
    return 'the change comes from a fork, and the project denies forks (spec.changes.pullRequests.forks)'
  }
  return undefined
}
