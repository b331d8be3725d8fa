/** A semantic version; missing minor and patch are zero, a leading `v` is accepted (github.com/Masterminds/semver). */
export interface Semver {
  readonly major: number
  readonly minor: number
  readonly patch: number
  /** Empty for a release. */
  readonly pre: string
}

const pattern = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/

/** The version of a text, or undefined when it is none. */
export function parseSemver(text: string): Semver | undefined {
  const found = pattern.exec(text)
  if (found === null) return undefined
  const [, major = '0', minor = '0', patch = '0', pre = ''] = found
  return { major: Number(major), minor: Number(minor), patch: Number(patch), pre }
}

/** Negative, zero or positive by semver.org's precedence. */
export function compareSemver(a: Semver, b: Semver): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePre(a.pre, b.pre)
}

function comparePre(a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? 1 : -1
  const left = a.split('.')
  const right = b.split('.')
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compareIdentifier(left[index], right[index])
    if (order !== 0) return order
  }
  return 0
}

function compareIdentifier(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const [numberA, numberB] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (numberA && numberB) return Number(a) - Number(b)
  if (numberA !== numberB) return numberA ? -1 : 1
  return a < b ? -1 : 1
}
