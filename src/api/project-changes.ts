import { z } from 'zod'

const pattern = z.string().min(1).max(512)
const patterns = z.array(pattern).max(100).default([])
const words = z.array(z.string().min(1).max(256)).max(100).default([])

const Labels = z
  .strictObject({
    any: words.describe('At least one of these'),
    all: words.describe('Every one of these'),
    none: words.describe('None of these'),
  })
  .describe('Labels the pull request must carry; an empty list is no condition')

const Authors = z
  .strictObject({ include: words.describe('Only these'), exclude: words.describe('Never these') })
  .describe('Login names, compared without case')

const Title = z
  .strictObject({
    match: z.string().max(512).default('').describe('RE2 expression the title must match; empty is no condition'),
    skip: z.string().max(512).default('').describe('RE2 expression the title must not match; empty is no condition'),
  })
  .describe('Conditions on the title (RE2 syntax, linear time)')

/** Which pull requests get an environment. */
export const PullRequestFilter = z
  .strictObject({
    labels: Labels.prefault({}),
    targetBranches: patterns.describe('Globs for the base branch; the last match wins, ! excludes'),
    sourceBranches: patterns.describe('Globs for the head branch; the last match wins, ! excludes'),
    authors: Authors.prefault({}),
    title: Title.prefault({}),
    drafts: z.boolean().default(true).describe('Whether drafts qualify'),
    paths: patterns.describe(
      'Globs for the files of the whole diff; the last match wins, ! excludes. A diff of over 3,000 files matches',
    ),
    forks: z.enum(['deny', 'allow']).default('deny').describe('Whether pull requests from other repositories qualify'),
  })
  .describe('Which pull requests get an environment; absent: none')
export type PullRequestFilter = z.infer<typeof PullRequestFilter>

/** Which branches get an environment. */
export const BranchFilter = z
  .strictObject({
    include: z.array(pattern).min(1).max(100).describe('Globs for branches'),
    exclude: patterns.describe('Globs for branches that never qualify'),
  })
  .describe('Which branches get an environment; absent: none')
export type BranchFilter = z.infer<typeof BranchFilter>

/** `spec.changes` of a ReviewProject. */
export const Changes = z.strictObject({
  pullRequests: PullRequestFilter.optional(),
  branches: BranchFilter.optional(),
})
export type Changes = z.infer<typeof Changes>
