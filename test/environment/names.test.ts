import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChangeIdentity } from '../../src/api/index.ts'
import {
  accountName,
  changeSlug,
  environmentObjectName,
  fitName,
  isLabelValue,
  isQualifiedName,
  isSubdomain,
  kluctlDeploymentName,
  labelValue,
  maxSlug,
  namespaceNameProblem,
} from '../../src/environment/names.ts'

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

const anyBranch = fc.oneof(
  fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
  fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }),
  fc.stringMatching(/^[a-z0-9/_.-]{1,250}$/),
  fc.constantFrom(
    'feature/x',
    'feature-x',
    'feature_x',
    'Feature/X',
    '🚀',
    '🚀🚀',
    '機能',
    '123',
    'a{{target}}b',
    '-',
    '/',
  ),
)
const anyProject = fc.oneof(
  fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
  fc.stringMatching(/^[a-z0-9]{1,20}(\.[a-z0-9]{1,20}){0,2}$/),
)
const anyChange: fc.Arbitrary<ChangeIdentity> = fc.oneof(
  fc.integer({ min: 1, max: 2_147_483_647 }).map(pullRequest => ({ pullRequest })),
  anyBranch.map(branch => ({ branch })),
)

describe('changeSlug', () => {
  it('reads like the change', () => {
    expect(changeSlug({ pullRequest: 42 })).toBe('pr-42')
    expect(changeSlug({ branch: 'feature/Größe' })).toMatch(/^feature-gro-e-[0-9a-f]{8}$/)
  })

  it('ends in the beginning of the sha256 of the whole branch name', () => {
    const hash = createHash('sha256').update('feature/x').digest('hex').slice(0, 8)
    expect(changeSlug({ branch: 'feature/x' })).toBe(`feature-x-${hash}`)
  })

  it('takes a branch of a pull request for the pull request', () => {
    expect(changeSlug({ kind: 'pullRequest', number: 7, branch: 'x' })).toBe('pr-7')
    expect(changeSlug({ kind: 'branch', branch: 'pr-7' })).toMatch(/^pr-7-[0-9a-f]{8}$/)
  })

  it.each([
    '🚀',
    '機能',
    '!!!',
    '---',
    'a{{target}}b',
    '0day',
    'x'.repeat(250),
    'ﬁx',
    '\u0000',
  ])('makes a DNS label of %j', branch => {
    expect(changeSlug({ branch })).toMatch(dnsLabel)
  })

  it('tells branches apart that slugify alike', () => {
    const slugs = ['feature/x', 'feature-x', 'feature_x', 'FEATURE/X', 'feature//x'].map(branch =>
      changeSlug({ branch }),
    )
    expect(new Set(slugs).size).toBe(slugs.length)
  })

  it('is a DNS label within its limit for every change', () => {
    fc.assert(
      fc.property(anyChange, change => {
        const slug = changeSlug(change)
        expect(slug).toMatch(dnsLabel)
        expect(slug.length).toBeLessThanOrEqual(maxSlug)
        if (change.branch !== undefined) expect(slug).toMatch(/-[0-9a-f]{8}$/)
      }),
    )
  })
})

describe('environmentObjectName', () => {
  it('names project and change', () => {
    expect(environmentObjectName('shop', { pullRequest: 42 })).toBe('shop-pr-42')
    expect(environmentObjectName('shop', { branch: 'feature/x' })).toMatch(/^shop-br-feature-x-[0-9a-f]{8}$/)
  })

  it('is a DNS label and a label value whatever the project and the change are', () => {
    fc.assert(
      fc.property(anyProject, anyChange, (project, change) => {
        const name = environmentObjectName(project, change)
        expect(name).toMatch(dnsLabel)
        expect(environmentObjectName(project, change)).toBe(name)
        for (const derived of [accountName(name), kluctlDeploymentName(name), labelValue(name)]) {
          expect(derived).toMatch(dnsLabel)
        }
      }),
    )
  })

  it('never gives two changes, of one project or two, the same name', () => {
    const pairs = fc.uniqueArray(fc.tuple(anyProject, anyChange), {
      maxLength: 60,
      selector: pair => JSON.stringify(pair),
    })
    fc.assert(
      fc.property(pairs, all => {
        const names = all.map(([project, change]) => environmentObjectName(project, change))
        expect(new Set(names).size).toBe(names.length)
      }),
    )
  })

  it('keeps long projects that begin alike apart', () => {
    const [a, b] = ['a', 'b'].map(last => environmentObjectName(`${'x'.repeat(62)}${last}`, { pullRequest: 1 }))
    expect(a).not.toBe(b)
    expect(a).toMatch(/-pr-1$/)
  })
})

describe('fitName', () => {
  it('leaves alone what fits and cuts what does not, without meeting another', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9-]{0,200}$/),
        fc.stringMatching(/^[a-z0-9-]{0,200}$/),
        fc.integer({ min: 8, max: 253 }),
        (a, b, max) => {
          expect(fitName(a, max).length).toBeLessThanOrEqual(max)
          if (a.length <= max) expect(fitName(a, max)).toBe(a)
          if (a !== b) expect(fitName(a, max)).not.toBe(fitName(b, max))
        },
      ),
    )
  })

  it('refuses a limit without room for a hash', () => {
    expect(() => fitName('abcdefghij', 7)).toThrow(RangeError)
  })
})

describe('labels and keys', () => {
  it('turns any text into a label value and leaves alone what is one', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: 'binary' }), text => {
        expect(isLabelValue(labelValue(text))).toBe(true)
        if (isLabelValue(text)) expect(labelValue(text)).toBe(text)
      }),
    )
    expect(labelValue('a b')).not.toBe(labelValue('a/b'))
  })

  it.each([
    ['team', true],
    ['example.com/team', true],
    ['example.com/', false],
    ['/team', false],
    ['a/b/c', false],
    ['Example.com/x', false],
    ['-team', false],
    [`${'a'.repeat(64)}`, false],
  ])('judges the key %s', (key, valid) => {
    expect(isQualifiedName(key)).toBe(valid)
  })

  it('judges subdomains', () => {
    expect([isSubdomain('a.b-c'), isSubdomain('a..b'), isSubdomain('A'), isSubdomain('a'.repeat(254))]).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

describe('namespaceNameProblem', () => {
  it('accepts a DNS label', () => {
    expect(namespaceNameProblem('shop-pr-42')).toBeUndefined()
    expect(namespaceNameProblem('a'.repeat(63))).toBeUndefined()
  })

  it('names the limit and the length of a long one', () => {
    expect(namespaceNameProblem('a'.repeat(64))).toMatch(/at most 63 characters.*got 64/)
  })

  it.each(['', 'Shop', 'a.b', '-a', 'a-', 'a b', 'a\nb', 'kube-system', 'kube-x', 'default'])('refuses %j', name => {
    expect(namespaceNameProblem(name)).toMatch(/^expected/)
  })
})
