import { timestamp } from '../../util/clock.ts'
import type { RenderFlags } from '../commands/run.ts'
import type { DeploymentError } from '../plan/types.ts'
import type { FixedImage } from '../project/schema/project.ts'
import { type Target, toJson } from '../project/targets.ts'
import type { SeenImage } from '../render/images.ts'
import type { TargetRun } from '../render/target-run.ts'
import type { JsonObject } from '../values.ts'
import { type RenderedDeployment, renderedDeployment } from './deployment.ts'
import type { RepositoryState } from './git-info.ts'
import type { CommandInfo, CommandResult, ResultObject, TargetKey, ValidateResult } from './types.ts'

/** What results tell of a rendered target: plain data, so that a worker can send it. */
export interface ToldTarget {
  readonly target: JsonObject
  readonly args: JsonObject
  readonly deployment: RenderedDeployment
  readonly images: readonly SeenImage[]
}

/** What results tell of a run. */
export function toldTarget(run: TargetRun): ToldTarget {
  const { target, project, images } = run
  return { target: toJson(target), args: project.args, deployment: renderedDeployment(run), images }
}

/** Where a result comes from; the same for all kinds of results. */
export interface ResultOrigin {
  readonly id: string
  readonly told: ToldTarget
  readonly repository: RepositoryState
  /** Empty when it may not be read. */
  readonly clusterId: string
  /** Milliseconds since the epoch: when the command began, and when it ended. */
  readonly began: number
  readonly ended: number
}

/** How a command was called, as its result tells it. */
export type CommandCall = Pick<CommandInfo, 'command' | 'initiator'> &
  Pick<CommandInfo, 'dryRun' | 'noWait' | 'forceApply' | 'replaceOnError' | 'forceReplaceOnError' | 'abortOnError'>

/** Flags that a result repeats. */
export type CalledFlags = RenderFlags & { readonly context?: string | undefined }

/** What a command found and did. */
export interface Outcome {
  readonly objects: ResultObject[]
  readonly errors: readonly DeploymentError[]
  readonly warnings: readonly DeploymentError[]
}

/** The result of a command on a target. */
export function commandResult(
  origin: ResultOrigin,
  call: CommandCall,
  flags: CalledFlags,
  outcome: Outcome,
): CommandResult {
  const { told, repository, clusterId } = origin
  return {
    id: origin.id,
    reconcileId: '',
    projectKey: repository.projectKey,
    targetKey: targetKey(origin),
    target: targetOf(told),
    command: commandInfo(origin, call, flags),
    gitInfo: repository.gitInfo,
    clusterInfo: { clusterId },
    deployment: told.deployment,
    objects: outcome.objects,
    errors: [...outcome.errors],
    warnings: [...outcome.warnings],
    seenImages: told.images as unknown as readonly FixedImage[],
  }
}

/** The result of a validation. */
export function validateResult(
  origin: ResultOrigin,
  found: Pick<ValidateResult, 'ready' | 'errors' | 'warnings' | 'results'>,
): ValidateResult {
  return {
    id: origin.id,
    reconcileId: '',
    projectKey: origin.repository.projectKey,
    targetKey: targetKey(origin),
    startTime: timestamp(origin.began),
    endTime: timestamp(origin.ended),
    ...found,
  }
}

function targetOf({ target }: ToldTarget): Target {
  return target as unknown as Target
}

function targetKey({ told, clusterId }: ResultOrigin): TargetKey {
  const { name, discriminator = '' } = targetOf(told)
  return { ...(name === '' ? {} : { targetName: name }), clusterId, ...(discriminator === '' ? {} : { discriminator }) }
}

function commandInfo({ told, began, ended }: ResultOrigin, call: CommandCall, flags: CalledFlags): CommandInfo {
  const { includeTag, excludeTag, includeDeploymentDir, excludeDeploymentDir } = flags.inclusion ?? {}
  const all = {
    ...call,
    startTime: timestamp(began),
    endTime: timestamp(ended),
    target: flags.target,
    targetNameOverride: flags.targetNameOverride,
    contextOverride: flags.context,
    args: told.args,
    images: [...(targetOf(told).images ?? []), ...(flags.fixedImages ?? [])],
    includeTags: includeTag,
    excludeTags: excludeTag,
    includeDeploymentDirs: includeDeploymentDir,
    excludeDeploymentDirs: excludeDeploymentDir,
  }
  const isSet = (value: unknown) =>
    value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)
  return Object.fromEntries(Object.entries(all).filter(([, value]) => isSet(value))) as unknown as CommandInfo
}
