import { describe, expect, it } from 'vitest'
import { type Changes, Changes as ChangesSchema } from '../../src/api/index.ts'
import { filterProblems, mayQualify, needsPaths, qualifies } from '../../src/environment/filters.ts'
import { InvalidInputError } from '../../src/util/errors.ts'
import { branch, pullRequest } from './builders.ts'

const pullRequests = (filter: object): Changes => ChangesSchema.parse({ pullRequests: filter })
const branches = (include: string[], exclude: string[] = []): Changes =>
  ChangesSchema.parse({ branches: { include, exclude } })
const reasons = (...args: Parameters<typeof qualifies>): string[] => {
  const result = qualifies(...args)
  return result.qualifies ? [] : result.reasons
}

describe('kinds of change', () => {
  it('lets in every pull request when no condition is set', () => {
    expect(qualifies(pullRequests({}), pullRequest(1, { labels: [], draft: true }))).toEqual({ qualifies: true })
  })

  it('lets in no kind that the project does not name', () => {
    expect(reasons(pullRequests({}), branch('main'))).toEqual(['the project makes no environments for branches'])
    expect(reasons(branches(['**']), pullRequest(1))).toEqual(['the project makes no environments for pull requests'])
  })
})

describe('labels', () => {
  const filter = pullRequests({ labels: { any: ['preview', 'demo'], all: ['ok'], none: ['no-preview'] } })

  it('needs any, all and none together', () => {
    expect(reasons(filter, pullRequest(1, { labels: ['demo', 'ok'] }))).toEqual([])
  })

  it('tells every reason at once', () => {
    expect(reasons(filter, pullRequest(1, { labels: ['no-preview'] }))).toEqual([
      'it carries none of the labels "preview", "demo"',
      'it lacks the label "ok"',
      'it carries the label "no-preview"',
    ])
  })
})

describe('branches of a pull request', () => {
  const filter = pullRequests({ targetBranches: ['main', 'release/*'], sourceBranches: ['!renovate/**'] })

  it.each([
    ['main', 'x', true],
    ['release/1', 'x', true],
    ['release/1/2', 'x', false],
    ['mainline', 'x', false],
    ['main', 'renovate/a/b', false],
  ])('into %s from %s: %s', (base, head, expected) => {
    expect(qualifies(filter, pullRequest(1, { base, branch: head })).qualifies).toBe(expected)
  })
})

describe('authors', () => {
  it('compares without case and lets exclude win', () => {
    const filter = pullRequests({ authors: { include: ['Ann', 'Bob'], exclude: ['BOB'] } })
    expect(qualifies(filter, pullRequest(1, { author: 'ANN' })).qualifies).toBe(true)
    expect(reasons(filter, pullRequest(1, { author: 'bob' }))).toEqual(['its author "bob" is in authors.exclude'])
    expect(qualifies(filter, pullRequest(1, { author: undefined })).qualifies).toBe(false)
  })

  it('excludes a bot by its whole name', () => {
    const filter = pullRequests({ authors: { exclude: ['dependabot[bot]'] } })
    expect(qualifies(filter, pullRequest(1, { author: 'Dependabot[bot]' })).qualifies).toBe(false)
    expect(qualifies(filter, pullRequest(1, { author: 'dependabotb' })).qualifies).toBe(true)
    expect(qualifies(filter, pullRequest(1, { author: undefined })).qualifies).toBe(true)
  })
})

describe('title, drafts and forks', () => {
  it('searches the title', () => {
    const filter = pullRequests({ title: { match: 'shop|cart', skip: '^(?i)wip' } })
    expect(qualifies(filter, pullRequest(1, { title: 'the cart' })).qualifies).toBe(true)
    expect(reasons(filter, pullRequest(1, { title: 'WIP x' }))).toHaveLength(2)
    expect(qualifies(filter, pullRequest(1, { title: 'cart, no WIP' })).qualifies).toBe(true)
  })

  it('leaves drafts out when told so', () => {
    expect(reasons(pullRequests({ drafts: false }), pullRequest(1, { draft: true }))).toEqual(['it is a draft'])
  })

  it('denies forks unless told otherwise', () => {
    expect(reasons(pullRequests({}), pullRequest(1, { fork: true }))).toEqual([
      'it comes from a fork, and forks are denied',
    ])
    expect(qualifies(pullRequests({ forks: 'allow' }), pullRequest(1, { fork: true })).qualifies).toBe(true)
  })

  it('answers in linear time where a backtracking engine hangs', () => {
    const filter = pullRequests({ title: { match: '^(a+)+$' }, sourceBranches: ['*a*a*a*a*a*a*a*a*a*a*b'] })
    const hostile = 'a'.repeat(1000)
    expect(qualifies(filter, pullRequest(1, { title: `${hostile}!`, branch: hostile })).qualifies).toBe(false)
  })
})

