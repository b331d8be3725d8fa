import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Skill, Tool, Tools } from '../binaries/index.ts'
import type { LoadedTarget } from '../commands/load-target.ts'
import type { RenderFlags } from '../commands/run.ts'
import { EngineError, RefusedError } from '../errors.ts'
import { type Progress, silentProgress } from '../host.ts'
import type { Manifest } from '../item.ts'
import type { JsonObject } from '../values.ts'
import { answer, type UntrustedAccess } from './answer.ts'
import { startCaged, type WorkerLimits, workerLimits } from './cage.ts'
import { checkTree } from './check-tree.ts'
import { Conversation, type Task } from './conversation.ts'
import { type RenderedDeployment, unpack } from './parcel.ts'
import { fetchedFolder, type RenderStart } from './protocol.ts'

export type { UntrustedAccess } from './answer.ts'
export { type WorkerLimits, workerLimits } from './cage.ts'
export type { RenderedDeployment } from './parcel.ts'

/** A target of a project that is not trusted. */
export interface UntrustedRender {
  /** The checkout; nothing outside of it is read. */
  readonly root: string
  /** The project's folder inside the checkout; default the checkout itself. */
  readonly project?: string | undefined
  /** As for a render of a trusted project; folders in it are not looked at. */
  readonly flags: Omit<RenderFlags, 'projectDir' | 'repositoryRoot' | 'renderOutputDir' | 'argsFromFile'>
  readonly access: UntrustedAccess
  readonly tools: Pick<Tools, 'get'>
  readonly progress: Progress
  readonly kubernetesVersion?: string | undefined
  readonly parallelism?: number | undefined
  readonly limits?: Partial<WorkerLimits> | undefined
}

/**
 * Renders in a worker process without our environment, network and files, and with bounds on time, memory and output.
 * When it ends, by itself or killed, nothing of it is left: no process and no file.
 * @throws EngineError, RefusedError; the signal's reason when aborted
 */
export async function renderUntrusted(request: UntrustedRender, signal: AbortSignal): Promise<Manifest[]> {
  return (await renderCaged(request, 'render', signal)) as Manifest[]
}

/** As {@link renderUntrusted}, with what a deployment needs besides the objects. */
export async function renderUntrustedDeployment(
  request: UntrustedRender,
  signal: AbortSignal,
): Promise<RenderedDeployment> {
  return unpack(await renderCaged(request, 'deployment', signal))
}

async function renderCaged(request: UntrustedRender, work: RenderStart['work'], signal: AbortSignal): Promise<unknown> {
  const limits = { ...workerLimits, ...request.limits }
  const { access, progress } = request
  return inCage(request.root, signal, async (root, scratch) => {
    const start = { ...(await startOf(request, root, scratch, limits, signal)), work }
    const programs = Object.values(start.tools).map(tool => tool.path)
    const child = await startCaged([root], scratch, programs, limits)
    const task: Task = {
      start,
      root,
      limits,
      progress,
      answer: (question, args, during) => answer(question, args, access, scratch, during),
    }
    return new Conversation(child, task).run(signal)
  })
}

/** A target of a project that is not trusted, of which only `.kluctl.yaml` is needed. */
export interface UntrustedTarget extends Pick<UntrustedRender, 'root' | 'project'> {
  readonly target?: string | undefined
  readonly args: JsonObject
  readonly limits?: Partial<WorkerLimits> | undefined
}

/** Bounds for loading a target: one small file, and what its templates say. */
const targetLimits: WorkerLimits = { deadline: 30_000, heap: 256, fileSize: 1, output: 1024 * 1024 }

/**
 * Loads a target in such a worker; it asks for nothing, and nothing is rendered.
 * @throws EngineError, ConfigError's text with files as they are in the checkout; the signal's reason when aborted
 */
export async function loadUntrustedTarget(
  { root: folder, project = '.', target, args: values, limits: own }: UntrustedTarget,
  signal: AbortSignal,
): Promise<LoadedTarget> {
  const limits = { ...targetLimits, ...own }
  const loaded = await inCage(folder, signal, async (root, scratch) => {
    const flags = { projectDir: join(root, project), repositoryRoot: root, target, values }
    const child = await startCaged([root], scratch, [], limits)
    const task: Task = {
      start: { work: 'target', flags, scratch, maxOutput: limits.output },
      root,
      limits,
      progress: silentProgress,
      answer: () => Promise.reject(new RefusedError('a target has nothing to ask for')),
    }
    return new Conversation(child, task).run(signal)
  })
  return loaded as LoadedTarget
}

/** Works on a tree that holds nothing dangerous, with a scratch folder that goes afterwards. */
async function inCage<T>(
  folder: string,
  signal: AbortSignal,
  work: (root: string, scratch: string) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const root = await realpath(folder)
  await checkTree(root)
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'offshoot-worker-')))
  try {
    await mkdir(join(scratch, fetchedFolder))
    return await work(root, scratch)
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function startOf(
  { project = '.', flags, access, kubernetesVersion, parallelism = 4, tools }: UntrustedRender,
  root: string,
  scratch: string,
  limits: WorkerLimits,
  signal: AbortSignal,
): Promise<Omit<RenderStart, 'work'>> {
  const [helm, kustomize] = await Promise.all(
    (['helm', 'kustomize'] as const).map(skill => found(tools, skill, signal)),
  )
  const { sources } = access.policy
  return {
    flags: { ...flags, projectDir: join(root, project), repositoryRoot: root },
    sources: sources === 'all' ? 'all' : [...sources],
    tools: { ...(helm && { helm }), ...(kustomize && { kustomize }) },
    scratch,
    kubernetesVersion,
    parallelism,
    maxOutput: limits.output,
    keys: access.sops !== undefined,
  }
}

/** A project that needs neither program renders without them; one that does says which is missing. */
async function found(tools: Pick<Tools, 'get'>, skill: Skill, signal: AbortSignal): Promise<Tool | undefined> {
  try {
    return await tools.get(skill, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof EngineError) return undefined
    throw error
  }
}
