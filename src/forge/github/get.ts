import { ForgeError } from '../errors.ts'
import type { Lookup } from '../forge.ts'
import { checkBranchName, type GitHubRepository, sameName } from './context.ts'
import { factsOfBranch, factsOfPull } from './facts.ts'
import { Branch, MatchingRefs, PullRequest, Repository } from './schemas.ts'

/** One pull request, with one request. Only a pull request that is read can be closed. @throws ForgeError */
export async function getPullRequest(
  repository: GitHubRepository,
  number: number,
  signal?: AbortSignal,
): Promise<Lookup> {
  const { client, owner, repo } = repository
  const parameters = { owner, repo, pull_number: number }
  const answer = await client
    .read('/repos/{owner}/{repo}/pulls/{pull_number}', parameters, PullRequest, signal)
    .catch(unknownIfHidden)
  if ('state' in answer) return answer
  const pull = answer.data
  if (pull.number !== number) throw new ForgeError('malformed', `asked for pull request ${number}, got ${pull.number}`)
  const change = factsOfPull(repository, pull)
  return pull.state === 'open' ? { state: 'open', change } : { state: 'closed', merged: pull.merged_at != null, change }
}

/**
 * One branch: one request if it exists. A 404 alone says nothing, for a token that lost its rights is answered the
 * same; so the refs that begin with its name are listed, and so are those that begin with the default branch's. Only
 * if the first list is whole without the branch, and the second holds the default branch, the branch is absent.
 * @throws ForgeError
 */
export async function getBranch(repository: GitHubRepository, branch: string, signal?: AbortSignal): Promise<Lookup> {
  checkBranchName(branch)
  const { client, owner, repo } = repository
  const parameters = { owner, repo, branch }
  const answer = await client
    .read('/repos/{owner}/{repo}/branches/{branch}', parameters, Branch, signal)
    .catch(unknownIfHidden)
  if (!('state' in answer)) {
    if (answer.data.name === branch) return { state: 'open', change: factsOfBranch(repository, answer.data) }
    throw new ForgeError('malformed', `asked for branch ${branch}, got ${answer.data.name}`)
  }
  return provenAbsent(repository, branch, signal).catch(unknownIfHidden)
}

async function provenAbsent(repository: GitHubRepository, branch: string, signal?: AbortSignal): Promise<Lookup> {
  const { client, owner, repo } = repository
  const about = await client.read('/repos/{owner}/{repo}', { owner, repo }, Repository, signal)
  const { default_branch: main, full_name: name } = about.data
  if (!sameName(repository, name)) return { state: 'unknown', reason: `the repository is now ${name}` }
  if (main === branch) return { state: 'unknown', reason: `${branch} is the default branch and cannot be read` }
  if (await isListed(repository, branch, signal))
    return { state: 'unknown', reason: `${branch} is listed and cannot be read` }
  if (!(await isListed(repository, main, signal))) {
    return { state: 'unknown', reason: `the list of branches lacks the default branch ${main}` }
  }
  return { state: 'absent', evidence: `${name} lists its default branch ${main}, and no branch ${branch}` }
}

/** Refs that match a prefix come in one sorted list: the branch itself would be the first of it. */
async function isListed(
  { client, owner, repo }: GitHubRepository,
  branch: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const parameters = { owner, repo, ref: `heads/${branch}` }
  const { data } = await client.read('/repos/{owner}/{repo}/git/matching-refs/{ref}', parameters, MatchingRefs, signal)
  return data.some(({ ref }) => ref === `refs/heads/${branch}`)
}

/** Moved, hidden or gone: an answer about the change that proves nothing. Everything else is thrown on. */
function unknownIfHidden(error: unknown): Extract<Lookup, { state: 'unknown' }> {
  const hidden = error instanceof ForgeError && (error.kind === 'notFound' || error.kind === 'moved')
  if (!hidden) throw error
  return { state: 'unknown', reason: error.message }
}