describe('paths', () => {
  const withPaths = (paths: string[]) => pullRequests({ paths })
  const one = pullRequest(1)

  it.each([
    ['the issue’s example', ['services/shop/**', '!**/*.md'], ['services/shop/a/b.ts'], true],
    ['only excluded files', ['services/shop/**', '!**/*.md'], ['services/shop/README.md', 'x.ts'], false],
    ['one that counts among many', ['services/shop/**', '!**/*.md'], ['a.md', 'services/shop/.env'], true],
    ['an include after an exclude', ['**', '!**/*.md', 'docs/api.md'], ['docs/api.md'], true],
    ['a list that begins with an exclude', ['!**/*.md'], ['src/a.ts'], true],
    ['a list that begins with an exclude, nothing else', ['!**/*.md'], ['docs/a.md'], false],
    ['an exclude and then an include', ['!docs/**', 'docs/api/**'], ['docs/api/x'], true],
    ['dot files', ['**/*.yml'], ['.github/workflows/ci.yml'], true],
    ['* stays in its segment', ['src/*'], ['src/a/b'], false],
    ['braces', ['src/*.{js,ts}'], ['src/a.ts'], true],
    ['a class and its negation', ['[!a]*.ts'], ['a.ts'], false],
    ['a literal exclamation mark', ['\\!important'], ['!important'], true],
    ['letters with case', ['README.md'], ['readme.md'], false],
    ['a file name with a line break', ['**'], ['a\nb'], true],
    ['no file at all', ['**'], [], false],
  ])('%s', (_name, paths, files, expected) => {
    expect(qualifies(withPaths(paths), one, files).qualifies).toBe(expected)
  })

  it('takes a diff of too many files for a match', () => {
    expect(qualifies(withPaths(['never/**']), one, 'tooMany')).toEqual({ qualifies: true })
  })

  it('asks for paths only where they matter', () => {
    expect(needsPaths(withPaths(['x']))).toBe(true)
    expect(needsPaths(withPaths(['x']), { kind: 'branch' })).toBe(false)
    expect(needsPaths(pullRequests({}))).toBe(false)
  })

  it('does not guess when paths are missing', () => {
    expect(() => qualifies(withPaths(['x']), one)).toThrow(TypeError)
    expect(mayQualify(withPaths(['x']), one)).toEqual({ qualifies: true })
  })
})

describe('branches', () => {
  it.each([
    [['feature/*'], [], 'feature/x', true],
    [['feature/*'], [], 'feature/x/y', false],
    [['feature/**'], [], 'feature/x/y', true],
    [['**'], ['main'], 'main', false],
    [['**'], ['main'], 'dev', true],
    [['**', '!tmp/**', 'tmp/keep'], [], 'tmp/keep', true],
    [['**'], ['tmp/**', '!tmp/keep'], 'tmp/keep', true],
    [['**'], ['tmp/**', '!tmp/keep'], 'tmp/x', false],
    [['!main'], [], 'dev', true],
    [['c++'], [], 'c++', true],
    [['*'], [], '🚀', true],
  ])('include %j exclude %j: %s %s', (include, exclude, name, expected) => {
    expect(qualifies(branches(include, exclude), branch(name)).qualifies).toBe(expected)
  })

  it('holds the default branch like any other', () => {
    expect(qualifies(branches(['**']), branch('main')).qualifies).toBe(true)
  })
})

describe('mistakes', () => {
  it('names each with its path and what was expected', () => {
    const changes = ChangesSchema.parse({
      pullRequests: { title: { match: '(a', skip: '(?=x)' }, paths: ['ok', '[a', '!{b'] },
      branches: { include: ['a)'] },
    })
    const problems = filterProblems(changes)
    expect(problems.map(problem => problem.path)).toEqual([
      'spec.changes.pullRequests.paths[1]',
      'spec.changes.pullRequests.paths[2]',
      'spec.changes.pullRequests.title.match',
      'spec.changes.pullRequests.title.skip',
      'spec.changes.branches.include[0]',
    ])
    expect(problems[2]?.message).toMatch(/^expected an RE2 expression, got "\(a": .*missing closing \)/)
    expect(problems[0]?.message).toMatch(/^expected a glob, got "\[a"/)
    expect(() => qualifies(changes, branch('x'))).toThrow(InvalidInputError)
  })

  it('refuses an expression that would fill the memory', () => {
    expect(filterProblems(pullRequests({ title: { match: '((a{99}){99}){99}' } }))).toHaveLength(1)
    expect(filterProblems(pullRequests({ title: { match: 'a{900}b{900}c{900}d{900}e{900}f{900}' } }))).toHaveLength(1)
  })
})
