import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, posix, relative, sep } from 'node:path'
import type { KubeClient } from '../../kube/client.ts'
import type { Tool, Tools } from '../binaries/index.ts'
import { ContentCache, ContentKey } from '../cache/content.ts'
import { secureJoin } from '../deployment/secure-join.ts'
import { EngineError, RefusedError, throwAll, within } from '../errors.ts'
import type { GitAccess, Policy, Progress } from '../host.ts'
import type { HelmCharts, RenderedItem, Sops } from '../item.ts'
import { kustomizationFile } from '../kustomize/kustomization.ts'
import { compareBytes } from '../values.ts'
import { readYamlObject } from '../yaml.ts'
import { type Chart, chartOf, isPullable, showVersion, versionOf } from './chart.ts'
import { readChartFiles, usesOf } from './chart-files.ts'
import { Cluster } from './cluster.ts'
import { eitherExtension, exists, type HelmChartConfig, outputOf, readHelmChart } from './config.ts'
import { manifestsOf } from './output.ts'
import type { ChartPuller } from './pull.ts'
import { findChartsFolder, prePulled } from './pulled.ts'
import { remembered, rememberedLookups } from './remembered.ts'
import { helmTemplate, type TemplateRun, templateArgs } from './template.ts'

/** What rendering charts needs of the world. */
export interface HelmOptions {
  readonly tools: Pick<Tools, 'get'>
  readonly puller: Pick<ChartPuller, 'cached'>
  readonly git: GitAccess
  readonly sops: Sops
  readonly policy: Policy
  readonly progress: Progress
  readonly cacheFolder: string
  /** The target's cluster; undefined offline. */
  readonly cluster?: KubeClient | undefined
  /** For `--kube-version`; default: the cluster's, or that of the client library kluctl is built with. */
  readonly kubernetesVersion?: string | undefined
  /** `PATH` for Helm. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Renders charts as kluctl does, with the real Helm. */
export function createHelm(options: HelmOptions): HelmCharts {
  return new Charts(options)
}

class Charts implements HelmCharts {
  readonly #options: HelmOptions
  readonly #cache: ContentCache
  readonly #cluster: Cluster

  constructor(options: HelmOptions) {
    this.#options = options
    this.#cache = new ContentCache(options.cacheFolder, 'helm')
    this.#cluster = new Cluster(options.cluster, options.kubernetesVersion)
  }

  async render(item: RenderedItem, signal: AbortSignal): Promise<void> {
    const errors: unknown[] = []
    for (const file of await chartFilesBelow(item.renderedFolder)) {
      await this.#renderOne(item, file, signal).catch(error => errors.push(error))
      signal.throwIfAborted()
    }
    throwAll(errors)
  }

  async outputPath(folder: string): Promise<string> {
    const file = await eitherExtension(folder, 'helm-chart.yaml')
    return outputOf(await readHelmChart(file, posix.basename(file)))
  }

  async #renderOne(item: RenderedItem, file: string, signal: AbortSignal): Promise<void> {
    const folder = posix.dirname(file)
    const renderedFolder = join(item.renderedFolder, folder)
    const config = await readHelmChart(join(item.renderedFolder, file), posix.join(item.path, file))
    const project = join(item.source.root, item.path, folder)
    const chart = await chartOf(config, project, item.source.root).catch(error => {
      throw within(posix.join(item.path, file), error)
    })
    await checkKustomization(renderedFolder, posix.join(item.renderedPath, folder), outputOf(config))
    try {
      const text = await this.#manifests(item, config, chart, renderedFolder, signal)
      await writeFile(await secureJoin(renderedFolder, outputOf(config)), text, { mode: 0o600 })
    } catch (error) {
      signal.throwIfAborted()
      throw within(`rendering helm chart ${chart.name} for release ${config.releaseName} has failed`, error)
    }
  }

