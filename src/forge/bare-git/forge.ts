import { z } from 'zod'
import { type ChangeFacts, type ChangeIdentity, Sha } from '../../api/change.ts'
import { ForgeError } from '../errors.ts'
import type {
  Forge,
  ForgeComment,
  ForgeUser,
  GitAccess,
  GitRemote,
  Listing,
  ListWhat,
  Lookup,
  RemoteBranches,
} from '../forge.ts'
import { parseRepositoryUrl } from '../repository.ts'

/** A repository at any Git server: branches only, read with `git ls-remote`. It has no pull requests, and nowhere to write. */
export class BareGitForge implements Forge {
  readonly type = 'git'
  readonly capabilities = { pullRequests: false, comments: false, commitStatus: false }
  readonly #remote: GitRemote
  readonly #git: GitAccess
  readonly #webUrl: string
  #before: string | undefined

  /** @throws InvalidInputError if the URL is none. */
  constructor(remote: GitRemote, git: GitAccess) {
    const { protocol, host, path } = parseRepositoryUrl(remote.url)
    this.#remote = remote
    this.#git = git
    this.#webUrl = protocol === 'file' ? `file:///${path}` : `https://${host}/${path}`
  }

  async list(what: ListWhat, signal?: AbortSignal): Promise<Listing> {
    if (what.pullRequests) throw unsupported('pull requests')
    if (!what.branches) return { pullRequests: [], branches: [], complete: true, notModified: true }
    const { branches, defaultBranch } = await this.#branches(signal)
    const reason = lacksDefault(branches, defaultBranch)
    const now = JSON.stringify([defaultBranch, [...branches]])
    const notModified = now === this.#before
    this.#before = now
    return {
      pullRequests: [],
      branches: [...branches].map(([branch, sha]) => this.#facts(branch, sha)),
      complete: reason === undefined,
      ...(reason === undefined ? {} : { incompleteReason: reason }),
      notModified,
    }
  }

  /** One `ls-remote`, which lists all branches: absence is read from a whole list. */
  async get(ref: ChangeIdentity, signal?: AbortSignal): Promise<Lookup> {
    if (ref.branch === undefined) throw unsupported('pull requests')
    const { branches, defaultBranch } = await this.#branches(signal)
    const sha = branches.get(ref.branch)
    if (sha !== undefined) return { state: 'open', change: this.#facts(ref.branch, sha) }
    const reason = lacksDefault(branches, defaultBranch)
    if (reason !== undefined) return { state: 'unknown', reason }
    return {
      state: 'absent',
      evidence: `the server lists its default branch ${defaultBranch}, and no branch ${ref.branch}`,
    }
  }

  readFile(sha: string, path: string, maxBytes: number, signal?: AbortSignal): Promise<string | undefined> {
    return asForgeError(this.#git.readFile(this.#remote, sha, path, maxBytes, signal), signal)
  }

  async changedPaths(): Promise<never> {
    throw unsupported('pull requests')
  }

  async findOwnComment(): Promise<ForgeComment | undefined> {
    throw unsupported('comments')
  }

  async upsertComment(): Promise<never> {
    throw unsupported('comments')
  }

  async setCommitStatus(): Promise<void> {
    throw unsupported('commit statuses')
  }

  /** It has no permissions to ask for. */
  async lacks(): Promise<string[]> {
    return []
  }

  async whoAmI(): Promise<ForgeUser> {
    throw unsupported('accounts')
  }

  #branches(signal: AbortSignal | undefined): Promise<RemoteBranches> {
    return asForgeError(this.#git.listBranches(this.#remote, signal), signal)
  }

  #facts(branch: string, sha: string): ChangeFacts {
    if (!Sha.safeParse(sha).success)
      throw new ForgeError('malformed', `branch ${branch} has no commit id: ${sha.slice(0, 80)}`)
    return { kind: 'branch', branch, labels: [], draft: false, fork: false, sha, url: this.#webUrl }
  }
}

const Failure = z.object({
  kind: z.enum(['invalid', 'notFound', 'unauthorized', 'tooLarge', 'malformed', 'unavailable']),
  message: z.string(),
})

/** Git's errors are this room's errors with the same kind; whatever else goes wrong is `unavailable`. */
async function asForgeError<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await work
  } catch (error) {
    signal?.throwIfAborted()
    const { kind, message } = Failure.safeParse(error).data ?? { kind: 'unavailable', message: 'git failed' }
    throw new ForgeError(kind, message, { cause: error })
  }
}

function lacksDefault(branches: Map<string, string>, defaultBranch: string | undefined): string | undefined {
  if (defaultBranch === undefined) return 'the server does not say which branch its HEAD is'
  return branches.has(defaultBranch) ? undefined : `the list of branches lacks the default branch ${defaultBranch}`
}

function unsupported(what: string): ForgeError {
  return new ForgeError('unsupported', `a bare Git server has no ${what}`)
}
