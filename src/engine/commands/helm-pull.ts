import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parallel } from '../../util/parallel.ts'
import { throwAll, within } from '../errors.ts'
import { type ChartVersion, chartFolder, type PullableChart, showVersion, versionFolder } from '../helm/chart.ts'
import { eitherExtension, exists } from '../helm/config.ts'
import type { ChartPuller } from '../helm/pull.ts'
import { findReleases, type Release, versionsOf } from '../helm/releases.ts'
import type { EngineHost } from '../host.ts'

/** Charts pulled at a time, as kluctl does. */
const pullsAtOnce = 8

/** What is done, and what is only counted. */
export interface HelmPullOptions {
  /** Count what would be pulled or removed. */
  readonly dryRun?: boolean
  /** Pull also what is there already. */
  readonly force?: boolean
}

/**
 * Pulls the charts of all `helm-chart.yaml` files of a project into its `.helm-charts`, and removes versions that
 * none of them names. Gives the number of charts pulled or removed. @throws EngineErrors
 */
export async function helmPull(
  host: Pick<EngineHost, 'progress'>,
  puller: ChartPuller,
  projectDir: string,
  options: HelmPullOptions,
  signal: AbortSignal,
): Promise<number> {
  const base = join(projectDir, '.helm-charts')
  const wanted: { chart: PullableChart; version: ChartVersion }[] = []
  let actions = 0
  for (const { chart, releases } of await findReleases(projectDir, 'helm-pull')) {
    const versions = versionsOf(releases.filter(isPrePulled))
    for (const folder of await unused(base, chart, versions)) {
      actions++
      if (options.dryRun === true) continue
      host.progress.info(`Removing unused Chart with version ${folder.version}`)
      await rm(folder.path, { recursive: true, force: true })
    }
    for (const version of versions) {
      const there = await exists(await eitherExtension(versionFolder(base, chart, version), 'Chart.yaml'))
      if (!there || options.force === true) wanted.push({ chart, version })
    }
  }
  actions += wanted.length
  if (options.dryRun === true) return actions
  const errors: unknown[] = []
  await parallel(wanted, pullsAtOnce, async ({ chart, version }) => {
    const end = host.progress.start(`${chart.name}: Pulling Chart with version ${showVersion(version)}`)
    try {
      await puller.intoProject(base, chart, version, signal)
      end('done')
    } catch (error) {
      end('failed')
      signal.throwIfAborted()
      errors.push(within(chart.name, error))
    }
  })
  throwAll(errors)
  return actions
}

function isPrePulled({ config }: Release): boolean {
  return config.skipPrePull !== true
}

/** Folders of a chart's other versions; of Git charts those of tags. Only what holds a chart is taken for one. */
async function unused(base: string, chart: PullableChart, versions: readonly ChartVersion[]) {
  const isGit = chart.source.kind === 'git'
  const parent = isGit ? join(chartFolder(base, chart), 'refs', 'tags') : chartFolder(base, chart)
  const used = new Set(versions.map(showVersion))
  const found: { path: string; version: string }[] = []
  for (const entry of await readdir(parent, { withFileTypes: true }).catch(none)) {
    const version = isGit ? `refs/tags/${entry.name}` : entry.name
    const path = join(parent, entry.name)
    if (!entry.isDirectory() || used.has(version)) continue
    if (await exists(await eitherExtension(path, 'Chart.yaml'))) found.push({ path, version })
  }
  return found
}

function none(error: unknown): [] {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  return []
}
