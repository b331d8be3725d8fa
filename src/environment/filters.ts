import type { ChangeFacts } from '../api/change.ts'
import type { BranchFilter, Changes, PullRequestFilter } from '../api/project-changes.ts'
import { InvalidInputError, type Problem } from '../util/errors.ts'
import { quote } from './names.ts'
import {
  compileExpression,
  compileGlobEntry,
  type GlobList,
  globListMatches,
  type Matcher,
  PatternError,
} from './patterns.ts'

/** Whether a change gets an environment and, if not, every condition it fails, in words. */
export type Qualification = { qualifies: true } | { qualifies: false; reasons: string[] }

/** Paths of a pull request's whole diff, or `tooMany` beyond 3,000 files, which counts as a match. */
export type ChangedPaths = readonly string[] | 'tooMany'

interface CompiledPullRequests {
  filter: PullRequestFilter
  targetBranches: GlobList
  sourceBranches: GlobList
  paths: GlobList
  titleMatch: Matcher | undefined
  titleSkip: Matcher | undefined
  include: ReadonlySet<string>
  exclude: ReadonlySet<string>
}

interface CompiledBranches {
  include: GlobList
  exclude: GlobList
}

interface Compiled {
  pullRequests?: CompiledPullRequests
  branches?: CompiledBranches
  problems: Problem[]
}

const compiled = new WeakMap<Changes, Compiled>()

/** Compiles `spec.changes` once; the same object gives the same result for as long as it lives. */
function compile(changes: Changes): Compiled {
  const known = compiled.get(changes)
  if (known) return known
  const result: Compiled = { problems: [] }
  if (changes.pullRequests) result.pullRequests = compilePullRequests(changes.pullRequests, result.problems)
  if (changes.branches) result.branches = compileBranches(changes.branches, result.problems)
  compiled.set(changes, result)
  return result
}

function compilePullRequests(filter: PullRequestFilter, problems: Problem[]): CompiledPullRequests {
  const at = 'spec.changes.pullRequests'
  const expression = (source: string, path: string) =>
    source === '' ? undefined : attempt(() => compileExpression(source), 'an RE2 expression', source, path, problems)
  return {
    filter,
    targetBranches: globs(filter.targetBranches, `${at}.targetBranches`, problems),
    sourceBranches: globs(filter.sourceBranches, `${at}.sourceBranches`, problems),
    paths: globs(filter.paths, `${at}.paths`, problems),
    titleMatch: expression(filter.title.match, `${at}.title.match`),
    titleSkip: expression(filter.title.skip, `${at}.title.skip`),
    include: new Set(filter.authors.include.map(author => author.toLowerCase())),
    exclude: new Set(filter.authors.exclude.map(author => author.toLowerCase())),
  }
}

function compileBranches(filter: BranchFilter, problems: Problem[]): CompiledBranches {
  const at = 'spec.changes.branches'
  return {
    include: globs(filter.include, `${at}.include`, problems),
    exclude: globs(filter.exclude, `${at}.exclude`, problems),
  }
}

function globs(entries: readonly string[], path: string, problems: Problem[]): GlobList {
  return {
    globs: entries.flatMap((entry, index) => {
      const glob = attempt(() => compileGlobEntry(entry), 'a glob', entry, `${path}[${index}]`, problems)
      return glob ? [glob] : []
    }),
  }
}

function attempt<T>(make: () => T, expected: string, text: string, path: string, problems: Problem[]): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    problems.push({ path, message: `expected ${expected}, got ${quote(text)}: ${error.message}` })
    return undefined
  }
}

/** Mistakes in the globs and expressions of `spec.changes`, each with its path. */
export function filterProblems(changes: Changes): readonly Problem[] {
  return compile(changes).problems
}

/** Whether the paths that a change touches must be known to judge it. */
export function needsPaths(changes: Changes, facts?: Pick<ChangeFacts, 'kind'>): boolean {
  return facts?.kind !== 'branch' && (changes.pullRequests?.paths.length ?? 0) > 0
}

/**
 * Whether the change qualifies, with every reason why not. An empty list is no condition.
 * The default branch is a branch like any other, so `include: ["**"]` holds it; and a branch with a pull request
 * qualifies by `branches` all the same, as the two environments differ in what they show.
 * @throws InvalidInputError for globs or expressions that cannot be read
 * @throws TypeError when `paths` is missing although `needsPaths` says it is needed
 */
