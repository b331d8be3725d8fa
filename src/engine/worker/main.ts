// Runs in the worker: a process of its own that does one piece of work for a project that is not trusted.
import { systemClock } from '../../util/clock.ts'
import { messageOf } from '../../util/errors.ts'
import { shareGroup } from '../binaries/run-tool.ts'
import { loadTarget } from '../commands/load-target.ts'
import { EngineError } from '../errors.ts'
import type { Progress } from '../host.ts'
import { SensitiveTexts } from '../plan/sensitive.ts'
import type { Json } from '../values.ts'
import { closeNetwork } from './guard.ts'
import {
  type Ask,
  errorOf,
  type Failure,
  type FromWorker,
  failureOf,
  type ToWorker,
  type WorkerStart,
  workerPolicy,
} from './protocol.ts'

const maxNotes = 1_000
/** Longest message that is looked through, in characters. */
const maxMasked = 1_000_000
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
/** What must be hidden in everything that is told while the objects, and with them all of it, are not sent yet. */
const sensitive = new SensitiveTexts()
let asked = 0

closeNetwork()
shareGroup()
process.on('message', (message: ToWorker) => receive(message))
// Nobody is left to give the result to.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))

function receive(message: ToWorker): void {
  if ('start' in message) {
    void run(message.start)
    return
  }
  const question = waiting.get(message.id)
  waiting.delete(message.id)
  if ('failed' in message) question?.reject(errorOf(message.failed))
  else question?.resolve(message.value)
}

async function run(start: WorkerStart): Promise<void> {
  try {
    const result = await resultOf(start)
    // A bigint has no JSON; its digits count about the same.
    const size = Buffer.byteLength(
      JSON.stringify(result, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
    )
    if (size > start.maxOutput) throw new EngineError(`the result has ${size} bytes, more than ${start.maxOutput}`)
    send({ done: result })
  } catch (error) {
    const failed: Failure = failureOf(error, shown(messageOf(error), 100_000))
    send({ failed })
  }
}

async function resultOf(start: WorkerStart): Promise<unknown> {
  const { signal } = new AbortController()
  const progress = notes()
  if (start.work === 'target') {
    return loadTarget({ policy: workerPolicy(start), clock: systemClock, progress }, start.flags, signal)
  }
  // Most of the engine, which a target alone does not need.
  const { renderInside } = await import('./render-objects.ts')
  const onSensitive = (values: Json) => sensitive.add(values)
  return renderInside(start, { ask, progress, onSensitive }, signal)
}

/** Hidden first and cut then: the cut may go through a text that is hidden as a whole. */
function shown(message: string, length: number): string {
  return sensitive.mask(message.slice(0, maxMasked), '*****').slice(0, length)
}

function send(message: FromWorker): void {
  process.send?.(message)
}

const ask: Ask = (question, ...args) => {
  const id = ++asked
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    send({ ask: question, id, args })
  })
}

function notes(): Progress {
  let left = maxNotes
  const note = (kind: 'warn' | 'info', message: string) => {
    if (left-- > 0) send({ note: kind, message: shown(message, 10_000) })
  }
  return {
    start: () => () => undefined,
    warn: message => note('warn', message),
    info: message => note('info', message),
  }
}
