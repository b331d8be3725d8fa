import { describe, expect, it } from 'vitest'
import { type ChangeFacts, changeKey, identityOf, type ReviewEnvironment } from '../../src/api/index.ts'
import { type ListingInput, planListing, type Verified, whatToList } from '../../src/environment/listing.ts'
import { applied, branch, environmentOf, projectOf, pullRequest, shaOf } from './builders.ts'

const project = projectOf({
  changes: { pullRequests: { labels: { any: ['preview'] } }, branches: { include: ['feature/*'] } },
})
const now = Date.UTC(2026, 0, 2)
const main = branch('main')
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const pulls = (count: number) => numbers(count).map(number => pullRequest(number))
const twenty = pulls(20).map(facts => environmentOf(project, facts))
const plan = (input: Partial<ListingInput>) =>
  planListing({ project, existing: [], listing: { pullRequests: [], branches: [main], complete: true }, now, ...input })
const answers = (entries: [ChangeFacts, Verified['lookup']][]) =>
  new Map(entries.map(([facts, lookup]) => [changeKey(identityOf(facts)), { lookup }]))
const keysOf = (environments: readonly { environment: ReviewEnvironment }[]) =>
  environments.map(({ environment }) => environment.metadata.name)

describe('a listing', () => {
  it('creates what is missing and updates what has moved', () => {
    const result = plan({
      listing: { pullRequests: pulls(2), branches: [main, branch('feature/x')], complete: true },
      existing: [environmentOf(project, pullRequest(1, { sha: shaOf('old') }))],
    })
    expect(keysOf(result.creates)).toEqual(['shop-pr-2', expect.stringMatching(/^shop-br-feature-x-/)])
    expect(keysOf(result.updates)).toEqual(['shop-pr-1'])
    expect(result).toMatchObject({ verify: [], deletes: [], held: [], warnings: [], changes: 4, qualifying: 3 })
  })

  it('counts a change once that stands on two pages', () => {
    const result = plan({ listing: { pullRequests: [...pulls(2), ...pulls(2)], branches: [main], complete: true } })
    expect(result.creates).toHaveLength(2)
  })

  it('asks again about what it lacks or what no longer matches before anything is deleted', () => {
    const result = plan({
      listing: { pullRequests: [pullRequest(1, { labels: [] })], branches: [main], complete: true },
      existing: [...twenty.slice(0, 2), environmentOf(project, branch('feature/x'))],
    })
    expect(result.deletes).toEqual([])
    expect(result.verify).toEqual([
      { change: { pullRequest: 1 }, cause: 'filtered' },
      { change: { pullRequest: 2 }, cause: 'missing' },
      { change: { branch: 'feature/x' }, cause: 'missing' },
    ])
  })

  it('asks for paths that it does not know', () => {
    const byPath = projectOf({ changes: { pullRequests: { paths: ['src/**'] } } })
    const listing = { pullRequests: pulls(2), branches: [], complete: true }
    expect(plan({ project: byPath, listing }).verify).toEqual([
      { change: { pullRequest: 1 }, cause: 'paths' },
      { change: { pullRequest: 2 }, cause: 'paths' },
    ])
    const verified = new Map<string, Verified>([
      ['pr:1', { lookup: { state: 'open', change: pullRequest(1) }, paths: ['src/a'] }],
    ])
    const result = plan({ project: byPath, listing, verified, pathsOf: () => ['README.md'] })
    expect(keysOf(result.creates)).toEqual(['shop-pr-1'])
    expect(result.verify).toEqual([])
  })

  it('deletes what was fetched and is closed, however many', () => {
    const verified = answers(pulls(20).map(facts => [facts, { state: 'closed', merged: true, change: facts }]))
    const result = plan({ existing: twenty, verified })
    expect(result.deletes).toHaveLength(20)
    expect(result).toMatchObject({ held: [], warnings: [] })
  })

  it('keeps and updates what turns out to be open after all', () => {
    const verified = answers([[pullRequest(1), { state: 'open', change: pullRequest(1, { sha: shaOf('new') }) }]])
    const result = plan({ existing: twenty.slice(0, 1), verified })
    expect(keysOf(result.updates)).toEqual(['shop-pr-1'])
    expect(result.deletes).toEqual([])
  })
})

describe('a change with an environment of the controller and one made by hand', () => {
  const own = environmentOf(project, pullRequest(1))
  const manual = environmentOf(project, pullRequest(1), { metadata: { name: 'mine' }, spec: { origin: 'manual' } })
  const moved = pullRequest(1, { sha: shaOf('new') })

  it('updates both', () => {
    const result = plan({
      existing: [own, manual],
      listing: { pullRequests: [moved], branches: [main], complete: true },
    })
    expect(keysOf(result.updates)).toEqual(['shop-pr-1', 'mine'])
    expect(result.creates).toEqual([])
  })

  it('asks once, and deletes by a filter only its own', () => {
    const facts = pullRequest(1, { labels: [] })
    const listing = { pullRequests: [facts], branches: [main], complete: true }
    expect(plan({ existing: [own, manual], listing }).verify).toHaveLength(1)
    expect(plan({ existing: [own, manual] }).verify).toEqual([{ change: { pullRequest: 1 }, cause: 'missing' }])
    const verified = answers([[facts, { state: 'open', change: facts }]])
    expect(keysOf(plan({ existing: [own, manual], listing, verified }).deletes)).toEqual(['shop-pr-1'])
    const closed = answers([[facts, { state: 'closed', merged: true, change: facts }]])
    expect(keysOf(plan({ existing: [own, manual], verified: closed }).deletes)).toEqual(['shop-pr-1', 'mine'])
  })

  it('makes no second one beside that of a person', () => {
    expect(
      plan({ existing: [manual], listing: { pullRequests: [moved], branches: [main], complete: true } }).creates,
    ).toEqual([])
  })
})

