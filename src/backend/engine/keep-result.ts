import { randomUUID } from 'node:crypto'
import type { Progress } from '../../engine/host.ts'
import { writeJson } from '../../engine/json.ts'
import { Obfuscator } from '../../engine/plan/obfuscate.ts'
import type { DeploymentError } from '../../engine/plan/types.ts'
import type { FixedImage } from '../../engine/project/schema/project.ts'
import { collectObjects, type Findings } from '../../engine/result/collect.ts'
import { bareResult } from '../../engine/result/forms.ts'
import { maskedResult } from '../../engine/result/mask.ts'
import { commandResult, type ToldTarget } from '../../engine/result/new-result.ts'
import { parseRemote } from '../../engine/result/repo-key.ts'
import { ResultStore } from '../../engine/result/store.ts'
import { plain } from '../../engine/result/summary.ts'
import type { CommandResult, ResultObject } from '../../engine/result/types.ts'
import type { RenderedDeployment } from '../../engine/worker/index.ts'
import { messageOf } from '../../util/errors.ts'
import type { EngineRequest } from '../engine.ts'

/** A deployment that has ended. */
export interface Ended {
  readonly rendered: RenderedDeployment
  readonly fixedImages: readonly FixedImage[]
  /** The project's, as deployed. */
  readonly commit: string
  readonly clusterId: string
  readonly findings: Findings
  readonly errors: readonly DeploymentError[]
  readonly warnings: readonly DeploymentError[]
  /** Milliseconds since the epoch. */
  readonly began: number
  readonly ended: number
}

/** Milliseconds for keeping a result: the environment is ready, or not, whatever becomes of it. */
const deadline = 10_000
/** Bytes of one result. Thousands of environments keep theirs in one etcd, so it is far from what a Secret holds. */
export const maxBytes = 100_000
/** Bytes of the objects' contents beyond which they are not kept, and what looking for sensitive texts in them may cost. */
const maxContents = 16 * 1024 * 1024
const maxSearch = 2_000_000_000
/** Most problems, and characters of one, that a result holds. */
const maxProblems = 20
const maxProblem = 1_024
/** Most characters of JSON that a target and its arguments take. */
const maxArgs = 32 * 1024

/**
 * Keeps the result of a deployment in the environment's own namespace, as its account and as kluctl keeps results, with
 * what is secret hidden. One that changed nothing is not kept, nor is a failure that repeats the one before. Gives the
 * id of the result that tells of the deployment, and why there is none where there should be one.
 */
export async function keepResult(
  request: EngineRequest,
  deployment: Ended,
  signal: AbortSignal,
): Promise<{ id?: string; warning?: string }> {
  const { desired, namespace, kube } = request
  const objects = collectObjects(deployment.findings)
  if (desired.keepResults === 0 || !isTelling({ objects, errors: [...deployment.errors] })) return {}
  // Texts of which nobody knows any more which are secret.
  if (deployment.rendered.sensitive.told === 'all') return {}
  const during = AbortSignal.any([signal, AbortSignal.timeout(deadline)])
  const options = { namespace, keepCommandResults: desired.keepResults, keepValidateResults: 0, progress, maxBytes }
  const store = new ResultStore(kube, { ...options, ofEnvironment: true })
  try {
    const result = shownResult(request, deployment, objects)
    return { id: await keepUnlessKnown(store, result, during) }
  } catch (error) {
    signal.throwIfAborted()
    return { warning: `the result of the deployment is not kept: ${messageOf(error)}` }
  }
}

/**
 * Keeps a result unless it changed nothing and failed as the one before did. Gives the id of the one that is kept.
 * @throws KubeError, EngineError
 */
export async function keepUnlessKnown(store: ResultStore, result: CommandResult, signal: AbortSignal): Promise<string> {
  const before = result.objects.some(isChanged) ? undefined : await store.newestLike(result, signal)
  if (before !== undefined && repeats(result, before)) return before.id
  await store.writeCommandResult(result, signal)
  return result.id
}

/** Whether a result tells of anything: a deployment that changed nothing is not kept. */
export function isTelling({ objects, errors }: Pick<CommandResult, 'objects' | 'errors'>): boolean {
  return errors.length > 0 || objects.some(isChanged)
}

/** With its problems cut to what is kept of them. */
export function withFewProblems(result: CommandResult): CommandResult {
  const cut = (problems: readonly DeploymentError[]) =>
    some(problems).map(({ ref, message }) => ({ ref, message: message.slice(0, maxProblem).toWellFormed() }))
  return { ...result, errors: cut(result.errors), warnings: cut(result.warnings) }
}

/** What is left out of a result is seen in it. */
const progress: Progress = { start: () => () => undefined, warn: () => undefined, info: () => undefined }

function isChanged({ new: created, deleted, changes = [] }: ResultObject): boolean {
  return created === true || deleted === true || changes.length > 0
}

/** Whether a failure is the one that is kept already. */
function repeats(
  { errors, gitInfo: { commit } }: Pick<CommandResult, 'errors' | 'gitInfo'>,
  before: { errors?: readonly DeploymentError[] | null; gitInfo?: { commit?: string } },
): boolean {
  return (
    commit === before.gitInfo?.commit && writeJson(plain({ errors })) === writeJson(plain({ errors: before.errors }))
  )
}

/** The result as it may be shown to everybody. */
function shownResult({ desired }: EngineRequest, deployment: Ended, objects: ResultObject[]): CommandResult {
  const { rendered, commit, clusterId, began, ended, fixedImages } = deployment
  const { sensitive } = rendered
  const { url, path, ref, ownRepository } = desired.source
  const remote = parseRemote(url)
  const repository = {
    gitInfo: {
      url: remote?.url ?? null,
      ref: ownRepository || ref.commit !== undefined ? null : ref,
      subDir: path,
      commit,
      dirty: false,
    },
    projectKey: { repoKey: remote?.key ?? '', ...(path === '' ? {} : { subDir: path }) },
  }
  const result = commandResult(
    { id: randomUUID(), told: withoutLargeArgs(rendered.told), repository, clusterId, began, ended },
    // kluctl knows only itself and its own controller.
    { command: 'deploy', initiator: 'CommandLine' },
    { target: desired.target, fixedImages },
    // Cut before what is secret is looked for in them: that costs time for each.
    { objects, errors: some(deployment.errors), warnings: some(deployment.warnings) },
  )
  const contents = writeJson(plain({ objects })).length
  const isCostly = contents > maxContents || contents * sensitive.size > maxSearch
  return withFewProblems(maskedResult(isCostly ? bareResult(result) : result, new Obfuscator(sensitive)))
}

/** Arguments are in every summary too; a branch's config file may make them as large as it likes. */
function withoutLargeArgs(told: ToldTarget): ToldTarget {
  const { args: _args, ...target } = told.target
  const size = writeJson(plain({ target: told.target, args: told.args })).length
  return size > maxArgs ? { ...told, target, args: {} } : told
}

function some(problems: readonly DeploymentError[]): DeploymentError[] {
  const kept = problems.slice(0, maxProblems)
  const left = problems.length - kept.length
  return left === 0 ? kept : [...kept.slice(0, -1), { ref: { kind: '', name: '' }, message: `and ${left + 1} more` }]
}
