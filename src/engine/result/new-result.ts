import { timestamp } from '../../util/clock.ts'
import type { RenderFlags } from '../commands/run.ts'
import type { DeploymentError } from '../plan/types.ts'
import type { FixedImage } from '../project/schema/project.ts'
import { toJson } from '../project/targets.ts'
import type { TargetRun } from '../render/target-run.ts'
import { renderedDeployment } from './deployment.ts'
import type { RepositoryState } from './git-info.ts'
import type { CommandInfo, CommandResult, ResultObject, TargetKey, ValidateResult } from './types.ts'

/** Where a result comes from; the same for all kinds of results. */
export interface ResultOrigin {
  readonly id: string
  readonly run: TargetRun
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
  const { run, repository, clusterId } = origin
  return {
    id: origin.id,
    reconcileId: '',
    projectKey: repository.projectKey,
    targetKey: targetKey(origin),
    target: toJson(run.target) as unknown as CommandResult['target'],
    command: commandInfo(origin, call, flags),
    gitInfo: repository.gitInfo,
    clusterInfo: { clusterId },
    deployment: renderedDeployment(run),
    objects: outcome.objects,
    errors: [...outcome.errors],
    warnings: [...outcome.warnings],
    seenImages: run.images as unknown as readonly FixedImage[],
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

function targetKey({ run: { target }, clusterId }: ResultOrigin): TargetKey {
  const { name, discriminator = '' } = target
  return { ...(name === '' ? {} : { targetName: name }), clusterId, ...(discriminator === '' ? {} : { discriminator }) }
}

function commandInfo({ run, began, ended }: ResultOrigin, call: CommandCall, flags: CalledFlags): CommandInfo {
  const { includeTag, excludeTag, includeDeploymentDir, excludeDeploymentDir } = flags.inclusion ?? {}
  const all = {
    ...call,
    startTime: timestamp(began),
    endTime: timestamp(ended),
    target: flags.target,
    targetNameOverride: flags.targetNameOverride,
    contextOverride: flags.context,
    args: run.project.args,
    images: [...(run.target.images ?? []), ...(flags.fixedImages ?? [])],
    includeTags: includeTag,
    excludeTags: excludeTag,
    includeDeploymentDirs: includeDeploymentDir,
    excludeDeploymentDirs: excludeDeploymentDir,
  }
  const isSet = (value: unknown) =>
    value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)
  return Object.fromEntries(Object.entries(all).filter(([, value]) => isSet(value))) as unknown as CommandInfo
}