describe('no environment dies', () => {
  it('of an empty list', () => {
    const branchEnvironment = environmentOf(project, branch('feature/x'))
    const result = plan({
      existing: [...twenty, branchEnvironment],
      listing: { pullRequests: [], branches: [], complete: true },
    })
    expect(result.deletes).toEqual([])
    expect(result.verify).toHaveLength(20)
    expect(result.verify).not.toContainEqual({ change: { branch: 'feature/x' }, cause: 'missing' })
  })

  it('of a list that was cut short', () => {
    const listing = {
      pullRequests: [pullRequest(1, { labels: [] })],
      branches: [],
      complete: false,
      incompleteReason: 'page 2: 502',
    }
    const result = plan({ existing: twenty, listing })
    expect(result).toMatchObject({ deletes: [], verify: [], held: [] })
    expect(result.warnings).toEqual(['the listing is incomplete, so nothing is deleted: page 2: 502'])
  })

  it('of a cut list with answers that are no closes', () => {
    const verified = answers(pulls(1).map(facts => [facts, { state: 'open', change: { ...facts, labels: [] } }]))
    const result = plan({ existing: twenty, verified, listing: { pullRequests: [], branches: [], complete: false } })
    expect(result.deletes).toEqual([])
  })

  it('of answers that say nothing', () => {
    const verified = answers(pulls(20).map(facts => [facts, { state: 'unknown', reason: '404' }]))
    expect(plan({ existing: twenty, verified })).toMatchObject({ deletes: [], held: [], verify: [] })
  })

  it('of a suspended project', () => {
    const suspended = projectOf({ suspend: true })
    const result = plan({
      project: suspended,
      existing: twenty,
      listing: { pullRequests: pulls(30), branches: [], complete: true },
    })
    expect(result).toMatchObject({ creates: [], updates: [], verify: [], deletes: [] })
  })

  it('that a person made, by any listing', () => {
    const manual = environmentOf(project, branch('mine'), { spec: { origin: 'manual' } })
    const listed = plan({
      existing: [manual],
      listing: { pullRequests: [], branches: [main, branch('mine')], complete: true },
    })
    expect(listed).toMatchObject({ verify: [], deletes: [] })
    const gone = answers([[branch('mine'), { state: 'absent', evidence: 'main is there' }]])
    expect(plan({ existing: [manual], verified: gone }).deletes).toHaveLength(1)
  })
})

describe('the guard', () => {
  const unlabelled = pulls(20).map(facts => ({ ...facts, labels: [] }))
  const verified = answers(unlabelled.map(facts => [facts, { state: 'open', change: facts }]))
  const listing = { pullRequests: unlabelled, branches: [main], complete: true }

  it('holds deletes of all environments until the next listing says the same', () => {
    const first = plan({ existing: twenty, listing, verified })
    expect(first.deletes).toEqual([])
    expect(first.held).toHaveLength(20)
    expect(first.warnings[0]).toMatch(/^20 of 20 environments would be deleted/)
    expect(first.nextGuardState.heldDeletes).toMatchObject({ count: 20, since: '2026-01-02T00:00:00Z' })

    const again = plan({ existing: twenty, listing, guardState: first.nextGuardState })
    expect(again.nextGuardState.heldDeletes).toEqual(first.nextGuardState.heldDeletes)

    const second = plan({ existing: twenty, listing, verified, guardState: first.nextGuardState, now: now + 300_000 })
    expect(second.deletes).toHaveLength(20)
    expect(second.nextGuardState).toEqual({ recentDeletes: [{ time: '2026-01-02T00:05:00Z', count: 20 }] })
  })

  it('forgets what it held when the next listing disagrees', () => {
    const first = plan({ existing: twenty, listing, verified })
    const healed = plan({
      existing: twenty,
      listing: { pullRequests: pulls(20), branches: [main], complete: true },
      guardState: first.nextGuardState,
      now: now + 300_000,
    })
    expect(healed).toMatchObject({ deletes: [], held: [], nextGuardState: {} })
  })

  it('lets closes pass while it holds the rest', () => {
    const mixed = new Map(verified)
    mixed.set('pr:1', { lookup: { state: 'closed', merged: true, change: pullRequest(1) } })
    const result = plan({ existing: twenty, listing, verified: mixed })
    expect(keysOf(result.deletes)).toEqual(['shop-pr-1'])
    expect(result.held).toHaveLength(19)
  })
})

describe('whatToList', () => {
  it('lists what filters speak of and what environments follow', () => {
    const none = projectOf({ changes: {} })
    expect(whatToList(none, [])).toEqual({ pullRequests: false, branches: false })
    expect(whatToList(none, [environmentOf(none, branch('x'))])).toEqual({ pullRequests: false, branches: true })
    expect(whatToList(project, [])).toEqual({ pullRequests: true, branches: true })
  })
})

it('plans nothing after its plan was applied', () => {
  const listing = { pullRequests: pulls(9), branches: [main, branch('feature/x')], complete: true }
  const first = plan({ listing })
  const second = plan({ listing, existing: applied([], first.creates) })
  expect(second).toMatchObject({ creates: [], updates: [], verify: [], deletes: [], held: [] })
})
