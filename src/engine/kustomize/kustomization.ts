import { lstat, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, posix } from 'node:path'
import { EngineError, within } from '../errors.ts'
import type { HelmCharts, RenderedItem } from '../item.ts'
import { compareBytes, emptyObject, isObject, type JsonObject } from '../values.ts'
import { readYamlObject, writeYaml } from '../yaml.ts'

const trueWords = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

/** An item's kustomization as it is built. */
export interface Kustomization {
  readonly content: JsonObject
  readonly barrier: boolean
  readonly waitReadiness: boolean
}

/**
 * Reads the item's `kustomization.yml` (or `.yaml`) or makes one of its files, sets the namespace that overrides, and
 * writes it back, as kluctl does.
 * @throws EngineError
 */
export async function prepareKustomization(
  item: RenderedItem,
  helm: Pick<HelmCharts, 'outputPath'>,
): Promise<Kustomization> {
  const file = await kustomizationFile(item.renderedFolder)
  const existing = file === undefined ? undefined : await read(file)
  if (existing !== undefined && item.recursive) {
    throw new EngineError(`recursive: true cannot be used when a kustomization.yaml/yml already exists in ${item.path}`)
  }
  const content = existing ?? (await generate(item, helm))
  if (item.overrideNamespace !== undefined && !('namespace' in content)) content.namespace = item.overrideNamespace
  const namespace = content.namespace
  if (namespace !== undefined && typeof namespace !== 'string' && item.overrideNamespace !== undefined) {
    throw new EngineError(`${item.path}/kustomization.yml: namespace is not a string`)
  }
  await writeFile(file ?? join(item.renderedFolder, 'kustomization.yml'), writeYaml(content), { mode: 0o600 })
  return {
    content,
    barrier: annotation(content, 'kluctl.io/barrier'),
    waitReadiness: annotation(content, 'kluctl.io/wait-readiness'),
  }
}

/** The folder's `kustomization.yml` or, without one, its `kustomization.yaml`. */
export async function kustomizationFile(folder: string): Promise<string | undefined> {
  for (const name of ['kustomization.yml', 'kustomization.yaml']) {
    const file = join(folder, name)
    const info = await lstat(file).catch(() => undefined)
    if (info?.isFile()) return file
  }
  return undefined
}

async function read(file: string): Promise<JsonObject> {
  try {
    return readYamlObject(await readFile(file, 'utf8'))
  } catch (error) {
    throw within(basename(file), error)
  }
}

async function generate(item: RenderedItem, helm: Pick<HelmCharts, 'outputPath'>): Promise<JsonObject> {
  const files = item.recursive ? await allFiles(item.renderedFolder, '') : await ownFiles(item.renderedFolder)
  const resources = new Set<string>()
  for (const file of files) {
    const resource = await resourceOf(file, item, helm)
    if (resource !== undefined) resources.add(posix.normalize(resource))
  }
  const content = emptyObject()
  content.resources = [...resources]
  return content
}

/** What a file adds to the generated resources: itself, the output of the chart that it names, or nothing. */
async function resourceOf(
  file: string,
  item: RenderedItem,
  helm: Pick<HelmCharts, 'outputPath'>,
): Promise<string | undefined> {
  const name = basename(file).toLowerCase()
  if (/^helm-values\.ya?ml$/.test(name)) return undefined
  if (/^helm-chart\.ya?ml$/.test(name)) {
    const folder = join(item.renderedFolder, dirname(file))
    const output = await helm.outputPath(folder)
    const info = await lstat(join(folder, output)).catch(() => undefined)
    // A rendered output is a file like any other and is listed at its own place.
    return info?.isFile() ? undefined : posix.join(dirname(file), output)
  }
  return /\.ya?ml$/i.test(name) ? file : undefined
}

async function ownFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter(entry => !entry.isDirectory())
    .map(entry => entry.name)
    .sort(compareBytes)
}

/** All files below, in the order of Go's `WalkDir`: the entries of each folder by name, a folder's own in its place. */
async function allFiles(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  const files: string[] = []
  for (const entry of entries.sort((a, b) => compareBytes(a.name, b.name))) {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) files.push(...(await allFiles(root, path)))
    else if (/^kustomization\.ya?ml$/.test(entry.name)) {
      throw new EngineError(
        `recursive: true cannot be used when a nested kustomization.yaml/yml already exists in ${path}`,
      )
    } else files.push(path)
  }
  return files
}

function annotation(content: JsonObject, name: string): boolean {
  const { metadata } = content
  const annotations = isObject(metadata) ? metadata.annotations : undefined
  const value = isObject(annotations) ? annotations[name] : undefined
  return typeof value === 'string' && trueWords.has(value)
}
