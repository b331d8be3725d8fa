import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compareVersions, runTool, type Tool, ToolError, toolEnvironment } from '../binaries/index.ts'
import { text } from '../item.ts'
import { isObject } from '../values.ts'
import { readYamlObject, writeYaml } from '../yaml.ts'
import type { ChartFiles } from './chart-files.ts'
import { chartWith, withoutNilDefaults } from './nil-defaults.ts'

/** One `helm template`. */
export interface TemplateRun {
  readonly folder: string
  readonly files: ChartFiles
  readonly releaseName: string
  readonly namespace: string
  readonly skipCRDs: boolean
  /** Content of the values file; none without one. */
  readonly values: Uint8Array | undefined
  readonly kubeVersion: string
  /** Of the cluster; Helm adds them to those it knows. */
  readonly apiVersions: readonly string[]
  /** Lets templates look objects up. */
  readonly kubeconfig?: string | undefined
}

/** API versions that kluctl's Helm (4.2.2, client-go 0.36) knows and older ones do not. */
const addedIn42 = ['scheduling.k8s.io/v1alpha2']

/** The arguments of a run; everything the output depends on besides chart and values. */
export function templateArgs(tool: Tool, run: TemplateRun): string[] {
  const apis = compareVersions(tool.version, [4, 2, 0]) < 0 ? [...addedIn42, ...run.apiVersions] : run.apiVersions
  // Without it (Helm 3.17 and later) Helm refuses charts whose objects are there already, and are not Helm's.
  const adopt = compareVersions(tool.version, [3, 17, 0]) < 0 ? [] : ['--take-ownership']
  const target =
    run.kubeconfig === undefined
      ? [`--kube-version=${run.kubeVersion}`, ...apis.map(api => `--api-versions=${api}`)]
      : ['--dry-run=server', `--kubeconfig=${run.kubeconfig}`, ...adopt]
  return [
    'template',
    `--namespace=${run.namespace}`,
    run.skipCRDs ? '--skip-crds' : '--include-crds',
    ...target,
    ...(run.values === undefined ? [] : ['--values=-']),
  ]
}

/**
 * Renders a chart with the real Helm: no plugins, no configuration of the user, values over standard input.
 * @throws ToolError in Helm's words
 */
export async function helmTemplate(tool: Tool, run: TemplateRun, path: string, signal: AbortSignal): Promise<string> {
  const render = async (folder: string) => {
    const args = [...templateArgs(tool, run), '--', run.releaseName, folder]
    const env = { ...toolEnvironment({}), PATH: path, HELM_NO_PLUGINS: '1', ...homes(tmpdir()) }
    return (await runTool(tool.path, args, { env, input: run.values, signal })).stdout
  }
  const older = compareVersions(tool.version, [4, 2, 0]) < 0
  const values = older ? withoutNilDefaults(run.files, run.values) : new Map<string, string>()
  await using chart = values.size === 0 ? undefined : await chartWith(run.folder, run.files, values)
  const folder = chart?.folder ?? run.folder
  try {
    return await render(folder)
  } catch (error) {
    const missing = missingDependencies(error)
    if (missing.length === 0) throw error
    const metadata = withoutDependencies(run.files, missing)
    await using copy = await chartWith(run.folder, run.files, new Map([...values, ...metadata]))
    return await render(copy.folder)
  }
}

/** Helm writes nothing while rendering; these only keep it from reading the user's own settings. */
function homes(folder: string): Record<string, string> {
  const nowhere = join(folder, 'offshoot-no-helm-home')
  return { HOME: nowhere, HELM_CONFIG_HOME: nowhere, HELM_DATA_HOME: nowhere, HELM_CACHE_HOME: nowhere }
}

/** kluctl renders without dependencies that are not there; the command line of Helm refuses, naming them. */
function missingDependencies(error: unknown): string[] {
  if (!(error instanceof ToolError)) return []
  const found = /found in Chart\.yaml, but missing in charts\/ directory: ([^\n]*)/.exec(error.message)
  return found?.[1]?.split(',').map(name => name.trim()) ?? []
}

/** The chart's metadata without some dependencies, by the file it stands in. */
function withoutDependencies(files: ChartFiles, missing: readonly string[]): Map<string, string> {
  const metadata = readYamlObject(files.get('Chart.yaml')?.toString('utf8') ?? '')
  const { dependencies } = metadata
  if (Array.isArray(dependencies)) {
    metadata.dependencies = dependencies.filter(it => !isObject(it) || !missing.includes(text(it.name)))
  }
  return new Map([['Chart.yaml', writeYaml(metadata)]])
}