  async #manifests(
    item: RenderedItem,
    config: HelmChartConfig,
    chart: Chart,
    renderedFolder: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { tools, environment } = this.#options
    const [tool, found] = await Promise.all([tools.get('helm', signal), this.#chartFolder(item, config, chart, signal)])
    const files = await readChartFiles(found.folder, found.root)
    await this.#warnOfDeprecation(found.folder, chart)
    const values = await this.#values(renderedFolder, signal)
    const uses = usesOf(files, values)
    const { kubeVersion, apiVersions } = await this.#cluster.capabilities(signal)
    const run: TemplateRun = {
      folder: found.folder,
      files,
      releaseName: config.releaseName,
      namespace: config.namespace ?? 'default',
      skipCRDs: config.skipCRDs === true,
      values,
      kubeVersion,
      apiVersions,
    }
    const render = async (more: Partial<TemplateRun> = {}) => {
      const printed = await helmTemplate(tool, { ...run, ...more }, environment.PATH ?? '', signal)
      return manifestsOf(printed, config.namespace)
    }
    const rendering = { key: () => keyOf(tool, run, config, files), chance: uses.chance }
    const { client } = this.#cluster
    if (!uses.cluster || client === undefined) {
      return uses.time ? render() : remembered(this.#cache, rendering, render)
    }
    const lookUp = () =>
      this.#cluster.withReader(async reader => {
        const text = await render({ kubeconfig: reader.kubeconfig })
        return { text, lookups: reader.lookups }
      }, signal)
    if (uses.time) return (await lookUp()).text
    return rememberedLookups(this.#cache, rendering, client, signal, lookUp)
  }

  async #chartFolder(
    item: RenderedItem,
    config: HelmChartConfig,
    chart: Chart,
    signal: AbortSignal,
  ): Promise<{ folder: string; root: string }> {
    const { puller, git, policy, progress } = this.#options
    if (!isPullable(chart)) return { folder: (chart.source as { folder: string }).folder, root: item.source.root }
    const version = versionOf(config)
    if (config.skipPrePull !== true) {
      const base = await findChartsFolder(item)
      return { folder: await prePulled(chart, version, base, git, signal), root: item.source.root }
    }
    if (!policy.allowsUrl(chart.source.url)) throw new RefusedError(`${chart.source.url} may not be asked for`)
    const end = progress.start(`Pulling Helm Chart ${chart.name} with version ${showVersion(version)}`)
    try {
      const folder = await puller.cached(chart, version, signal)
      end('done')
      return { folder, root: folder }
    } catch (error) {
      end('failed')
      throw error
    }
  }

  async #values(folder: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const file = await eitherExtension(folder, 'helm-values.yml')
    if (!(await exists(file))) return undefined
    const content = await readFile(file)
    return (await this.#options.sops.decrypt(content, file, signal)) ?? content
  }

  async #warnOfDeprecation(folder: string, chart: Chart): Promise<void> {
    const file = await eitherExtension(folder, 'Chart.yaml')
    if (!(await exists(file))) throw new EngineError('Chart.yaml file is missing')
    const metadata = await readFile(file, 'utf8')
    if (!/^deprecated:/m.test(metadata)) return
    if (readYamlObject(metadata).deprecated === true) {
      this.#options.progress.warn(`Chart ${chart.name} is deprecated`)
    }
  }
}

function keyOf(tool: Tool, run: TemplateRun, config: HelmChartConfig, files: ReadonlyMap<string, Buffer>): ContentKey {
  const key = new ContentKey().add('helm-1').add(tool.identity).add(run.releaseName)
  key.add(config.namespace === undefined ? '-' : `=${config.namespace}`)
  for (const arg of templateArgs(tool, run)) key.add(arg)
  key.add('values').add(run.values ?? '')
  for (const [path, content] of files) key.add(path).add(content)
  return key
}

/** Paths of all `helm-chart.yaml` files, in the order of Go's `Walk`. */
async function chartFilesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => !entry.isDirectory() && /^helm-chart\.ya?ml$/i.test(entry.name))
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort(compareBytes)
}

async function checkKustomization(folder: string, shown: string, output: string): Promise<void> {
  const file = await kustomizationFile(folder)
  if (file === undefined) return
  let resources: unknown
  try {
    resources = readYamlObject(await readFile(file, 'utf8')).resources
  } catch {
    // Whoever builds the kustomization says what is wrong with it.
    return
  }
  if (Array.isArray(resources) && resources.includes(output)) return
  throw new EngineError(`${shown}/kustomization.yaml does not include the rendered helm chart: ${output}`)
}
