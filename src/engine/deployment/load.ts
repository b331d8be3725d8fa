import { readFile, realpath, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { EngineError, IncludeCycleError, RefusedError, within } from '../errors.ts'
import type { EngineHost } from '../host.ts'
import type { Source } from '../item.ts'
import { withDefaults } from '../project/args.ts'
import { withEitherEnding } from '../project/load.ts'
import { parseConfig } from '../project/parse.ts'
import { type DeploymentConfig, type DeploymentItemConfig, deploymentProject } from '../project/schema/deployment.ts'
import { type Argument, kluctlLibrary } from '../project/schema/project.ts'
import type { Templates } from '../templating/templates.ts'
import { clone, emptyObject, isEqual, isObject, type JsonObject, merge } from '../values.ts'
import type { VarsLoader } from '../vars/loader.ts'
import { secureJoin } from './secure-join.ts'
import { type DeploymentProject, searchPath } from './tree.ts'

/** What loading a deployment tree needs. */
export interface TreeContext {
  readonly host: EngineHost
  readonly templates: Templates
  readonly vars: VarsLoader
  readonly signal: AbortSignal
  /** The source of the files at a folder, with an id that is new in this run. */
  readonly source: (root: string) => Source
}

/** Projects inside each other; a chain that long ends only by being refused. */
const maxDepth = 100

/**
 * Loads the deployment tree below a folder of a source.
 * @throws EngineError with the chain of includes that led to the mistake
 */
export async function loadDeployment(
  context: TreeContext,
  source: Source,
  path: string,
  variables: JsonObject,
): Promise<DeploymentProject> {
  return loadNode(context, { source, path, given: variables, parent: undefined, includedBy: undefined })
}

type Node = Pick<DeploymentProject, 'source' | 'path' | 'given' | 'parent' | 'includedBy'>

async function loadNode(context: TreeContext, node: Node): Promise<DeploymentProject> {
  context.signal.throwIfAborted()
  const folder = await secureJoin(node.source.root, posix.normalize(node.path))
  if (!(await isFolder(folder))) throw new EngineError(`${folder} does not exist or is not a directory`)
  refuseCycles(node, folder)
  const bare = { ...node, folder }
  let project: DeploymentProject
  try {
    project = await loadConfig(context, bare)
  } catch (error) {
    throw within(`failed to load deployment config for ${folder}`, error)
  }
  if (node.parent === undefined && project.config.when !== '') {
    throw new EngineError("the root deployment project can not contain 'when'")
  }
  if (!context.templates.holds(project.config.when, project.variables)) return { ...project, enabled: false }
  try {
    await loadIncludes(context, project)
  } catch (error) {
    throw within(`failed to load includes for ${folder}`, error)
  }
  return project
}

/** A project that includes itself with the same variables does so for ever. */
function refuseCycles(node: Node, folder: string): void {
  const chain = [node.path]
  let cycle = false
  for (let at = node.parent; at !== undefined; at = at.parent) {
    chain.unshift(at.path)
    cycle ||= at.folder === folder && isEqual(at.given, node.given)
  }
  if (!cycle && chain.length <= maxDepth) return
  const shown = chain.length > 12 ? [...chain.slice(0, 6), '…', ...chain.slice(-5)] : chain
  throw new IncludeCycleError(`include cycle: ${shown.join(' -> ')}`)
}

async function loadConfig(context: TreeContext, node: Node & { folder: string }): Promise<DeploymentProject> {
  const file = await withEitherEnding(join(node.folder, 'deployment.yml'))
  const base = { ...node, enabled: true, includes: new Map<number, DeploymentProject>() }
  if (file === undefined) {
    if (node.parent === undefined) return { ...base, config: singleItem(), variables: node.given, loadedVars: [] }
    if ((await withEitherEnding(join(node.folder, 'kustomization.yml'))) !== undefined) {
      throw new EngineError(`deployment.yml not found but folder ${node.folder} contains a kustomization.yml`)
    }
    throw new EngineError(`${join(node.folder, 'deployment.yml')} not found`)
  }
  const folders = searchPath(node)
  const config = readDeploymentFile(context, file, node.given, folders)
  const { variables, loaded } = await loadVars(context, config, node.given, folders)
  await checkItemFolders(context, node, variables, config)
  return { ...base, config, variables, loadedVars: loaded }
}

async function loadVars(context: TreeContext, config: DeploymentConfig, variables: JsonObject, folders: string[]) {
  try {
    return await context.vars.load(config.vars, variables, folders)
  } catch (error) {
    throw within('failed to load deployment.yml vars', error)
  }
}

function readDeploymentFile(
  { templates }: TreeContext,
  file: string,
  variables: JsonObject,
  folders: readonly string[],
): DeploymentConfig {
  try {
    const found = templates.find(file, folders)
    if (found === undefined) throw new EngineError(`${file} cannot be read`)
    const text = templates.renderFile(found, variables, folders)
    const config = parseConfig(
      typeof text === 'string' ? text : Buffer.from(text).toString('utf8'),
      file,
      deploymentProject,
    )
    return { ...config, deployments: (config.deployments ?? []).map(withDefaultTag) }
  } catch (error) {
    throw within('failed to load deployment.yml', error)
  }
}

/** A root project without `deployment.yaml` is one item: the whole folder. */
function singleItem(): DeploymentConfig {
  const item = { path: '.', barrier: false, recursive: false, waitReadiness: false, passVars: false, when: '' }
  return { when: '', deployments: [{ ...item, skipDeleteIfTags: false, onlyRender: false, alwaysDeploy: false }] }
}

/** Items without tags get the last element of their path as one. */
function withDefaultTag(item: DeploymentItemConfig): DeploymentItemConfig {
  if ((item.tags ?? []).length > 0) return item
  const tag = posix.basename((item.path ?? item.include ?? '').replace(/\/+$/, ''))
  return tag === '' || tag === '.' || tag === '..' ? item : { ...item, tags: [tag] }
}

async function checkItemFolders(
  { templates }: TreeContext,
  node: Node,
  variables: JsonObject,
  config: DeploymentConfig,
): Promise<void> {
  for (const { path, when } of config.deployments ?? []) {
    if (path === undefined || !templates.holds(when, variables)) continue
    const joined = posix.join(node.path, path)
    const folder = await secureJoin(node.source.root, joined)
    if (joined === '..' || joined.startsWith('../')) {
      throw new EngineError(`path/include is not part of the deployment project: ${path}`)
    }
    const info = await stat(folder).catch(() => undefined)
    if (info === undefined) throw new EngineError(`deployment directory does not exist: ${path}`)
    if (!info.isDirectory()) throw new EngineError(`deployment path is not a directory: ${path}`)
  }
}

async function loadIncludes(context: TreeContext, project: DeploymentProject): Promise<void> {
  for (const [index, item] of (project.config.deployments ?? []).entries()) {
    if (item.include === undefined && item.git === undefined && item.oci === undefined) continue
    if (!context.templates.holds(item.when, project.variables)) continue
    const { source, path } = await includedSource(context, project, item)
    project.includes.set(index, await loadInclude(context, project, item, source, path))
  }
}

async function includedSource(
  { host, signal, source }: TreeContext,
  project: DeploymentProject,
  { include, git, oci }: DeploymentItemConfig,
): Promise<{ source: Source; path: string }> {
  if (include !== undefined) return { source: project.source, path: posix.join(project.path, include) }
  const url = git?.url ?? oci?.url ?? ''
  if (!host.policy.allowsUrl(url)) throw new RefusedError(`including ${url} is not allowed here`)
  const tree =
    git === undefined ? await host.oci.pull(url, oci?.ref, signal) : await host.git.checkout(url, git.ref, signal)
  return { source: source(await realpath(tree.folder)), path: posix.normalize(git?.subDir ?? oci?.subDir ?? '.') }
}

async function loadInclude(
  context: TreeContext,
  parent: DeploymentProject,
  item: DeploymentItemConfig,
  source: Source,
  path: string,
): Promise<DeploymentProject> {
  const folder = await secureJoin(source.root, path)
  const library = await withEitherEnding(join(folder, '.kluctl-library.yaml'))
  const passed = library === undefined ? parent.variables : await libraryVariables(library, parent.variables, item)
  const { variables } = await context.vars.load(item.vars, passed, searchPath(parent))
  return loadNode(context, { source, path, given: variables, parent, includedBy: item })
}

/** A library sees its own arguments, and the rest only with `passVars`. */
async function libraryVariables(file: string, outer: JsonObject, item: DeploymentItemConfig): Promise<JsonObject> {
  const library = parseConfig(await readFile(file, 'utf8'), file, kluctlLibrary)
  const variables = item.passVars ? clone(outer) : emptyObject()
  const args = withDefaults((library.args ?? []) as Argument[], item.args ?? emptyObject())
  if (isObject(variables.args)) delete variables.args
  return merge(variables, Object.assign(emptyObject(), { args }))
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}
