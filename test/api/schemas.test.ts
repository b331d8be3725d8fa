import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ChangeFacts,
  type ChangeIdentity,
  type Condition,
  changeKey,
  durationMilliseconds,
  findCondition,
  identityOf,
  ObjectName,
  parseChangeKey,
  ReviewProjectSpec,
  withCondition,
  withoutCondition,
} from '../../src/api/index.ts'

const sha = 'a'.repeat(40)

describe('change keys', () => {
  const anyChange: fc.Arbitrary<ChangeIdentity> = fc.oneof(
    fc.integer({ min: 1, max: 2_147_483_647 }).map(pullRequest => ({ pullRequest })),
    fc.string({ minLength: 1, maxLength: 250, unit: 'grapheme' }).map(branch => ({ branch })),
  )

  it('round trip', () => {
    fc.assert(
      fc.property(anyChange, change => {
        expect(parseChangeKey(changeKey(change))).toEqual(change)
      }),
    )
  })

  it('are equal only for equal changes', () => {
    fc.assert(
      fc.property(anyChange, anyChange, (a, b) => {
        expect(changeKey(a) === changeKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
    )
    expect(changeKey({ branch: '42' })).not.toBe(changeKey({ pullRequest: 42 }))
    expect(parseChangeKey('branch:pr:42')).toEqual({ branch: 'pr:42' })
  })

  it.each(['', 'pr:', 'pr:0', 'pr:-1', 'pr:01', 'pr:1.5', 'pr:x', 'branch:', 'tag:x', 'PR:1'])('refuse %j', key => {
    expect(() => parseChangeKey(key)).toThrow(TypeError)
  })

  it('come from the number for a pull request and from the branch for a branch', () => {
    expect(identityOf({ kind: 'pullRequest', number: 4, branch: 'x' })).toEqual({ pullRequest: 4 })
    expect(identityOf({ kind: 'branch', branch: 'x' })).toEqual({ branch: 'x' })
  })
})

describe('durations', () => {
  it.each([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['2h0m1s', 7_201_000],
  ])('%s', (text, milliseconds) => {
    expect(durationMilliseconds(text)).toBe(milliseconds)
  })

  it.each(['', '5', 'm', '-5m', '5 m', '5d', '1..5s', '5m ', '٥m'])('refuses %j', text => {
    expect(() => durationMilliseconds(text)).toThrow(TypeError)
  })
})

describe('conditions', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'Deployed', message: 'ready' } as const
  const [early, late] = ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z']

  it('move their time only with their status', () => {
    const first = withCondition([], ready, early)
    const same = withCondition(first, { ...ready, message: 'other' }, late)
    expect(findCondition(same, 'Ready')).toMatchObject({ message: 'other', lastTransitionTime: early })
    const changed = withCondition(same, { ...ready, status: 'False' }, late)
    expect(findCondition(changed, 'Ready')?.lastTransitionTime).toBe(late)
  })

  it('stay one per type, in their order', () => {
    const stalled = { type: 'Stalled', status: 'False', reason: 'Ok', message: '' } as const
    const both = withCondition(
      withCondition(withCondition([], ready, early), stalled, early),
      { ...ready, status: 'False' },
      late,
    )
    expect(both.map((condition: Condition) => condition.type)).toEqual(['Ready', 'Stalled'])
    expect(withoutCondition(both, 'Ready').map(condition => condition.type)).toEqual(['Stalled'])
  })

  it('are the very same array when nothing changed, so that nothing is written', () => {
    const first = withCondition([], ready, early)
    expect(withCondition(first, ready, late)).toBe(first)
  })

  it('cut a long message', () => {
    const messageOf = (message: string) => withCondition([], { ...ready, message }, early)[0]?.message ?? ''
    expect(messageOf('x'.repeat(100_000))).toHaveLength(8192)
    expect(messageOf('🚀'.repeat(10_000)).isWellFormed()).toBe(true)
    const lines = Array.from({ length: 1_000 }, (_, index) => `mistake ${index} ${'x'.repeat(50)}`)
    expect(messageOf(lines.slice(0, 100).join('\n'))).toBe(lines.slice(0, 100).join('\n'))
    const told = messageOf(lines.join('\n')).split('\n')
    const last = told.pop()
    expect(told).toEqual(lines.slice(0, told.length))
    expect(last).toBe(`and ${lines.length - told.length} more`)
    expect(messageOf(lines.join('\n')).length).toBeLessThanOrEqual(8192)
  })
})

describe('schemas', () => {
  it.each([
    ['a', true],
    ['a.b-c', true],
    ['A', false],
    ['a..b', false],
    ['-a', false],
    ['a'.repeat(254), false],
  ])('ObjectName %s: %s', (name, valid) => {
    expect(ObjectName.safeParse(name).success).toBe(valid)
  })

  it('takes a commit id in full only', () => {
    const facts = { kind: 'branch', branch: 'x', url: '' }
    expect(ChangeFacts.safeParse({ ...facts, sha }).success).toBe(true)
    expect(ChangeFacts.safeParse({ ...facts, sha: 'b'.repeat(64) }).success).toBe(true)
    for (const wrong of ['main', 'abc1234', sha.toUpperCase(), `${sha}\n`]) {
      expect(ChangeFacts.safeParse({ ...facts, sha: wrong }).success).toBe(false)
    }
  })

  const smallest = {
    source: { url: 'https://example.com/a/b.git', forge: { type: 'git' } },
    deploy: { objects: { manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }] } },
  }

  it('fills in every default of a project', () => {
    expect(ReviewProjectSpec.parse(smallest)).toMatchObject({
      suspend: false,
      source: { interval: '5m' },
      changes: {},
      environment: {
        name: '{{ project.name }}-{{ change.slug }}',
        namespace: { name: '{{ environment.name }}', labels: {}, annotations: {} },
        clusterRole: 'offshoot-environment',
        limit: 20,
      },
      configFile: { path: '.offshoot.yaml', allow: [] },
      feedback: { comment: true, status: true, url: '' },
    })
    const filter = ReviewProjectSpec.parse({ ...smallest, changes: { pullRequests: {} } }).changes.pullRequests
    expect(filter).toMatchObject({ drafts: true, forks: 'deny', labels: { any: [], all: [], none: [] }, paths: [] })
  })

  it('refuses fields that it does not know, at every depth', () => {
    const wrong = { ...smallest, changes: { branches: { include: ['x'], exlude: [] } }, extra: 1 }
    const result = ReviewProjectSpec.safeParse(wrong)
    expect(
      result.error?.issues.flatMap(issue => (issue.code === 'unrecognized_keys' ? issue.keys : [])).sort(),
    ).toEqual(['exlude', 'extra'])
  })
})
