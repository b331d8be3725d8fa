import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { messageOf } from '../../util/errors.ts'
import { EngineError } from '../errors.ts'
import { missingArguments } from '../project/args.ts'
import { type Project, selectTarget } from '../project/load.ts'
import type { Target } from '../project/targets.ts'
import { clone, emptyObject, merge } from '../values.ts'
import { parseYaml } from '../yaml.ts'
import { type LoadHost, openProject, type ProjectFlags } from './run.ts'

/** Which target is loaded, and how. */
export interface LoadTargetFlags extends ProjectFlags {
  readonly target?: string | undefined
}

/** A target as its project declares it, rendered with its arguments; nothing was rendered for it. */
export interface LoadedTarget {
  readonly name: string
  /** Empty when neither the target nor the project has one. */
  readonly discriminator: string
  /** The kubeconfig context that it names; empty for none. */
  readonly context: string
  /** Path of the configuration file in the repository; undefined when there is none. */
  readonly file: string | undefined
  /** Names of the arguments that the project declares. */
  readonly declared: readonly string[]
}

/**
 * Loads one target of a project, of which nothing but `.kluctl.yaml` is read.
 * @throws ConfigError, MissingError, EngineError: with file and line as far as they are known
 */
export async function loadTarget(host: LoadHost, flags: LoadTargetFlags, signal: AbortSignal): Promise<LoadedTarget> {
  const { project } = await openProject(host, flags, signal)
  const name = flags.target ?? ''
  const failure = project.failures.get(name)
  if (failure !== undefined) {
    const { index, error } = failure
    const own = project.config.targets?.[index]?.args
    throw new EngineError(`${await placeOf(project, index)}: target ${name}: ${reason(project, own, error)}`)
  }
  const target = selectTarget(project, flags.target)
  const { configFile, root, config } = project
  return {
    name: target.name,
    discriminator: target.discriminator ?? '',
    context: target.context ?? '',
    file: configFile && relative(root, configFile),
    declared: (config.args ?? []).map(({ name: argument }) => argument),
  }
}

/** All arguments without a value at once; a template that fails tells itself. */
function reason({ config, args }: Project, own: Target['args'], error: EngineError): string {
  const given = merge(clone(own ?? emptyObject()), args)
  const missing = missingArguments(config.args ?? [], given)
  if (missing.length <= 1) return messageOf(error)
  return `required arguments ${missing.join(', ')} not set`
}

/** Where a target begins in its file. */
async function placeOf({ configFile = '' }: Project, index: number): Promise<string> {
  const position = parseYaml(await readFile(configFile, 'utf8')).position(['targets', index])
  return position === undefined ? configFile : `${configFile}:${position.line}`
}
