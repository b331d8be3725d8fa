import { z } from 'zod'

/** Longest name of a Git ref that GitHub and Git servers accept in practice, in characters. */
const maxRef = 1024

export const BranchName = z.string().min(1).max(maxRef)

/** Whether a branch can have this name, by the rules of `git check-ref-format --branch`; its length is not looked at. */
export function isBranchName(name: string): boolean {
  const partsFit = name.split('/').every(part => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
  const plain = !/\.\.|@\{|[\p{Cc} ~^:?*[\\]/u.test(name)
  return partsFit && plain && !name.endsWith('.') && !name.startsWith('-') && name !== '@'
}

export const PullRequestNumber = z.int().min(1).max(2_147_483_647)

/** What an environment follows: one pull request, or one branch. Never changes during an environment's life. */
export const ChangeIdentity = z
  .strictObject({
    pullRequest: PullRequestNumber.optional().describe('Number of the pull (merge) request'),
    branch: BranchName.optional().describe('Name of the branch, without refs/heads/'),
  })
  .describe('Identity of the change: exactly one of pullRequest and branch')
  .meta({
    'x-kubernetes-validations': [
      { rule: 'has(self.pullRequest) != has(self.branch)', message: 'exactly one of pullRequest and branch' },
    ],
  })
export type ChangeIdentity = { pullRequest: number; branch?: never } | { branch: string; pullRequest?: never }

/** A full commit id: SHA-1 or SHA-256 in lower-case hex. */
export const Sha = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'expected a full commit id in lower-case hex')

/** Facts about an open change, as its forge tells them; the scope `change` of templates. */
export const ChangeFacts = z
  .strictObject({
    kind: z.enum(['pullRequest', 'branch']),
    number: PullRequestNumber.optional(),
    branch: BranchName.describe('Head branch'),
    base: BranchName.optional().describe('Branch the pull request wants to go into'),
    author: z.string().max(256).optional(),
    title: z.string().max(1024).optional(),
    labels: z.array(z.string().max(256)).max(100).default([]),
    draft: z.boolean().default(false),
    fork: z.boolean().default(false).describe('The head is in another repository, or that repository is gone'),
    sha: Sha.describe('Head commit'),
    url: z.string().max(2048).describe('Page of the change at the forge'),
    createdAt: z.iso.datetime().optional().describe('When the pull request was opened'),
  })
  .describe('The change as its forge tells it')
export type ChangeFacts = z.infer<typeof ChangeFacts>

/** The identity of a change from its facts. */
export function identityOf(facts: Pick<ChangeFacts, 'kind' | 'number' | 'branch'>): ChangeIdentity {
  return facts.kind === 'pullRequest' && facts.number !== undefined
    ? { pullRequest: facts.number }
    : { branch: facts.branch }
}

/** A change's key inside its project: `pr:42` or `branch:feature/x`. Equal keys are equal changes. */
export function changeKey(change: ChangeIdentity): string {
  return change.pullRequest !== undefined ? `pr:${change.pullRequest}` : `branch:${change.branch}`
}

/** Inverse of `changeKey`. @throws TypeError for anything else. */
export function parseChangeKey(key: string): ChangeIdentity {
  const pullRequest = /^pr:([1-9][0-9]{0,9})$/.exec(key)
  if (pullRequest) return { pullRequest: Number(pullRequest[1]) }
  if (key.startsWith('branch:') && key.length > 'branch:'.length) return { branch: key.slice('branch:'.length) }
  throw new TypeError(`not a change key: ${JSON.stringify(key)}`)
}
