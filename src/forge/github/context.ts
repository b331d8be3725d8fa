import { isBranchName } from '../../api/change.ts'
import { InvalidInputError } from '../../util/errors.ts'
import { ForgeError } from '../errors.ts'
import { parseRepositoryUrl } from '../repository.ts'
import type { GitHubClient } from './client.ts'

/** One repository at one GitHub, through one client. */
export interface GitHubRepository {
  client: GitHubClient
  owner: string
  repo: string
  /** Base of its web pages, without a slash at the end. */
  webUrl: string
}

const name = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/

/**
 * Owner, name and web address from a clone URL.
 * @throws InvalidInputError if it is not a repository at a GitHub.
 */
export function readGitHubUrl(url: string): { owner: string; repo: string; webUrl: string } {
  const { protocol, host, path } = parseRepositoryUrl(url)
  const [owner = '', repo = '', ...rest] = path.split('/')
  if (protocol === 'file' || rest.length > 0 || !name.test(owner) || !name.test(repo)) {
    throw new InvalidInputError([
      { path: 'url', message: 'expected the URL of a GitHub repository: https://host/owner/name' },
    ])
  }
  const scheme = protocol === 'http' ? 'http' : 'https'
  return { owner, repo, webUrl: `${scheme}://${host}/${owner}/${repo}` }
}

/**
 * Base of the REST API that belongs to a clone URL: `api.github.com`, `api.<name>.ghe.com`, else `/api/v3` at the host.
 * @throws InvalidInputError if the URL is none.
 */
export function deriveApiUrl(url: string): string {
  const { protocol, host } = parseRepositoryUrl(url)
  if (host === 'github.com' || host === 'ssh.github.com') return 'https://api.github.com'
  if (host.endsWith('.ghe.com')) return `https://api.${host}`
  return `${protocol === 'http' ? 'http' : 'https'}://${host}/api/v3`
}

/**
 * A branch name that cannot change the path of a request, by the rules of `git check-ref-format`.
 * @throws ForgeError `invalid`
 */
export function checkBranchName(branch: string): void {
  if (isBranchName(branch)) return
  throw new ForgeError('invalid', `${JSON.stringify(branch.slice(0, 200))} cannot be the name of a branch`)
}

/** Whether two `owner/name` are the same: GitHub does not tell upper from lower case. */
export function sameName({ owner, repo }: GitHubRepository, fullName: string): boolean {
  return `${owner}/${repo}`.toLowerCase() === fullName.toLowerCase()
}
