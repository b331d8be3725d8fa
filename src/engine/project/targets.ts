import { messageOf } from '../../util/errors.ts'
import { EngineError, throwAll } from '../errors.ts'
import type { Progress } from '../host.ts'
import { renderTreeLenient } from '../templating/render-tree.ts'
import type { Templates } from '../templating/templates.ts'
import { clone, compareBytes, emptyObject, type Json, type JsonObject, merge } from '../values.ts'
import { withDefaults } from './args.ts'
import type { Argument, ProjectConfig, TargetConfig } from './schema/project.ts'

/** A target after its templates were rendered. */
export type Target = TargetConfig

/** What targets are made of. */
export interface TargetInputs {
  readonly config: ProjectConfig
  /** Arguments of the command line. */
  readonly args: JsonObject
  readonly templates: Templates
}

/** Templates of a target may refer to the target itself; it is rendered until nothing changes, but not for ever. */
const maxRounds = 10

/** A target that cannot be loaded: where it stands among the `targets`, and why. */
export interface TargetFailure {
  readonly index: number
  readonly error: EngineError
}

/** All targets that can be loaded, sorted by name, and those that cannot, by name. */
export interface LoadedTargets {
  readonly targets: readonly Target[]
  readonly failures: ReadonlyMap<string, TargetFailure>
}

/** Renders all targets; what cannot be loaded is a warning too. The first of two equal names counts. */
export function loadTargets(inputs: TargetInputs, progress: Progress): LoadedTargets {
  const targets = new Map<string, Target>()
  const failures = new Map<string, TargetFailure>()
  for (const [index, config] of (inputs.config.targets ?? []).entries()) {
    if (config.name === '') {
      progress.warn(`Target at index ${index} has no name`)
      continue
    }
    try {
      const target = renderTarget(completed(config, inputs.config), inputs)
      if (targets.has(target.name)) progress.warn(`Duplicate target ${target.name}`)
      else targets.set(target.name, target)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      progress.warn(`Failed to load target ${config.name}: ${messageOf(error)}`)
      if (!failures.has(config.name)) failures.set(config.name, { index, error })
    }
  }
  return { targets: [...targets.values()].sort((a, b) => compareBytes(a.name, b.name)), failures }
}

/** The target of a project that declares none. @throws EngineError */
export function namelessTarget(inputs: TargetInputs): Target {
  return renderTarget(completed({ name: '' }, inputs.config), inputs)
}

function completed(config: TargetConfig, project: ProjectConfig): TargetConfig {
  const aws = { ...project.aws, ...config.aws }
  const own =
    config.discriminator === undefined || config.discriminator === '' ? project.discriminator : config.discriminator
  return { ...config, aws, ...(own === undefined ? {} : { discriminator: own }) }
}

function renderTarget(config: TargetConfig, inputs: TargetInputs): Target {
  let target = toJson(config)
  let errors: readonly unknown[] = []
  for (let round = 0; round < maxRounds; round++) {
    const variables = targetVariables(target as unknown as Target, inputs)
    const rendered = renderTreeLenient(inputs.templates, target, variables)
    target = rendered.tree
    errors = rendered.errors
    if (errors.length === 0 && !rendered.changed) break
  }
  throwAll(errors)
  return target as unknown as Target
}

/** `target` and `args` as templates see them. @throws EngineError when a required argument is missing */
export function targetVariables(
  target: Target,
  { config, args }: Pick<TargetInputs, 'config' | 'args'>,
): JsonObject & { args: JsonObject } {
  const given = merge(clone(target.args ?? emptyObject()), args)
  const all = withDefaults((config.args ?? []) as Argument[], given)
  return Object.assign(emptyObject(), { target: toJson(target), args: all }) as JsonObject & { args: JsonObject }
}

/** The target as `list-targets` prints it, and as templates see it. */
export function toJson(target: Target): JsonObject {
  const plain = (value: unknown): Json => {
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== 'object' || value === null) return value as Json
    const result = emptyObject()
    for (const [key, inner] of Object.entries(value)) if (inner !== undefined) result[key] = plain(inner)
    return result
  }
  const result = plain(target) as JsonObject
  if (Array.isArray(result.images) && result.images.length === 0) delete result.images
  if (result.discriminator === '') delete result.discriminator
  return result
}
