import { ChangeFacts } from '../../api/change.ts'
import { ForgeError } from '../errors.ts'
import { type GitHubRepository, sameName } from './context.ts'
import type { Branch, PullRequest } from './schemas.ts'

/**
 * Facts of a pull request as GitHub tells it.
 * @throws ForgeError `malformed` if it belongs to another repository, or its facts do not fit.
 */
export function factsOfPull(repository: GitHubRepository, pull: PullRequest): ChangeFacts {
  const { head, base, user } = pull
  if (!sameName(repository, base.repo.full_name)) {
    throw new ForgeError('malformed', `pull request ${pull.number} of another repository: ${base.repo.full_name}`)
  }
  return checked({
    kind: 'pullRequest',
    number: pull.number,
    branch: head.ref,
    base: base.ref,
    ...(user ? { author: user.login } : {}),
    title: pull.title.slice(0, 1024),
    labels: pull.labels.map(label => label.name),
    draft: pull.draft ?? false,
    // A head without a repository was a fork: branches of this one cannot lose theirs.
    fork: head.repo === null || head.repo.id !== base.repo.id,
    sha: head.sha,
    url: pull.html_url,
    createdAt: pull.created_at,
  })
}

/** Facts of a branch. @throws ForgeError `malformed` */
export function factsOfBranch({ webUrl }: GitHubRepository, { name, commit }: Branch): ChangeFacts {
  const path = name.split('/').map(encodeURIComponent).join('/')
  return checked({
    kind: 'branch',
    branch: name,
    labels: [],
    draft: false,
    fork: false,
    sha: commit.sha,
    url: `${webUrl}/tree/${path}`,
  })
}

function checked(facts: ChangeFacts): ChangeFacts {
  const result = ChangeFacts.safeParse(facts)
  if (result.success) return result.data
  throw new ForgeError('malformed', 'a change has facts that do not fit', { cause: result.error })
}
