import { readFile } from 'node:fs/promises'
import { join, posix, relative, sep } from 'node:path'
import { EngineError } from '../errors.ts'
import type { GitRef } from '../host.ts'
import { readYamlObject } from '../yaml.ts'
import { eitherExtension, exists, type HelmChartConfig, isOci } from './config.ts'

/** Where a chart comes from. */
export type ChartSource =
  | { readonly kind: 'local'; readonly folder: string }
  | { readonly kind: 'repo' | 'oci'; readonly url: string }
  | { readonly kind: 'git'; readonly url: string; readonly subDir: string }

/** A chart without a version. */
export interface Chart {
  readonly name: string
  readonly source: ChartSource
}

/** A chart that can be pulled. */
export type PullableChart = Chart & { readonly source: Exclude<ChartSource, { kind: 'local' }> }

/** The version of a chart from a repository, or the ref of one from Git. */
export interface ChartVersion {
  readonly version?: string | undefined
  readonly ref?: GitRef | undefined
}

/**
 * The chart that a `helm-chart.yaml` names.
 * @param folder of the `helm-chart.yaml` in the project; local paths are relative to it
 * @param root local paths must stay inside of it
 */
export async function chartOf(config: HelmChartConfig, folder: string, root: string): Promise<Chart> {
  const { path, repo, git, chartName } = config
  if (path) return await localChart(join(folder, path), root)
  if (repo && isOci(repo)) return { name: lastPart(repo, 'invalid oci chart url'), source: { kind: 'oci', url: repo } }
  if (git !== undefined) {
    const subDir = git.subDir ?? ''
    const name = subDir === '' ? lastPart(gitPath(git.url), 'invalid git url') : lastPart(subDir, 'invalid git subDir')
    return { name, source: { kind: 'git', url: git.url, subDir } }
  }
  return { name: chartName ?? '', source: { kind: 'repo', url: repo ?? '' } }
}

/** Narrows to charts that can be pulled. */
export function isPullable(chart: Chart): chart is PullableChart {
  return chart.source.kind !== 'local'
}

/** The version that a `helm-chart.yaml` asks for. */
export function versionOf(config: HelmChartConfig): ChartVersion {
  return config.git === undefined ? { version: config.chartVersion } : { ref: config.git.ref }
}

/** How a version is written in messages and folder names: `1.2.3`, `refs/tags/v1`, `HEAD`. */
export function showVersion({ version, ref }: ChartVersion): string {
  if (version !== undefined) return version
  if (ref?.tag) return `refs/tags/${ref.tag}`
  return ref?.branch ? `refs/heads/${ref.branch}` : 'HEAD'
}

/**
 * The folder of all versions of a chart below `.helm-charts`: scheme, host and port, path, and the name for
 * repositories that hold several charts. @throws EngineError for a URL that leads elsewhere
 */
export function chartFolder(base: string, { name, source }: PullableChart): string {
  const folder = source.kind === 'git' ? gitFolder(source) : registryFolder(source.url, source.kind, name)
  const full = join(base, folder)
  const way = relative(base, full)
  if (way === '' || way === '..' || way.startsWith(`..${sep}`))
    throw new EngineError(`${source.url}: not a chart's URL`)
  return full
}

/** The folder of one version of a chart. */
export function versionFolder(base: string, chart: PullableChart, version: ChartVersion): string {
  const parent = chartFolder(base, chart)
  const folder = join(parent, showVersion(version))
  if (!folder.startsWith(parent + sep)) throw new EngineError(`${showVersion(version)}: not a chart's version`)
  return folder
}

function registryFolder(repo: string, kind: 'repo' | 'oci', name: string): string {
  const url = URL.parse(repo)
  const scheme = url?.protocol.slice(0, -1) ?? ''
  if (url === null || !(kind === 'oci' ? ['oci'] : ['http', 'https']).includes(scheme)) {
    throw new EngineError(`unsupported scheme in ${repo.replace(/\/\/[^/@]*@/, '//***@')}`)
  }
  const prefix = url.port === '' ? scheme : `${scheme}_${url.port}`
  const path = decodeURIComponent(url.pathname).toLowerCase()
  return join(`${prefix}_${url.hostname.toLowerCase()}`, path, kind === 'oci' ? '' : name)
}

function gitFolder({ url, subDir }: { url: string; subDir: string }): string {
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.*)$/.exec(url)
  const parsed = scp === null ? URL.parse(url) : URL.parse(`ssh://${scp[1]}/${scp[2]}`)
  if (parsed === null) throw new EngineError(`${url.replace(/\/\/[^/@]*@/, '//***@')}: not a repository's URL`)
  const scheme = parsed.protocol.slice(0, -1)
  const usual = { http: '80', https: '443', ssh: '22' }[scheme]
  const port = parsed.port === '' || parsed.port === usual ? '' : `_${parsed.port}`
  return join(`git_${scheme}${port}_${parsed.hostname.toLowerCase()}`, trimGit(parsed.pathname), subDir.toLowerCase())
}

function gitPath(url: string): string {
  const scp = /^(?:[^@/]+@)?[^:/]+:(?!\/\/)(.*)$/.exec(url)
  return trimGit(scp?.[1] ?? URL.parse(url)?.pathname ?? url)
}

function trimGit(path: string): string {
  const lower = path.toLowerCase()
  return (lower.endsWith('/.git') ? lower : lower.replace(/\.git$/, '')).replace(/\/$/, '')
}

function lastPart(path: string, complaint: string): string {
  const name = posix.basename(path)
  if (!/[a-zA-Z_-]/.test(name)) throw new EngineError(`${complaint}: ${path}`)
  return name
}

async function localChart(folder: string, root: string): Promise<Chart> {
  const way = relative(root, folder)
  if (way === '..' || way.startsWith(`..${sep}`)) {
    throw new EngineError(`path ${way} is not inside the project`)
  }
  const file = await eitherExtension(folder, 'Chart.yaml')
  if (!(await exists(file))) throw new EngineError(`no Helm chart in ${way === '' ? '.' : way}: Chart.yaml is missing`)
  const { name } = readYamlObject(await readFile(file, 'utf8'))
  if (typeof name !== 'string' || name === '') throw new EngineError('invalid/empty chart name')
  return { name, source: { kind: 'local', folder } }
}
