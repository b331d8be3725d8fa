import { z } from 'zod'
import { BranchName, PullRequestNumber, Sha } from '../../api/change.ts'

/**
 * What is used of GitHub's answers; everything else is dropped. A field that is used is required as GitHub documents
 * it: an answer that lacks it is an error, never a default.
 * Source: GitHub REST API, version 2022-11-28.
 */

const WebUrl = z.url({ protocol: /^https?$/ }).max(2048)
const RepositoryName = z.object({ id: z.number(), full_name: z.string() })

export const PullRequest = z.object({
  number: PullRequestNumber,
  state: z.enum(['open', 'closed']),
  title: z.string(),
  draft: z.boolean().nullish(),
  html_url: WebUrl,
  created_at: z.iso.datetime(),
  merged_at: z.string().nullish(),
  /** Null for accounts that are gone. */
  user: z.object({ login: z.string() }).nullable(),
  labels: z.array(z.object({ name: z.string() })),
  /** `repo` is null once a fork is deleted. */
  head: z.object({ ref: BranchName, sha: Sha, repo: RepositoryName.nullable() }),
  base: z.object({ ref: BranchName, repo: RepositoryName }),
})
export type PullRequest = z.infer<typeof PullRequest>
export const PullRequests = z.array(PullRequest)

export const Branch = z.object({ name: BranchName, commit: z.object({ sha: Sha }) })
export type Branch = z.infer<typeof Branch>
export const Branches = z.array(Branch)

export const MatchingRefs = z.array(z.object({ ref: z.string().startsWith('refs/') }))

export const Repository = z.object({ id: z.number(), full_name: z.string(), default_branch: BranchName })
export type Repository = z.infer<typeof Repository>

export const ChangedFiles = z.array(
  z.object({ filename: z.string().min(1), previous_filename: z.string().min(1).optional() }),
)

export const Content = z.union([
  z.object({ type: z.literal('file'), encoding: z.string(), size: z.number(), content: z.string() }),
  z.object({ type: z.string() }).transform(({ type }) => ({ type: type === 'file' ? 'broken' : type })),
  z.array(z.unknown()).transform(() => ({ type: 'dir' })),
])

export const Commit = z.object({ sha: Sha })

export const Comment = z.object({
  id: z.int(),
  body: z.string().nullish(),
  html_url: WebUrl,
  issue_url: z.string(),
  user: z.object({ id: z.int(), login: z.string() }).nullable(),
})
export type Comment = z.infer<typeof Comment>
export const Comments = z.array(Comment)

export const Account = z.object({ id: z.int(), login: z.string().min(1) })

/** Answer of GraphQL to `viewer`, for tokens that `/user` refuses. */
export const Viewer = z.object({
  data: z.object({ viewer: z.object({ login: z.string().min(1), databaseId: z.int() }) }),
})

/** For answers of which nothing is used. */
export const Anything = z.unknown()
