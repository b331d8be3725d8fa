import type { ChangeFacts, ChangeIdentity } from '../api/change.ts'
import type { Clock } from '../util/clock.ts'
import type { Credential } from '../util/credential.ts'
import type { Logger } from '../util/log.ts'

/** Types of forge with a folder of their own here. */
export type ForgeType = 'github' | 'git'

/** What a type of forge can do; calling what it cannot throws a ForgeError of kind `unsupported`. */
export interface ForgeCapabilities {
  pullRequests: boolean
  comments: boolean
  commitStatus: boolean
}

/**
 * What the forge knows of one change, and how surely.
 * Only `closed` and `absent` are evidence that a change has ended; `unknown` never is.
 */
export type Lookup =
  | { state: 'open'; change: ChangeFacts }
  /** A pull request, fetched by its number, that says it is closed. */
  | { state: 'closed'; merged: boolean; change: ChangeFacts }
  /** A branch that a complete listing, which holds the default branch, does not hold. Never said of a pull request. */
  | { state: 'absent'; evidence: string }
  /** The forge answered with 301, 404, 410 or the like: moved, hidden, or gone, it cannot be told which. */
  | { state: 'unknown'; reason: string }

/**
 * All open changes of a repository, as far as the forge gave them.
 * What a listing lacks has not thereby ended (pages shift while they are read): ask `get`, whose answer is evidence.
 */
export interface Listing {
  pullRequests: ChangeFacts[]
  branches: ChangeFacts[]
  /** Every page was read, none lied about the next, and branches, if asked for, hold the default branch. */
  complete: boolean
  /** Why `complete` is false, for status and events. */
  incompleteReason?: string
  /** Every page was answered 304: nothing differs from this forge's listing before. The changes are given all the same. */
  notModified: boolean
}

/** Which changes to list. */
export interface ListWhat {
  pullRequests?: boolean
  branches?: boolean
}

/** A comment on a pull request. */
export interface ForgeComment {
  id: number
  body: string
  url?: string
}

/** A commit status (GitHub's words; other forges map them). */
export interface CommitStatus {
  /** Tells statuses of one commit apart, such as `offshoot/shop`. */
  context: string
  state: 'pending' | 'success' | 'failure' | 'error'
  /** Cut to 140 characters. */
  description: string
  targetUrl?: string
}

/** The account a credential belongs to. */
export interface ForgeUser {
  id: number
  login: string
}

/** A comment to write once and keep up to date. */
export interface StickyComment {
  pullRequest: number
  /** Hidden text, unique for the environment, that the body holds: the comment is found by it. */
  marker: string
  body: string
  /** The comment's id, where known from an earlier call: saves the search. */
  id?: number
}

/**
 * One repository at a Git host, seen through one credential.
 * Every method throws a ForgeError when the forge gives no usable answer, and the signal's reason when aborted.
 */
export interface Forge {
  readonly type: ForgeType
  readonly capabilities: ForgeCapabilities
  /**
   * All open pull requests and branches, as asked. A failure on the first page throws;
   * a later one gives what was seen with `complete: false`.
   */
  list(what: ListWhat, signal?: AbortSignal): Promise<Listing>
  /** One change: one request for a pull request or a branch that exists. */
  get(ref: ChangeIdentity, signal?: AbortSignal): Promise<Lookup>
  /** Paths that a pull request touches (both names of a rename), or `tooMany` beyond 3,000 files. */
  changedPaths(pullRequest: number, signal?: AbortSignal): Promise<string[] | 'tooMany'>
  /** A file at a commit as UTF-8 text, undefined if the commit does not hold it; over `maxBytes` throws `tooLarge`. */
  readFile(sha: string, path: string, maxBytes: number, signal?: AbortSignal): Promise<string | undefined>
  /** The comment by our own account that holds the marker; the oldest, if there are several. */
  findOwnComment(pullRequest: number, marker: string, signal?: AbortSignal): Promise<ForgeComment | undefined>
  /** Creates the comment, or updates the one that is there; sends nothing if its text is already so. */
  upsertComment(
    comment: StickyComment,
    signal?: AbortSignal,
  ): Promise<ForgeComment & { action: 'created' | 'updated' | 'unchanged' }>
  setCommitStatus(sha: string, status: CommitStatus, signal?: AbortSignal): Promise<void>
  /** Permissions that these uses need and the credential lacks, where the forge tells; for people. */
  lacks(uses: { comments: boolean; statuses: boolean }): Promise<string[]>
  /** Who the credential belongs to. */
  whoAmI(signal?: AbortSignal): Promise<ForgeUser>
}

