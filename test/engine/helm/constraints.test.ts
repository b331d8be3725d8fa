import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseConstraints } from '../../../src/engine/helm/constraints.ts'
import { latestVersion } from '../../../src/engine/helm/latest.ts'
import { compareSemver, parseSemver } from '../../../src/engine/helm/semver.ts'

/** From the table of github.com/Masterminds/semver's README: constraint, versions in it, versions not in it. */
const table: [string, string[], string[]][] = [
  ['~1.2.3', ['1.2.3', '1.2.9'], ['1.2.2', '1.3.0', '1.2.4-rc.1']],
  ['~1', ['1.0.0', '1.9.9'], ['2.0.0', '0.9.0']],
  ['~2.3', ['2.3.0', '2.3.9'], ['2.4.0', '2.2.9']],
  ['~1.x', ['1.0.0', '1.5.0'], ['2.0.0']],
  ['^1.2.3', ['1.2.3', '1.9.0'], ['1.2.2', '2.0.0']],
  ['^0.2.3', ['0.2.3', '0.2.9'], ['0.3.0', '0.2.2', '1.2.3']],
  ['^0.0.3', ['0.0.3'], ['0.0.4', '0.1.0']],
  ['^0.0', ['0.0.0', '0.0.9'], ['0.1.0']],
  ['^0', ['0.0.0', '0.9.0'], ['1.0.0']],
  ['1.2 - 1.4.5', ['1.2.0', '1.4.5'], ['1.1.9', '1.4.6']],
  ['1.2.x', ['1.2.0', '1.2.9'], ['1.3.0']],
  ['>= 1.2.x', ['1.2.0', '1.5.0'], ['1.1.0']],
  ['<= 2.x', ['2.9.0', '1.0.0'], ['3.0.0']],
  ['> 11', ['12.0.0'], ['11.5.0', '11.0.0']],
  ['*', ['0.0.1', '7.0.0'], ['1.0.0-rc.1']],
  ['>=1.2, <3.0.0 || >=4.2.3', ['1.2.0', '2.9.9', '4.2.3'], ['3.0.0', '4.2.2']],
  ['>1.0 <2.0', ['1.1.0'], ['1.0.5', '2.0.0']],
  ['!=1.2.3', ['1.2.4'], ['1.2.3']],
  ['!=1.2.x', ['1.3.0'], ['1.2.9']],
  ['~1.2.3-0', ['1.2.3-rc.1', '1.2.5', '1.2.5-beta'], ['1.3.0-rc.1']],
  ['v1.0.0', ['1.0.0', 'v1.0.0'], ['1.0.1']],
]

test.each(table)('%s', (text, inside, outside) => {
  const allows = parseConstraints(text)
  const judge = (version: string) => allows(parseSemver(version) ?? { major: -1, minor: 0, patch: 0, pre: '' })
  expect(inside.filter(version => !judge(version))).toEqual([])
  expect(outside.filter(judge)).toEqual([])
})

test.each(['', 'abc', '1.2.3 foo', '>>1', '1.2.3.4.5'])('%j is refused', text => {
  expect(() => parseConstraints(text)).toThrow(/invalid constraints/)
})

test('versions are in one order, that of semver.org', () => {
  const ordered = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
  ]
  const parsed = ordered.map(text => parseSemver(text)).filter(it => it !== undefined)
  expect(parsed.toReversed().sort(compareSemver)).toEqual(parsed)
  const version = fc.record({
    major: fc.nat(2),
    minor: fc.nat(2),
    patch: fc.nat(2),
    pre: fc.constantFrom('', 'a', 'a.1', '1', '2.b'),
  })
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareSemver(a, b))).toBe(-Math.sign(compareSemver(b, a)) + 0)
      if (compareSemver(a, b) <= 0 && compareSemver(b, c) <= 0) expect(compareSemver(a, c)).toBeLessThanOrEqual(0)
    }),
  )
})

test('the latest version is no pre-release unless constraints name one', () => {
  const versions = ['1.0.0', '2.0.0-rc.1', 'nonsense', '1.9.0'].map(version => ({ version }))
  expect(latestVersion(versions, undefined)).toEqual({ version: '1.9.0' })
  expect(latestVersion(versions, '>=1-0')).toEqual({ version: '2.0.0-rc.1' })
  expect(() => latestVersion(versions, '~7')).toThrow("no version found that satisfies constraints '~7'")
})