export function qualifies(changes: Changes, facts: ChangeFacts, paths?: ChangedPaths): Qualification {
  if (paths === undefined && needsPaths(changes, facts)) {
    throw new TypeError('the paths of the change are needed to judge it')
  }
  return judge(changes, facts, paths)
}

/** As `qualifies`, leaving the paths out: what fails here needs no look at the paths. */
export function mayQualify(changes: Changes, facts: ChangeFacts): Qualification {
  return judge(changes, facts, undefined)
}

function judge(changes: Changes, facts: ChangeFacts, paths: ChangedPaths | undefined): Qualification {
  const { pullRequests, branches, problems } = compile(changes)
  if (problems.length > 0) throw new InvalidInputError(problems)
  const reasons =
    facts.kind === 'pullRequest' ? pullRequestReasons(pullRequests, facts, paths) : branchReasons(branches, facts)
  return reasons.length === 0 ? { qualifies: true } : { qualifies: false, reasons }
}

function branchReasons(branches: CompiledBranches | undefined, facts: ChangeFacts): string[] {
  if (!branches) return ['the project makes no environments for branches']
  const name = quote(facts.branch)
  if (!globListMatches(branches.include, facts.branch)) return [`branch ${name} is not in branches.include`]
  const { exclude } = branches
  return exclude.globs.length > 0 && globListMatches(exclude, facts.branch)
    ? [`branch ${name} is in branches.exclude`]
    : []
}

function pullRequestReasons(
  compiledFilter: CompiledPullRequests | undefined,
  facts: ChangeFacts,
  paths: ChangedPaths | undefined,
): string[] {
  if (!compiledFilter) return ['the project makes no environments for pull requests']
  const { filter } = compiledFilter
  return [
    ...(facts.fork && filter.forks === 'deny' ? ['it comes from a fork, and forks are denied'] : []),
    ...(facts.draft && !filter.drafts ? ['it is a draft'] : []),
    ...labelReasons(filter.labels, facts.labels),
    ...branchConditions(compiledFilter, facts),
    ...authorReasons(compiledFilter, facts.author),
    ...titleReasons(compiledFilter, facts.title ?? ''),
    ...pathReasons(compiledFilter.paths, paths),
  ]
}

function labelReasons({ any, all, none }: PullRequestFilter['labels'], have: readonly string[]): string[] {
  const missing = all.filter(label => !have.includes(label))
  const unwanted = none.filter(label => have.includes(label))
  return [
    ...(any.length > 0 && !any.some(label => have.includes(label))
      ? [`it carries none of the labels ${any.map(quote).join(', ')}`]
      : []),
    ...missing.map(label => `it lacks the label ${quote(label)}`),
    ...unwanted.map(label => `it carries the label ${quote(label)}`),
  ]
}

function branchConditions(compiledFilter: CompiledPullRequests, facts: ChangeFacts): string[] {
  const { targetBranches, sourceBranches } = compiledFilter
  const reasons: string[] = []
  if (!globListMatches(targetBranches, facts.base ?? '')) {
    reasons.push(`its target branch ${quote(facts.base ?? '')} is not in targetBranches`)
  }
  if (!globListMatches(sourceBranches, facts.branch)) {
    reasons.push(`its branch ${quote(facts.branch)} is not in sourceBranches`)
  }
  return reasons
}

function authorReasons({ include, exclude }: CompiledPullRequests, author: string | undefined): string[] {
  const login = author?.toLowerCase() ?? ''
  if (exclude.has(login)) return [`its author ${quote(author ?? '')} is in authors.exclude`]
  return include.size > 0 && !include.has(login) ? [`its author ${quote(author ?? '')} is not in authors.include`] : []
}

function titleReasons({ titleMatch, titleSkip, filter }: CompiledPullRequests, title: string): string[] {
  return [
    ...(titleMatch && !titleMatch(title) ? [`its title does not match ${quote(filter.title.match)}`] : []),
    ...(titleSkip?.(title) ? [`its title matches ${quote(filter.title.skip)}`] : []),
  ]
}

function pathReasons(list: GlobList, paths: ChangedPaths | undefined): string[] {
  if (list.globs.length === 0 || paths === undefined || paths === 'tooMany') return []
  return paths.some(path => globListMatches(list, path)) ? [] : ['none of the files it changes is in paths']
}
