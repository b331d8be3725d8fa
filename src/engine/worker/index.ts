import type { ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../util/errors.ts'
import type { Skill, Tool, Tools } from '../binaries/index.ts'
import type { RenderFlags } from '../commands/run.ts'
import { EngineError } from '../errors.ts'
import type { Progress } from '../host.ts'
import type { Manifest } from '../item.ts'
import { plain } from '../vars/remote.ts'
import { answer, type UntrustedAccess } from './answer.ts'
import { killGroup, startCaged, type WorkerLimits, workerLimits } from './cage.ts'
import { checkTree } from './check-tree.ts'
import {
  errorOf,
  type FromWorker,
  failureOf,
  fetchedFolder,
  questions,
  type ToWorker,
  type WorkerStart,
} from './protocol.ts'

export type { UntrustedAccess } from './answer.ts'
export { type WorkerLimits, workerLimits } from './cage.ts'

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

const maxQuestions = 2_000
const maxComplaint = 64 * 1024

/**
 * Renders in a worker process without our environment, network and files, and with bounds on time, memory and output.
 * When it ends, by itself or killed, nothing of it is left: no process and no file.
 * @throws EngineError, RefusedError; the signal's reason when aborted
 */
export async function renderUntrusted(request: UntrustedRender, signal: AbortSignal): Promise<Manifest[]> {
  signal.throwIfAborted()
  const limits = { ...workerLimits, ...request.limits }
  const root = await realpath(request.root)
  await checkTree(root)
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'offshoot-worker-')))
  try {
    await mkdir(join(scratch, fetchedFolder))
    const start = await startOf(request, root, scratch, limits, signal)
    const programs = Object.values(start.tools).map(tool => tool.path)
    const child = await startCaged([root], scratch, programs, limits)
    return await new Conversation(child, request, scratch, limits).run(start, signal)
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
): Promise<WorkerStart> {
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

/** One worker's questions and its result. */
class Conversation {
  readonly #child: ChildProcess
  readonly #request: UntrustedRender
  readonly #scratch: string
  readonly #limits: WorkerLimits
  readonly #over = new AbortController()
  #asked = 0
  #complaint = ''

  constructor(child: ChildProcess, request: UntrustedRender, scratch: string, limits: WorkerLimits) {
    this.#child = child
    this.#request = request
    this.#scratch = scratch
    this.#limits = limits
  }

  async run(start: WorkerStart, signal: AbortSignal): Promise<Manifest[]> {
    const child = this.#child
    const { deadline } = this.#limits
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
    let timer: NodeJS.Timeout | undefined
    const onAbort = () => killGroup(child)
    try {
      return await new Promise<Manifest[]>((resolve, reject) => {
        timer = setTimeout(() => {
          reject(new EngineError(`rendering did not end within ${deadline / 1000} s`))
        }, deadline)
        signal.addEventListener('abort', onAbort, { once: true })
        child.stderr?.on('data', (chunk: Buffer) => {
          if (this.#complaint.length < maxComplaint) this.#complaint += chunk.toString('utf8')
        })
        child.on('error', error => reject(new EngineError('the worker cannot be started', { cause: error })))
        child.on('message', (message: FromWorker) => this.#receive(message, resolve, reject))
        child.on('close', (code, killedBy) => reject(signal.aborted ? signal.reason : this.#ended(code, killedBy)))
        this.#send({ start })
      })
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      this.#over.abort(new EngineError('the worker has ended'))
      // Also after a result: what the worker started must not outlive it.
      killGroup(child)
      if (child.pid !== undefined) await closed
    }
  }

  #receive(message: FromWorker, resolve: (objects: Manifest[]) => void, reject: (error: unknown) => void): void {
    if ('done' in message) resolve(plain(message.done) as Manifest[])
    else if ('failed' in message) reject(errorOf(message.failed))
    else if ('note' in message) this.#request.progress[message.note === 'warn' ? 'warn' : 'info'](message.message)
    else if (++this.#asked > maxQuestions)
      reject(new EngineError(`the project asks for more than ${maxQuestions} things`))
    else void this.#answer(message)
  }

  async #answer({ ask, id, args }: Extract<FromWorker, { ask: unknown }>): Promise<void> {
    try {
      if (!questions.includes(ask)) throw new EngineError('the worker asked what nobody answers')
      const value = await answer(ask, args, this.#request.access, this.#scratch, this.#over.signal)
      this.#send({ id, value })
    } catch (error) {
      this.#send({ id, failed: failureOf(error, messageOf(error)) })
    }
  }

  #send(message: ToWorker): void {
    // An answer that comes too late has nobody to go to.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  #ended(code: number | null, killedBy: NodeJS.Signals | null): EngineError {
    const { heap } = this.#limits
    if (/heap out of memory|Reached heap limit/.test(this.#complaint)) {
      return new EngineError(`rendering needs more than ${heap} MiB of memory`)
    }
    if (killedBy === 'SIGXCPU' || killedBy === 'SIGXFSZ')
      return new EngineError(`rendering passed a bound (${killedBy})`)
    const words = this.#complaint.trim().split('\n').slice(-5).join('\n')
    return new EngineError(`the worker ended without a result (${killedBy ?? code})${words && `: ${words}`}`)
  }
}
