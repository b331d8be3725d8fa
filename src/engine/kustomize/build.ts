import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runTool, ToolError, type Tools, toolEnvironment } from '../binaries/index.ts'
import { ContentCache, ContentKey } from '../cache/content.ts'
import { EngineError, RefusedError } from '../errors.ts'
import type { Policy } from '../host.ts'
import {
  type BuiltItem,
  type HelmCharts,
  type Kustomize,
  type Manifest,
  type RenderedItem,
  type Sops,
  text,
} from '../item.ts'
import { compareBytes, isObject } from '../values.ts'
import { readYamlAll } from '../yaml.ts'
import { type Closure, closureOf, kustomizationNames } from './closure.ts'
import { prepareKustomization } from './kustomization.ts'
import { buildInProcess } from './shortcut.ts'

/** What building needs of the world. */
export interface KustomizeOptions {
  readonly tools: Pick<Tools, 'get'>
  readonly helm: Pick<HelmCharts, 'outputPath'>
  readonly sops: Sops
  readonly policy: Policy
  /** Of the process; a selection is passed on to Kustomize, which may start git. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cacheFolder: string
  /** False starts the real Kustomize for every item. */
  readonly shortcut?: boolean
}

/** Kustomize as kluctl uses it: legacy order off, files from anywhere in the rendered tree, no plugins but its own. */
export function createKustomize(options: KustomizeOptions): Kustomize {
  const cache = new ContentCache(options.cacheFolder, 'kustomize')
  return { build: (item, signal) => build(item, options, cache, signal) }
}

async function build(
  item: RenderedItem,
  options: KustomizeOptions,
  cache: ContentCache,
  signal: AbortSignal,
): Promise<BuiltItem> {
  const { content, barrier, waitReadiness } = await prepareKustomization(item, options.helm)
  const read = (file: string) => readDecrypted(file, options.sops, signal)
  const mayBeQuick = options.shortcut !== false && (await hasOneKustomization(item.renderedFolder))
  const quick = mayBeQuick ? await buildInProcess(item.renderedFolder, content, read) : undefined
  const objects = quick ?? (await buildForReal(item, options, cache, signal))
  for (const object of objects) checkName(object)
  return { objects, barrier, waitReadiness }
}

/** Kustomize refuses a folder with several. */
async function hasOneKustomization(folder: string): Promise<boolean> {
  const names = await readdir(folder)
  return names.filter(name => kustomizationNames.includes(name)).length === 1
}

/** A number as a name is kept by Kustomize, and refused by the API server and by kluctl. */
function checkName({ kind, metadata }: Manifest): void {
  const name = isObject(metadata) ? metadata.name : undefined
  if (name === undefined || typeof name === 'string') return
  throw new EngineError(`${text(kind)}: value at metadata.name is not a string: ${JSON.stringify(name)}`)
}

async function buildForReal(
  item: RenderedItem,
  { tools, sops, policy, environment }: KustomizeOptions,
  cache: ContentCache,
  signal: AbortSignal,
): Promise<Manifest[]> {
  const closure = await closureOf(item.renderedRoot, item.renderedFolder)
  for (const url of closure.remote) {
    if (!policy.allowsUrl(url)) throw new RefusedError(`${url} may not be asked for`)
  }
  const restrictor = restrictorFor(closure, policy)
  const plain = await decryptAll(closure, sops, signal)
  const tool = await tools.get('kustomize', signal)
  const cachable = plain === undefined && closure.remote.size === 0 && !closure.unknown
  const key = keyOf(item, closure).add(tool.identity)
  const known = cachable ? await cache.get(key) : undefined
  if (known !== undefined) return readObjects(known)
  await using place = plain === undefined ? undefined : await mirror(plain)
  const root = place?.folder ?? item.renderedRoot
  const args = [...tool.verb, '--load-restrictor', restrictor, '--reorder', 'none', item.renderedPath]
  const env = toolEnvironment(environment, { GIT_TERMINAL_PROMPT: '0' })
  const { stdout } = await runTool(tool.path, args, { env, cwd: root, signal }).catch(error => {
    throw error instanceof ToolError ? new EngineError(error.message.replaceAll(`${root}/`, '')) : error
  })
  if (cachable) await cache.put(key, stdout)
  return readObjects(stdout)
}

/**
 * kluctl lets Kustomize read files from anywhere. Of a project that nobody trusts it reads those outside of a
 * kustomization's folder only where every one of them is known before, and Kustomize itself keeps to the folder else.
 * @throws RefusedError when neither is possible
 */
function restrictorFor({ unknown, plugins, outside }: Closure, { outsideLinks }: Policy): string {
  if (outsideLinks) return 'LoadRestrictionsNone'
  if (unknown) throw new RefusedError('a kustomization, or a plugin of one, cannot be read, and is not built unread')
  if (!outside) return 'LoadRestrictionsRootOnly'
  if (!plugins) return 'LoadRestrictionsNone'
  throw new RefusedError(
    'generators, transformers and validators may not stand beside files from outside of the kustomization',
  )
}

/** The build's output depends on what stands here, on the program, and on nothing else. */
function keyOf(item: RenderedItem, { files, missing }: Closure): ContentKey {
  const key = new ContentKey().add('kustomize-1').add(item.renderedPath)
  for (const path of [...files.keys()].sort(compareBytes)) key.add(path).add(files.get(path) ?? '')
  for (const path of [...missing].sort(compareBytes)) key.add('missing').add(path)
  return key
}

function readObjects(output: string): Manifest[] {
  return readYamlAll(output).map(object => {
    if (!isObject(object)) throw new EngineError('kustomize printed something else than objects')
    return object
  })
}

async function readDecrypted(file: string, sops: Sops, signal: AbortSignal): Promise<Uint8Array> {
  const content = await readFile(file)
  return (await sops.decrypt(content, file, signal)) ?? content
}

/** All files with the encrypted ones decrypted, or undefined when none is encrypted. */
async function decryptAll(
  { files }: Closure,
  sops: Sops,
  signal: AbortSignal,
): Promise<Map<string, Uint8Array> | undefined> {
  const plain = new Map<string, Uint8Array>(files)
  let found = false
  for (const [path, content] of files) {
    const decrypted = await sops.decrypt(content, path, signal)
    if (decrypted === undefined) continue
    plain.set(path, decrypted)
    found = true
  }
  return found ? plain : undefined
}

/** The files in a folder of their own that nobody else can read; gone when disposed of. */
async function mirror(files: ReadonlyMap<string, Uint8Array>) {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-kustomize-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    for (const [path, content] of files) {
      const file = join(folder, path)
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeFile(file, content, { mode: 0o600 })
    }
  } catch (error) {
    await remove()
    throw error
  }
  return { folder, [Symbol.asyncDispose]: remove }
}
