import { EngineError } from '../errors.ts'
import { compareSemver, parseSemver, type Semver } from './semver.ts'

/** One comparison; which parts of its version were left out or written as `x`. */
interface Comparison {
  readonly operator: string
  readonly version: Semver
  readonly anyMinor: boolean
  readonly anyPatch: boolean
  readonly loose: boolean
}

const part = '(?:[0-9]+|[xX*])'
const versionText = `v?(${part})(?:\\.(${part}))?(?:\\.(${part}))?(-[0-9A-Za-z.-]+)?(?:\\+[0-9A-Za-z.-]+)?`
const comparison = new RegExp(`^(=>|=<|>=|<=|!=|~>|[=<>~^])?\\s*${versionText}`)
const hyphenated = new RegExp(`\\s*(${versionText})\\s+-\\s+(${versionText})\\s*`, 'g')

/**
 * A test of versions by constraints as github.com/Masterminds/semver reads them: `~1.2`, `^1.2.3`, `>=1, <2 || 3.x`,
 * `1.2 - 2.3.4`. Pre-releases pass only where a constraint of the same group names one.
 * @throws EngineError
 */
export function parseConstraints(text: string): (version: Semver) => boolean {
  const groups = text.split('||').map(group => parseGroup(group, text))
  return version =>
    groups.some(group => {
      if (version.pre !== '' && !group.some(({ version: { pre } }) => pre !== '')) return false
      return group.every(one => passes(one, version))
    })
}

function parseGroup(group: string, whole: string): Comparison[] {
  let rest = group.replaceAll(hyphenated, (range: string) => {
    const [from = '', to = ''] = range.trim().split(/\s+-\s+/)
    return ` >=${from} <=${to} `
  })
  const found: Comparison[] = []
  for (rest = rest.trim(); rest !== ''; rest = rest.replace(/^[\s,]+/, '')) {
    const match = comparison.exec(rest)
    if (match === null) throw new EngineError(`invalid constraints '${whole}': improper constraint: ${group.trim()}`)
    found.push(toComparison(match))
    rest = rest.slice(match[0].length)
    if (rest !== '' && !/^[\s,]/.test(rest)) {
      throw new EngineError(`invalid constraints '${whole}': improper constraint: ${group.trim()}`)
    }
  }
  if (found.length === 0) throw new EngineError(`invalid constraints '${whole}': improper constraint: ${group.trim()}`)
  return found
}

function toComparison([, operator = '', major = '', minor, patch, pre = '']: RegExpExecArray): Comparison {
  const isAny = (text: string | undefined) => text === undefined || /^[xX*]$/.test(text)
  const anyMajor = isAny(major)
  const anyMinor = !anyMajor && isAny(minor)
  const anyPatch = !anyMajor && (anyMinor || isAny(patch))
  const number = (text: string | undefined, any: boolean) => (any ? '0' : (text ?? '0'))
  const version = `${number(major, anyMajor)}.${number(minor, anyMajor || anyMinor)}.${number(patch, anyMajor || anyPatch)}`
  const parsed = parseSemver(version + pre)
  if (parsed === undefined) throw new EngineError(`invalid version ${version}${pre}`)
  return { operator, version: parsed, anyMinor, anyPatch, loose: anyMajor || anyMinor || anyPatch }
}

function passes(one: Comparison, version: Semver): boolean {
  const order = compareSemver(version, one.version)
  switch (one.operator) {
    case '>':
      return one.loose ? isAbove(one, version) : order > 0
    case '<':
      return order < 0
    case '>=':
    case '=>':
      return order >= 0
    case '<=':
    case '=<':
      return one.loose ? !isAbove(one, version) : order <= 0
    case '!=':
      return one.loose ? !isWithin(one, version) : order !== 0
    case '^':
      return order >= 0 && isCompatible(one, version)
    case '~':
    case '~>':
      return order >= 0 && isWithin(one, version)
    default:
      return one.loose ? order >= 0 && isWithin(one, version) : order === 0
  }
}

/** `~`: the same major and, unless left out, minor version; `~0.0.0` and `*` are any. */
function isWithin({ version: own, anyMinor, anyPatch }: Comparison, version: Semver): boolean {
  if (own.major === 0 && own.minor === 0 && own.patch === 0 && !anyMinor && !anyPatch) return true
  return version.major === own.major && (anyMinor || version.minor === own.minor)
}

/** Beyond all versions that a version with parts left out stands for. */
function isAbove({ version: own, anyMinor, anyPatch }: Comparison, version: Semver): boolean {
  if (version.major !== own.major) return version.major > own.major
  if (anyMinor) return false
  return anyPatch ? version.minor > own.minor : compareSemver(version, own) > 0
}

/** `^`: nothing changed left of (and at) the first part that is not zero. */
function isCompatible({ version: own, anyMinor, anyPatch }: Comparison, version: Semver): boolean {
  if (own.major > 0 || anyMinor) return version.major === own.major
  if (version.major > 0) return false
  if (own.minor > 0 || anyPatch) return version.minor === own.minor
  return version.minor === 0 && version.patch === own.patch
}