/** A Git remote and what opens it. */
export interface GitRemote {
  url: string
  credential?: Credential
}

/** Branches of a remote, by `git ls-remote`. */
export interface RemoteBranches {
  /** Branch name (without `refs/heads/`) to commit. */
  branches: Map<string, string>
  /** What the remote's HEAD points to, if it says. */
  defaultBranch?: string
}

/** What the forge type `git` needs of Git itself; `src/git` has it. Both throw on any failure, and never answer half. */
export interface GitAccess {
  listBranches(remote: GitRemote, signal?: AbortSignal): Promise<RemoteBranches>
  /** As `Forge.readFile`. */
  readFile(
    remote: GitRemote,
    sha: string,
    path: string,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<string | undefined>
}

/** Which repository, at which forge, opened by what. */
export interface ForgeOptions {
  type: ForgeType
  /** Clone URL of the repository. */
  url: string
  /** Base of the REST API; derived from `url` where absent. */
  apiUrl?: string
  credential?: Credential
}

/** One request to a forge, for metrics. */
export interface ForgeRequest {
  method: string
  /** Route template, such as `/repos/{owner}/{repo}/pulls`: few values. */
  route: string
  /** HTTP status; 0 if there was no answer. */
  status: number
  milliseconds: number
  rateLimitRemaining?: number
}

/** What forges are given from outside. */
export interface ForgeDependencies {
  clock: Clock
  logger: Logger
  git: GitAccess
  observe?: (request: ForgeRequest) => void
}

/** Forges by repository and credential: asked twice with equal options, it gives the same one, with its caches. */
export interface Forges {
  /** @throws InvalidInputError if the URL is not one of a repository at this type of forge. */
  get(options: ForgeOptions): Forge
  /**
   * What opens the repository for Git: the credential itself, or a short-lived one made of it that opens this repository
   * alone, with at least `margin` milliseconds left. @throws ForgeError
   */
  gitCredential(options: ForgeOptions, margin?: number): Promise<GitCredential>
  /** What `gitCredential` is made of, as its `origin`, without making one; undefined if it is the credential itself. */
  gitOrigin(options: ForgeOptions): string | undefined
  /** The webhooks whose deliveries this credential may see; undefined where the type of forge tells nothing of them. */
  webhooks(options: ForgeOptions): WebhookLog | undefined
  /** A request was refused: what was learnt of the credential's rights may be old. */
  forget(options: ForgeOptions): void
}

/** A credential for Git, and until when it is one. */
export interface GitCredential {
  credential?: Credential
  /** Milliseconds since the epoch; absent: as long as the credential it was made of. */
  expiresAt?: number
}

/** What a forge remembers of the deliveries it tried, through one credential. */
export interface WebhookLog {
  /** Equal for repositories that share the webhooks. */
  key: string
  /** Equal for logs that are read with the same credential. */
  credential: string
  type: 'app' | 'repository'
  /**
   * Deliveries to addresses below `url` that were tried since then (milliseconds since the epoch) and not taken yet,
   * oldest first. @throws ForgeError
   */
  failed(url: string, since: number, signal?: AbortSignal): Promise<FailedDelivery[]>
  /** Asks the forge to try once more. @throws ForgeError */
  redeliver(delivery: FailedDelivery, signal?: AbortSignal): Promise<void>
}

/** A delivery that no attempt has brought home. */
export interface FailedDelivery {
  hook: number | undefined
  /** The repository that it is about, where a webhook serves several. */
  repository: number | undefined
  /** Names the event, over all attempts. */
  guid: string
  /** Names the newest attempt. */
  id: number
  event: string
  /** Answer to the newest attempt; 0 if there was none. */
  status: number
  attempts: number
  /** Times of the first and the newest attempt that the forge listed, in milliseconds since the epoch. */
  firstAt: number
  lastAt: number
}

/** What an authentic delivery is about: a hint where to look, never the truth. */
export type WebhookEvent =
  | { kind: 'change'; repository: WebhookRepository; refs: ChangeIdentity[]; delivery?: string }
  | { kind: 'ping'; delivery?: string }
  | { kind: 'ignored'; reason: string; delivery?: string }

/** The repository a delivery names, as keys of `repositoryKey`: a project listens if its own key is among them. */
export interface WebhookRepository {
  keys: string[]
}

/** Headers as node's HTTP server gives them: lower-case names. */
export type WebhookHeaders = Record<string, string | string[] | undefined>
