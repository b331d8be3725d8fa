import { EngineError } from '../errors.ts'
import type { ChartVersion } from './chart.ts'
import { parseConstraints } from './constraints.ts'
import { compareSemver, parseSemver, type Semver } from './semver.ts'

/**
 * The newest of the versions that the constraints allow; without constraints the newest that is no pre-release.
 * @throws EngineError when there is none
 */
export function latestVersion(versions: readonly ChartVersion[], constraints: string | undefined): ChartVersion {
  const allowed = constraints === undefined ? ({ pre }: Semver) => pre === '' : parseConstraints(constraints)
  let latest: { version: ChartVersion; semver: Semver } | undefined
  for (const version of versions) {
    const semver = parseSemver(version.version ?? version.ref?.tag ?? '')
    if (semver === undefined || !allowed(semver)) continue
    if (latest === undefined || compareSemver(semver, latest.semver) >= 0) latest = { version, semver }
  }
  if (latest !== undefined) return latest.version
  throw new EngineError(
    constraints === undefined ? 'no version found' : `no version found that satisfies constraints '${constraints}'`,
  )
}
