import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parallel } from '../../util/parallel.ts'
import { EngineError, throwAll, within } from '../errors.ts'
import { type ChartVersion, showVersion } from '../helm/chart.ts'
import { latestVersion } from '../helm/latest.ts'
import type { ChartPuller } from '../helm/pull.ts'
import { type ChartReleases, findReleases, type Release } from '../helm/releases.ts'
import { replaceFile } from '../helm/replace-file.ts'
import { withVersion } from '../helm/set-version.ts'
import { Worktree } from '../helm/worktree.ts'
import type { EngineHost } from '../host.ts'
import { helmPull } from './helm-pull.ts'

const queriesAtOnce = 8

/** What is done about newer versions besides telling of them. */
export interface HelmUpdateOptions {
  /** Write them into `helm-chart.yaml` and pull them. */
  readonly upgrade?: boolean | undefined
  /** Commit each. */
  readonly commit?: boolean | undefined
  /** Asks before each upgrade. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined
}

interface Upgrade {
  readonly chart: string
  readonly from: string
  readonly to: string
  readonly files: string[]
}

/** Looks for newer versions of the charts of a project, within their `updateConstraints`. @throws EngineErrors */
export async function helmUpdate(
  host: Pick<EngineHost, 'progress' | 'environment'>,
  puller: ChartPuller,
  projectDir: string,
  options: HelmUpdateOptions,
  signal: AbortSignal,
): Promise<void> {
  const charts = await findReleases(projectDir, 'helm-update')
  const worktree = new Worktree(projectDir, host.environment, signal)
  if (options.commit === true) {
    await worktree.checkClean()
    if ((await helmPull(host, puller, projectDir, { dryRun: true }, signal)) > 0) {
      throw new EngineError('.helm-charts is not up-to-date. Please run helm-pull before')
    }
  }
  const versions = await queryVersions(host, puller, charts, signal)
  const upgrades = new Map<string, Upgrade>()
  for (const [index, { releases }] of charts.entries()) {
    for (const release of releases) {
      const latest = await upgradeOf(release, versions[index] ?? [], host, options)
      if (latest === undefined) continue
      await replaceFile(release.file, withVersion(await readFile(release.file, 'utf8'), latest))
      host.progress.info(`${release.folder}: Updated Chart version to ${showVersion(latest)}`)
      const [from, to] = [showVersion(release.version), showVersion(latest)]
      const key = JSON.stringify([index, from, to])
      const upgrade = upgrades.get(key) ?? { chart: release.chart.name, from, to, files: [] }
      upgrade.files.push(release.file)
      upgrades.set(key, upgrade)
    }
  }
  for (const upgrade of upgrades.values()) {
    await carryOut(upgrade, { host, puller, projectDir, worktree, commit: options.commit === true, signal })
  }
}

async function queryVersions(
  { progress }: Pick<EngineHost, 'progress'>,
  puller: ChartPuller,
  charts: readonly ChartReleases[],
  signal: AbortSignal,
): Promise<ChartVersion[][]> {
  const errors: unknown[] = []
  const versions = await parallel(charts, queriesAtOnce, async ({ chart }) => {
    const end = progress.start(`${chart.name}: Querying versions`)
    try {
      const found = await puller.versions(chart, signal)
      end('done')
      return found
    } catch (error) {
      end('failed')
      signal.throwIfAborted()
      errors.push(within(chart.name, error))
      return []
    }
  })
  throwAll(errors)
  return versions
}

/** The version to upgrade a release to, after telling of it; undefined to leave it. */
async function upgradeOf(
  { chart, config, folder, version }: Release,
  versions: readonly ChartVersion[],
  { progress }: Pick<EngineHost, 'progress'>,
  { upgrade, confirm }: HelmUpdateOptions,
): Promise<ChartVersion | undefined> {
  // A branch, a commit or no ref at all has no newer version.
  if (chart.source.kind === 'git' && !version.ref?.tag) return undefined
  let latest: ChartVersion
  try {
    latest = latestVersion(versions, config.updateConstraints)
  } catch (error) {
    throw within(`${folder}: ${chart.name}`, error)
  }
  const [from, to] = [showVersion(version), showVersion(latest)]
  if (from === to) return undefined
  if (config.skipUpdate === true) {
    progress.info(`${folder}: Skipped update to version ${to}`)
    return undefined
  }
  progress.info(`${folder}: Chart ${chart.name} (old version ${from}) has new version ${to} available`)
  if (upgrade !== true) return undefined
  const question = `${folder}: Do you want to upgrade Chart ${chart.name} to version ${to}?`
  return confirm === undefined || (await confirm(question)) ? latest : undefined
}

interface Work {
  readonly host: Pick<EngineHost, 'progress'>
  readonly puller: ChartPuller
  readonly projectDir: string
  readonly worktree: Worktree
  readonly commit: boolean
  readonly signal: AbortSignal
}

async function carryOut(
  { chart, from, to, files }: Upgrade,
  { host, puller, projectDir, worktree, commit, signal }: Work,
): Promise<void> {
  const end = host.progress.start(`Upgrading Chart ${chart} from version ${from} to ${to}`)
  try {
    await helmPull(host, puller, projectDir, {}, signal)
    if (commit) {
      const message = `Updated helm chart ${chart} from version ${from} to version ${to}`
      await worktree.commit([...files, join(projectDir, '.helm-charts')], message)
      host.progress.info(`Committed helm chart ${chart} with version ${to}`)
    }
    end('done')
  } catch (error) {
    end('failed')
    throw error
  }
}
