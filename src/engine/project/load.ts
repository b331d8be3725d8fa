import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { EngineError, MissingError } from '../errors.ts'
import type { Progress } from '../host.ts'
import type { Templates } from '../templating/templates.ts'
import type { JsonObject } from '../values.ts'
import { parseConfig } from './parse.ts'
import { kluctlProject, type ProjectConfig } from './schema/project.ts'
import { type LoadedTargets, loadTargets, namelessTarget, type Target } from './targets.ts'

/** Where a project lies: its folder, and the root of the Git repository around it. Absolute, links resolved. */
export interface ProjectPlace {
  readonly folder: string
  readonly root: string
}

/** A project whose targets are known. */
export interface Project extends ProjectPlace, LoadedTargets {
  readonly config: ProjectConfig
  /** Path of the configuration file, if there is one. */
  readonly configFile: string | undefined
  /** For projects that declare no target. */
  readonly nameless: Target | undefined
  /** Arguments of the command line. */
  readonly args: JsonObject
}

/** How a project is found and what overrides it. */
export interface LoadOptions {
  /** Given with `-c`; otherwise `.kluctl.yml` or `.kluctl.yaml` of the folder. */
  readonly configFile?: string | undefined
  readonly args: JsonObject
  readonly templates: Templates
  readonly progress: Progress
}

/** The repository around a project folder: the nearest folder upwards that holds `.git`, else the folder itself. */
export async function findProject(folder: string): Promise<ProjectPlace & { inRepository: boolean }> {
  let start: string
  try {
    start = await realpath(resolve(folder))
  } catch (cause) {
    throw new MissingError(`${folder} does not exist`, { cause })
  }
  if (!(await stat(start)).isDirectory()) throw new MissingError(`${folder} exists but is not a directory`)
  for (let at = start; ; at = dirname(at)) {
    if (await exists(join(at, '.git'))) return { folder: start, root: at, inRepository: true }
    if (dirname(at) === at) return { folder: start, root: start, inRepository: false }
  }
}

/** Reads `.kluctl.yaml` and renders all targets. @throws EngineError, ConfigError */
export async function loadProject(place: ProjectPlace, options: LoadOptions): Promise<Project> {
  const inside = relative(place.root, place.folder)
  if (inside.startsWith('..') || isAbsolute(inside)) {
    throw new EngineError(`path ${place.folder} is not inside directory ${place.root}`)
  }
  const configFile = options.configFile ?? (await withEitherEnding(join(place.folder, '.kluctl.yml')))
  const config = configFile === undefined ? {} : await readConfig(configFile)
  const inputs = { config, args: options.args, templates: options.templates }
  const declared = (config.targets ?? []).length > 0
  return {
    ...place,
    config,
    configFile,
    ...loadTargets(inputs, options.progress),
    nameless: declared ? undefined : namelessTarget(inputs),
    args: options.args,
  }
}

async function readConfig(path: string): Promise<ProjectConfig> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new EngineError(`opening ${path} failed`, { cause })
  }
  return parseConfig(text, path, kluctlProject)
}

/** The target of that name, or the nameless one when no name is given. @throws MissingError */
export function selectTarget(project: Project, name: string | undefined): Target {
  if (name !== undefined && name !== '') {
    const target = project.targets.find(one => one.name === name)
    if (target !== undefined) return target
    const known = project.targets.map(one => one.name).join(', ')
    const hint = known === '' ? 'it has none' : `known are ${known}`
    throw new MissingError(`target ${name} not existent in kluctl project config (${hint})`)
  }
  if (project.nameless !== undefined && project.targets.length === 0) return project.nameless
  const known = project.targets.map(one => one.name).join(', ')
  throw new MissingError(
    `a target must be explicitly selected when targets are defined in the Kluctl project (known are ${known})`,
  )
}

/** The path, or the same with the other ending of `.yml` and `.yaml`; undefined when neither exists. */
export async function withEitherEnding(path: string): Promise<string | undefined> {
  if (await exists(path)) return path
  const other = path.endsWith('.yml') ? path.replace(/\.yml$/, '.yaml') : path.replace(/\.yaml$/, '.yml')
  return (await exists(other)) ? other : undefined
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return false
    throw error
  }
}
