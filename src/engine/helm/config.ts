import { lstat, readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { z } from 'zod'
import { parseConfig } from '../project/parse.ts'
import { goBool, goString, requiredString, struct } from '../project/schema/go.ts'
import { gitProject } from '../project/schema/sources.ts'

const helmChart = struct({
  repo: goString.optional(),
  git: gitProject.optional(),
  path: goString.optional(),
  chartName: goString.optional(),
  chartVersion: goString.optional(),
  updateConstraints: goString.optional(),
  releaseName: requiredString,
  namespace: goString.optional(),
  output: goString.optional(),
  skipCRDs: goBool.optional(),
  skipUpdate: goBool.optional(),
  skipPrePull: goBool.optional(),
}).superRefine((chart, context) => {
  for (const [field, message] of mistakes(chart)) context.addIssue({ code: 'custom', path: [field], message })
})

/** `helm-chart.yaml`, as kluctl's documentation (deployments/helm.md) has it. */
export const helmChartFile = struct({ helmChart })

/** One release of a chart: where the chart comes from and how it is rendered. */
export type HelmChartConfig = z.output<typeof helmChart>

interface Fields {
  readonly repo?: string | undefined
  readonly git?: unknown
  readonly path?: string | undefined
  readonly chartName?: string | undefined
  readonly chartVersion?: string | undefined
  readonly updateConstraints?: string | undefined
}

function* mistakes(chart: Fields): Generator<[string, string]> {
  const sources = [chart.repo, chart.path, chart.git].filter(source => source !== undefined && source !== '')
  if (sources.length === 0) yield ['repo', 'either repo, path or git must be specified']
  else if (sources.length > 1) yield ['repo', 'only one of repo, path and git can be specified']
  else if (chart.repo) yield* repoMistakes(chart, chart.repo)
  else yield* ownMistakes(chart)
}

function* repoMistakes(chart: Fields, repo: string): Generator<[string, string]> {
  if (!chart.chartVersion) yield ['chartVersion', 'chartVersion must be specified when repo is specified']
  if (isOci(repo)) {
    if (chart.chartName) yield ['chartName', 'chartName can not be specified when repo is a OCI url']
  } else if (!chart.chartName) yield ['chartName', 'chartName must be specified when repo is normal Helm repo']
}

function* ownMistakes(chart: Fields): Generator<[string, string]> {
  const kind = chart.path ? 'local' : 'git'
  if (chart.chartName) yield ['chartName', `chartName can not be specified for ${kind} Helm charts`]
  if (chart.chartVersion !== undefined) {
    yield ['chartVersion', `chartVersion can not be specified for ${kind} Helm charts`]
  }
  if (chart.path && chart.updateConstraints !== undefined) {
    yield ['updateConstraints', 'updateConstraints can not be specified for local Helm charts']
  }
  if (chart.path && isAbsolute(chart.path)) yield ['path', 'absolute path is not allowed in helm-chart.yaml']
}

/** Whether a repository's URL is that of an OCI registry. */
export function isOci(repo: string): boolean {
  return repo.startsWith('oci://')
}

/**
 * Reads a folder's `helm-chart.yaml` (or `.yml`). @throws ConfigError with everything that is wrong
 * @param shown how messages name the file
 */
export async function readHelmChart(file: string, shown: string): Promise<HelmChartConfig> {
  return parseConfig(await readFile(file, 'utf8'), shown, helmChartFile).helmChart
}

/** The first of two names that exists in a folder, or the first name itself: `.yml` and `.yaml` are both accepted. */
export async function eitherExtension(folder: string, name: string): Promise<string> {
  const first = join(folder, name)
  const other = name.endsWith('.yml') ? first.replace(/\.yml$/, '.yaml') : first.replace(/\.yaml$/, '.yml')
  if (await exists(first)) return first
  return (await exists(other)) ? other : first
}

/** Whether anything stands at a path. */
export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** The file that a chart is rendered into, relative to its `helm-chart.yaml`. */
export function outputOf(chart: HelmChartConfig): string {
  return chart.output ?? 'helm-rendered.yaml'
}
