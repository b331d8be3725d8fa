import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChangeFacts, changeKey, identityOf, parseChangeKey, type ReviewEnvironment } from '../../src/api/index.ts'
import { decideChange } from '../../src/environment/decide.ts'
import type { GuardState } from '../../src/environment/guard.ts'
import { type ListingPlan, planListing, type Verified } from '../../src/environment/listing.ts'
import type { ChangeLookup } from '../../src/environment/lookup.ts'
import { applied, branch, environmentOf, projectOf, pullRequest, shaOf } from './builders.ts'

/** What is true at the forge: every change that ever was, and how it stands. */
type World = Map<string, ChangeLookup>

const project = projectOf({
  changes: {
    pullRequests: { labels: { any: ['preview'] } },
    branches: { include: ['feature/*'], exclude: ['feature/no'] },
  },
})

const anyPullRequest = fc
  .record({
    number: fc.integer({ min: 1, max: 12 }),
    closed: fc.boolean(),
    labelled: fc.boolean(),
    fork: fc.boolean(),
    commit: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ number, closed, labelled, fork, commit }): ChangeLookup => {
    const change = pullRequest(number, { labels: labelled ? ['preview'] : [], fork, sha: shaOf(`${number} ${commit}`) })
    return closed ? { state: 'closed', merged: false, change } : { state: 'open', change }
  })
const anyBranch = fc
  .record({
    name: fc.constantFrom('feature/a', 'feature/b', 'feature/no', 'main'),
    commit: fc.integer({ min: 0, max: 2 }),
  })
  .map(
    ({ name, commit }): ChangeLookup => ({ state: 'open', change: branch(name, { sha: shaOf(`${name} ${commit}`) }) }),
  )
const anyWorld: fc.Arbitrary<World> = fc
  .array(fc.oneof(anyPullRequest, anyBranch), { maxLength: 16 })
  .map(lookups => new Map(lookups.flatMap(lookup => ('change' in lookup ? [[keyOf(lookup.change), lookup]] : []))))

/** Environments from some earlier world, as a controller may find them. */
const anyExisting = fc
  .uniqueArray(
    fc.oneof(
      fc.integer({ min: 1, max: 12 }).map(number => pullRequest(number)),
      fc.constantFrom('feature/a', 'feature/b', 'feature/gone').map(name => branch(name)),
    ),
    { maxLength: 10, selector: keyOf },
  )
  .map(all => all.map(facts => environmentOf(project, facts)))

function keyOf(facts: ChangeFacts): string {
  return changeKey(identityOf(facts))
}

function lookupIn(world: World, key: string): ChangeLookup {
  const known = world.get(key)
  if (known) return known
  return key.startsWith('pr:') ? { state: 'unknown', reason: '404' } : { state: 'absent', evidence: 'main is there' }
}

/** Hears of one change: fetches it and does what is decided. */
function hear(world: World, existing: ReviewEnvironment[], key: string): ReviewEnvironment[] {
  const decision = decideChange({
    project,
    change: parseChangeKey(key),
    lookup: lookupIn(world, key),
    existing: existing.find(environment => changeKey(environment.spec.change) === key),
  })
  return applied(existing, [decision])
}

/** Lists, verifies and does what is planned. */
function list(world: World, existing: ReviewEnvironment[], guardState: GuardState, now: number) {
  const open = [...world.values()].flatMap(lookup => (lookup.state === 'open' ? [lookup.change] : []))
  const listing = {
    pullRequests: open.filter(facts => facts.kind === 'pullRequest'),
    branches: [...open.filter(facts => facts.kind === 'branch'), branch('main')],
    complete: true,
  }
  const input = { project, listing, existing, now, guardState }
  const first = planListing(input)
  const verified = new Map<string, Verified>(
    first.verify.map(({ change }) => [changeKey(change), { lookup: lookupIn(world, changeKey(change)) }]),
  )
  const plan = planListing({ ...input, verified })
  return { plan, existing: applied(existing, [...plan.creates, ...plan.updates, ...plan.deletes]) }
}

function stateOf(environments: readonly ReviewEnvironment[]): string[] {
  return environments
    .map(({ spec, status }) => JSON.stringify([changeKey(spec.change), spec.revision, status?.change]))
    .sort()
}

function isEmpty(plan: ListingPlan): boolean {
  return [plan.creates, plan.updates, plan.deletes, plan.held].every(part => part.length === 0)
}

describe('laws', () => {
  it('the plan of an applied plan is empty', () => {
    fc.assert(
      fc.property(anyWorld, anyExisting, (world, found) => {
        const first = list(world, found, {}, 0)
        // What the guard held goes with the second listing.
        const second = list(world, first.existing, first.plan.nextGuardState, 300_000)
        const third = list(world, second.existing, second.plan.nextGuardState, 600_000)
        expect(isEmpty(third.plan)).toBe(true)
        expect(stateOf(third.existing)).toEqual(stateOf(second.existing))
      }),
    )
  })

  it('a decision that was carried out is not made again', () => {
    fc.assert(
      fc.property(anyWorld, anyExisting, fc.integer({ min: 1, max: 12 }), (world, found, number) => {
        const once = hear(world, found, `pr:${number}`)
        expect(stateOf(hear(world, once, `pr:${number}`))).toEqual(stateOf(once))
      }),
    )
  })

  it('any order of the same events, repeated at will, ends in the same state', () => {
    const anyEvents = fc.array(
      fc.constantFrom(
        ...Array.from({ length: 12 }, (_, index) => `pr:${index + 1}`),
        'branch:feature/a',
        'branch:feature/b',
        'branch:feature/gone',
      ),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(anyWorld, anyExisting, anyEvents, fc.infiniteStream(fc.nat()), (world, found, events, random) => {
        const shuffled = events
          .flatMap(event => [event, event])
          .map(event => ({ event, at: random.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event)
        const one = events.reduce((existing, key) => hear(world, existing, key), found)
        const other = shuffled.reduce((existing, key) => hear(world, existing, key), found)
        expect(stateOf(other)).toEqual(stateOf(one))
      }),
    )
  })

  it('events and listings agree', () => {
    fc.assert(
      fc.property(anyWorld, anyExisting, (world, found) => {
        const keys = new Set([...world.keys(), ...found.map(environment => changeKey(environment.spec.change))])
        const heard = [...keys].reduce((existing, key) => hear(world, existing, key), found)
        const first = list(world, found, {}, 0)
        const second = list(world, first.existing, first.plan.nextGuardState, 300_000)
        expect(stateOf(second.existing)).toEqual(stateOf(heard))
      }),
    )
  })

  it('no fork and nothing unlabelled ever gets an environment', () => {
    fc.assert(
      fc.property(anyWorld, world => {
        for (const environment of list(world, [], {}, 0).existing) {
          const facts = environment.status?.change
          expect(facts?.fork).toBe(false)
          if (facts?.kind === 'pullRequest') expect(facts.labels).toContain('preview')
        }
      }),
    )
  })
})
