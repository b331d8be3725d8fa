import type { ChangeFacts } from '../../api/change.ts'
import type { Listing, ListWhat } from '../forge.ts'
import type { GitHubRepository } from './context.ts'
import { factsOfBranch, factsOfPull } from './facts.ts'
import { readPages } from './pages.ts'
import { Branches, PullRequests, Repository } from './schemas.ts'

/** Pages of 100: at most 50,000 pull requests or branches. */
const maxPages = 500

/** All open pull requests, oldest first, and all branches, as asked. @throws ForgeError */
export async function listChanges(
  repository: GitHubRepository,
  what: ListWhat,
  signal?: AbortSignal,
): Promise<Listing> {
  const [pulls, branches] = await Promise.all([
    what.pullRequests ? listPullRequests(repository, signal) : nothing,
    what.branches ? listBranches(repository, signal) : nothing,
  ])
  const reason = [pulls.incompleteReason, branches.incompleteReason].filter(it => it !== undefined).join('; ')
  return {
    pullRequests: pulls.items,
    branches: branches.items,
    complete: reason === '',
    ...(reason === '' ? {} : { incompleteReason: reason }),
    notModified: pulls.notModified && branches.notModified,
  }
}

interface Part {
  items: ChangeFacts[]
  incompleteReason?: string
  notModified: boolean
}

const nothing: Part = { items: [], notModified: true }

async function listPullRequests(repository: GitHubRepository, signal: AbortSignal | undefined): Promise<Part> {
  const { client, owner, repo } = repository
  // By creation: what is opened while the pages are read comes at the end, and shifts none of them.
  const parameters = { owner, repo, state: 'open', sort: 'created', direction: 'asc' }
  const keyOf = (pull: { number: number }) => pull.number
  const options = { parameters, schema: PullRequests, keyOf, maxPages, signal, ahead: true }
  const pages = await readPages(client, '/repos/{owner}/{repo}/pulls', options)
  const open = pages.items.filter(pull => pull.state === 'open')
  return {
    ...reasonOf('pull requests', pages.incompleteReason),
    items: open.map(pull => factsOfPull(repository, pull)),
    notModified: pages.notModified,
  }
}

async function listBranches(repository: GitHubRepository, signal: AbortSignal | undefined): Promise<Part> {
  const { client, owner, repo } = repository
  const about = await client.read('/repos/{owner}/{repo}', { owner, repo }, Repository, signal)
  const keyOf = (branch: { name: string }) => branch.name
  const options = { parameters: { owner, repo }, schema: Branches, keyOf, maxPages, signal, ahead: true }
  const pages = await readPages(client, '/repos/{owner}/{repo}/branches', options)
  const { default_branch: main } = about.data
  const lacks = pages.items.some(branch => branch.name === main) ? undefined : `the default branch ${main} is not in it`
  return {
    ...reasonOf('branches', pages.incompleteReason ?? lacks),
    items: pages.items.map(branch => factsOfBranch(repository, branch)),
    notModified: pages.notModified && about.notModified,
  }
}

function reasonOf(list: string, reason: string | undefined): { incompleteReason?: string } {
  return reason === undefined ? {} : { incompleteReason: `list of ${list}: ${reason}` }
}
