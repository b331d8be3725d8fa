import type { ChildProcess } from 'node:child_process'
import { messageOf } from '../../util/errors.ts'
import { EngineError, WorkerError } from '../errors.ts'
import type { Progress } from '../host.ts'
import { plain } from '../vars/remote.ts'
import { killGroup, type WorkerLimits } from './cage.ts'
import {
  errorOf,
  type Failure,
  type FromWorker,
  failureOf,
  type Question,
  questions,
  type ToWorker,
  type WorkerStart,
} from './protocol.ts'

const maxQuestions = 2_000
const maxComplaint = 64 * 1024

/** What one worker is for. */
export interface Task {
  readonly start: WorkerStart
  /** The checkout: messages name files as they are in it. */
  readonly root: string
  readonly limits: WorkerLimits
  readonly progress: Progress
  /** Answers a question, or refuses it. */
  answer(question: Question, args: readonly unknown[], signal: AbortSignal): Promise<unknown>
}

/** One worker's questions and its result. */
export class Conversation {
  readonly #child: ChildProcess
  readonly #task: Task
  readonly #over = new AbortController()
  #asked = 0
  #complaint = ''

  constructor(child: ChildProcess, task: Task) {
    this.#child = child
    this.#task = task
  }

  /** What the worker made; when this settles, nothing of it runs any more. @throws EngineError, RefusedError */
  async run(signal: AbortSignal): Promise<unknown> {
    const child = this.#child
    const { start, limits } = this.#task
    const { deadline } = limits
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
    let timer: NodeJS.Timeout | undefined
    const onAbort = () => killGroup(child)
    try {
      signal.throwIfAborted()
      return await new Promise<unknown>((resolve, reject) => {
        timer = setTimeout(() => {
          reject(new EngineError(`rendering did not end within ${deadline / 1000} s`))
        }, deadline)
        signal.addEventListener('abort', onAbort, { once: true })
        child.stderr?.on('data', (chunk: Buffer) => {
          if (this.#complaint.length < maxComplaint) this.#complaint += chunk.toString('utf8')
        })
        child.on('error', error => reject(new WorkerError('the worker cannot be started', { cause: error })))
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

  #receive(message: FromWorker, resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
    if ('done' in message) resolve(plain(message.done))
    else if ('failed' in message) reject(errorOf(this.#told(message.failed)))
    else if ('note' in message)
      this.#task.progress[message.note === 'warn' ? 'warn' : 'info'](this.#inCheckout(message.message))
    else if (++this.#asked > maxQuestions)
      reject(new EngineError(`the project asks for more than ${maxQuestions} things`))
    else void this.#answer(message)
  }

  async #answer({ ask, id, args }: Extract<FromWorker, { ask: unknown }>): Promise<void> {
    try {
      if (!questions.includes(ask)) throw new EngineError('the worker asked what nobody answers')
      const value = await this.#task.answer(ask, args, this.#over.signal)
      this.#send({ id, value })
    } catch (error) {
      this.#send({ id, failed: failureOf(error, messageOf(error)) })
    }
  }

  #send(message: ToWorker): void {
    // An answer that comes too late has nobody to go to.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  #told(failure: Failure): Failure {
    return { ...failure, message: this.#inCheckout(failure.message) }
  }

  #inCheckout(message: string): string {
    return message.replaceAll(`${this.#task.root}/`, '')
  }

  #ended(code: number | null, killedBy: NodeJS.Signals | null): EngineError {
    const { heap } = this.#task.limits
    if (/heap out of memory|Reached heap limit/.test(this.#complaint)) {
      return new EngineError(`rendering needs more than ${heap} MiB of memory`)
    }
    if (killedBy === 'SIGXCPU' || killedBy === 'SIGXFSZ')
      return new EngineError(`rendering passed a bound (${killedBy})`)
    const words = this.#complaint.trim().split('\n').slice(-5).join('\n')
    return new WorkerError(`the worker ended without a result (${killedBy ?? code})${words && `: ${words}`}`)
  }
}
