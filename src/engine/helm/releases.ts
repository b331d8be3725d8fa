import { readdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { EngineError, throwAll } from '../errors.ts'
import { compareBytes } from '../values.ts'
import {
  type Chart,
  type ChartVersion,
  chartOf,
  isPullable,
  type PullableChart,
  showVersion,
  versionOf,
} from './chart.ts'
import { eitherExtension, exists, type HelmChartConfig, readHelmChart } from './config.ts'

/** A `helm-chart.yaml` of a project whose chart can be pulled. */
export interface Release {
  /** Absolute. */
  readonly file: string
  /** The folder of the file, relative to the project. */
  readonly folder: string
  readonly config: HelmChartConfig
  readonly chart: PullableChart
  readonly version: ChartVersion
}

/** A chart with all releases of it. */
export interface ChartReleases {
  readonly chart: PullableChart
  readonly releases: readonly Release[]
}

/**
 * All releases of a project, read without rendering; local charts are left out.
 * @throws EngineErrors with everything that is wrong in them
 */
export async function findReleases(projectDir: string, command: string): Promise<ChartReleases[]> {
  const roots = ['.kluctl.yaml', '.kluctl-library.yaml'].map(name => eitherExtension(projectDir, name))
  const isProject = (await Promise.all((await Promise.all(roots)).map(exists))).includes(true)
  if (!isProject) {
    throw new EngineError(
      `${command} can only be used on the root of a Kluctl project that must have a .kluctl.yaml or .kluctl-library.yaml file`,
    )
  }
  const errors: unknown[] = []
  const charts = new Map<string, { chart: PullableChart; releases: Release[] }>()
  for (const file of await chartFiles(projectDir)) {
    try {
      const release = await readRelease(projectDir, file)
      if (release === undefined) continue
      const key = JSON.stringify([release.chart.name, release.chart.source])
      const known = charts.get(key)
      if (known === undefined) charts.set(key, { chart: release.chart, releases: [release] })
      else known.releases.push(release)
    } catch (error) {
      errors.push(error)
    }
  }
  throwAll(errors)
  return [...charts.values()]
}

/** The different versions that the releases of a chart ask for. */
export function versionsOf(releases: readonly Release[]): ChartVersion[] {
  return [...new Map(releases.map(({ version }) => [showVersion(version), version])).values()]
}

async function readRelease(projectDir: string, file: string): Promise<Release | undefined> {
  const folder = relative(projectDir, dirname(file))
  const config = await readHelmChart(file, relative(projectDir, file))
  const chart: Chart = await chartOf(config, dirname(file), projectDir)
  return isPullable(chart) ? { file, folder: folder || '.', config, chart, version: versionOf(config) } : undefined
}

async function chartFiles(folder: string): Promise<string[]> {
  const files: string[] = []
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => compareBytes(a.name, b.name))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== '.git' && entry.name !== '.helm-charts') files.push(...(await chartFiles(path)))
    } else if (/^helm-chart\.ya?ml$/.test(entry.name)) files.push(path)
  }
  return files
}
