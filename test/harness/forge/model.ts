import type { Files } from './bare-repository.ts'

/** A pull request as the stand-in keeps it. */
export interface PullRequest {
  number: number
  title: string
  body: string
  /** Head branch's name, in the repository itself or in the fork. */
  branch: string
  base: string
  author: string
  labels: string[]
  draft: boolean
  /** `fork`: the head is in another repository; `gone`: that repository was deleted (`head.repo` is null). */
  head: 'own' | 'fork' | 'gone'
  sha: string
  state: 'open' | 'closed'
  merged: boolean
  createdAt: string
  updatedAt: string
  closedAt?: string
}

/** A comment on a pull request. */
export interface Comment {
  id: number
  pullRequest: number
  author: string
  body: string
  createdAt: string
  updatedAt: string
  /** Texts it had before. */
  history: string[]
}

/** A commit status; the newest per context counts. */
export interface Status {
  sha: string
  context: string
  state: string
  description: string
  targetUrl?: string
  author: string
  createdAt: string
}

/** A request to the API, as it arrived. */
export interface RecordedRequest {
  method: string
  /** Path and query after `/api/v3`. */
  path: string
  status: number
  conditional: boolean
  authenticated: boolean
}

/** Ids of accounts: stable, from the login. */
export function userId(login: string): number {
  let hash = 7
  for (const letter of login) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_000_007
  return hash
}

/** How a pull request is opened. Everything has a default. */
export interface OpenPullRequest {
  branch?: string
  base?: string
  title?: string
  body?: string
  author?: string
  labels?: string[]
  draft?: boolean
  /** The head is in another repository; `gone`: that repository was deleted since. */
  fork?: boolean | 'gone'
  files?: Files
}

/** An open pull request with everything that the options leave open; its commit is not made yet. */
export function newPullRequest(
  number: number,
  options: OpenPullRequest,
  defaultBranch: string,
  createdAt: string,
): PullRequest {
  return {
    number,
    title: options.title ?? `Change ${number}`,
    body: options.body ?? '',
    branch: options.branch ?? `change-${number}`,
    base: options.base ?? defaultBranch,
    author: options.author ?? 'jane',
    labels: [...(options.labels ?? [])],
    draft: options.draft ?? false,
    head: options.fork === 'gone' ? 'gone' : options.fork ? 'fork' : 'own',
    sha: '',
    state: 'open',
    merged: false,
    createdAt,
    updatedAt: createdAt,
  }
}
