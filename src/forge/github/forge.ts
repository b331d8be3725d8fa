import type { ChangeIdentity } from '../../api/change.ts'
import { Gate } from '../../util/gate.ts'
import { LruMap } from '../../util/lru.ts'
import { ForgeError } from '../errors.ts'
import type {
  CommitStatus,
  Forge,
  ForgeComment,
  ForgeUser,
  Listing,
  ListWhat,
  Lookup,
  StickyComment,
} from '../forge.ts'
import type { GitHubApp } from './app.ts'
import { type ForgeUses, missingPermissions } from './app-needs.ts'
import type { GitHubClient } from './client.ts'
import { findComment, writeComment } from './comments.ts'
import { type GitHubRepository, readGitHubUrl } from './context.ts'
import { listChangedPaths, readFileAt } from './files.ts'
import { getBranch, getPullRequest } from './get.ts'
import { listChanges } from './list.ts'
import { Account, Anything, Viewer } from './schemas.ts'

/** GitHub's limit for a status' description, in characters. */
const maxDescription = 140

/** A repository at GitHub or a GitHub Enterprise Server. */
export class GitHubForge implements Forge {
  readonly type = 'github'
  readonly capabilities = { pullRequests: true, comments: true, commitStatus: true }
  readonly #repository: GitHubRepository
  readonly #app: GitHubApp | undefined
  /** On one pull request one comment after the other: two at once would both find none, and both create one. */
  readonly #comments = new LruMap<number, Gate>(10_000)
  #me: ForgeUser | undefined

  /**
   * @param app the App that `client` speaks for, if it does
   * @throws InvalidInputError if the URL is not one of a GitHub repository.
   */
  constructor(url: string, client: GitHubClient, app?: GitHubApp) {
    this.#repository = { client, ...readGitHubUrl(url) }
    this.#app = app
  }

  /** Asked of an App's installation; of other tokens GitHub does not tell what they may do here. */
  async lacks(uses: ForgeUses): Promise<string[]> {
    if (this.#app === undefined) return []
    const { permissions } = await this.#app.installation(this.#repository)
    return missingPermissions(permissions, uses)
  }

  list(what: ListWhat, signal?: AbortSignal): Promise<Listing> {
    return listChanges(this.#repository, what, signal)
  }

  get(ref: ChangeIdentity, signal?: AbortSignal): Promise<Lookup> {
    return ref.pullRequest === undefined
      ? getBranch(this.#repository, ref.branch, signal)
      : getPullRequest(this.#repository, ref.pullRequest, signal)
  }

  changedPaths(pullRequest: number, signal?: AbortSignal): Promise<string[] | 'tooMany'> {
    return listChangedPaths(this.#repository, pullRequest, signal)
  }

  readFile(sha: string, path: string, maxBytes: number, signal?: AbortSignal): Promise<string | undefined> {
    return readFileAt(this.#repository, sha, path, maxBytes, signal)
  }

  async findOwnComment(pullRequest: number, marker: string, signal?: AbortSignal): Promise<ForgeComment | undefined> {
    return findComment(this.#repository, pullRequest, marker, await this.whoAmI(signal), signal)
  }

  async upsertComment(comment: StickyComment, signal?: AbortSignal) {
    const me = await this.whoAmI(signal)
    const gate = this.#comments.get(comment.pullRequest) ?? new Gate(1)
    this.#comments.set(comment.pullRequest, gate)
    return gate.run(() => writeComment(this.#repository, comment, me, signal), signal)
  }

  async setCommitStatus(sha: string, status: CommitStatus, signal?: AbortSignal): Promise<void> {
    const { client, owner, repo } = this.#repository
    const { context, state, description, targetUrl } = status
    const body = { context, state, description: cut(description), ...(targetUrl ? { target_url: targetUrl } : {}) }
    await client.write('POST', '/repos/{owner}/{repo}/statuses/{sha}', { owner, repo, sha, ...body }, Anything, signal)
  }

  /** Asked once: an account's id never changes. Tokens of an App may not ask `/user`, but GraphQL who they are. */
  async whoAmI(signal?: AbortSignal): Promise<ForgeUser> {
    if (this.#me) return this.#me
    const { client } = this.#repository
    const user = await client.read('/user', {}, Account, signal).catch(error => {
      if (error instanceof ForgeError && error.kind === 'forbidden') return undefined
      throw error
    })
    if (user) this.#me = user.data
    else {
      const query = 'query { viewer { login databaseId } }'
      const { viewer } = (await client.write('POST', client.graphqlUrl, { query }, Viewer, signal)).data
      this.#me = { id: viewer.databaseId, login: viewer.login }
    }
    return this.#me
  }
}

function cut(text: string): string {
  const letters = Array.from(text)
  return letters.length <= maxDescription ? text : `${letters.slice(0, maxDescription - 1).join('')}…`
}
