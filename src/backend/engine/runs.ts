import { reminding } from '../../engine/cluster/reminding.ts'
import { type Clock, systemClock } from '../../util/clock.ts'
import { messageOf } from '../../util/errors.ts'
import { Gate } from '../../util/gate.ts'
import { LruMap } from '../../util/lru.ts'
import { ProjectError } from '../project-error.ts'
import type { RunState } from './due.ts'
import type { EngineOutcome, RunMode } from './outcome.ts'

/** How a run speaks with the reconciles of its environment. */
export interface RunControls {
  /** Tells what it is doing. */
  readonly step: (what: string) => void
  /** As `step` for what will take long, and asks for a look at once, so that people see it. */
  readonly announce: (what: string) => void
  /** Asks for the discriminator that its objects carry; goes on when it was granted. Rejects when it was not. */
  readonly claim: (discriminator: string) => Promise<void>
}

/** Why runs are cut off when this process ends: what works elsewhere goes on, for whoever leads next. */
export const handingOver = new DOMException('Offshoot is ending', 'AbortError')

/** Carries one run out. Rejects when it could not come to an outcome. */
export type RunWork = (signal: AbortSignal, controls: RunControls) => Promise<EngineOutcome>

/** One run, working or ended. */
export interface Run extends RunState {
  readonly step: string
  /** What people were told that it does, once it has taken long: not each step, or each would be told on the change. */
  readonly told?: string | undefined
  /** Why the attempt before it came to nothing, if that may pass by itself; until the project was rendered. */
  readonly obstacle?: string | undefined
  /** The discriminator that it waits for; `refused` when it was told that it may not have it. */
  readonly claim?: { readonly discriminator: string; readonly refused: boolean } | undefined
  /** Set once it has ended by itself. */
  readonly outcome?: EngineOutcome | undefined
}

interface Entry {
  digest: string
  mode: RunMode
  elsewhere: boolean
  working: boolean
  failures: number
  endedAt: number
  step: string
  told?: string | undefined
  obstacle?: string | undefined
  claim?: { discriminator: string; refused: boolean; grant(): void } | undefined
  outcome?: EngineOutcome | undefined
  readonly stop: AbortController
  readonly wake: () => void
  ended: Promise<void>
}

/** What is to be run. */
export interface RunOrder extends Pick<Run, 'digest' | 'mode'> {
  /** It is carried out by something else, and only waited for here. */
  readonly elsewhere?: boolean
}

/** Milliseconds after which a run asks for looks at what it does, and between the first two of them; then ever more. */
const toldAfter = 5_000
const toldInterval = 15_000

/** Ended runs that are remembered, for what they brought and how often they failed. */
const maxRemembered = 10_000

/**
 * The deployments that this process carries out, at most one for each environment: `atOnce` in all that are being
 * rendered, `waiting` in all, and `elsewhere` that something else does the work of. They live in memory alone: what is
 * cut off with the process is begun again by whoever comes after it.
 */
export class EngineRuns {
  readonly #gate: Gate
  readonly #inline: Gate
  readonly #elsewhere: Gate
  readonly #clock: Clock
  readonly #working = new Map<string, Entry>()
  readonly #ended = new LruMap<string, Entry>(maxRemembered)
  #closed = false

  constructor({
    atOnce = 4,
    waiting = 100,
    elsewhere = 100,
    clock = systemClock,
  }: { atOnce?: number; waiting?: number; elsewhere?: number; clock?: Clock } = {}) {
    this.#gate = new Gate(atOnce)
    this.#inline = new Gate(waiting)
    this.#elsewhere = new Gate(elsewhere)
    this.#clock = clock
  }

  /** The run of an environment (its uid): the one that works, else the last one. */
  get(uid: string): Run | undefined {
    return this.#working.get(uid) ?? this.#ended.get(uid)
  }

  /**
   * Begins a run. One that works on something else is told to end first: what it has not begun is left, and the new
   * one begins when it is out of the way. `wake` is called when the run ends by itself.
   */
  start(uid: string, { digest, mode, elsewhere = false }: RunOrder, work: RunWork, wake: () => void): void {
    if (this.#closed) return
    const before = this.#working.get(uid)
    if (before?.digest === digest && before.mode === mode) return
    before?.stop.abort(new DOMException('a newer deployment takes its place', 'AbortError'))
    const last = this.#ended.get(uid)
    const { failures = 0, obstacle } = last?.digest === digest && last.mode === mode ? last : {}
    const entry: Entry = {
      digest,
      mode,
      elsewhere,
      working: true,
      failures,
      endedAt: 0,
      step: 'waits for its turn',
      obstacle,
      stop: new AbortController(),
      wake,
      ended: Promise.resolve(),
    }
    this.#working.set(uid, entry)
    entry.ended = (before?.ended ?? Promise.resolve()).then(() => this.#carryOut(uid, entry, work))
  }

  /** Lets the run that asks for a discriminator go on. */
  grant(uid: string): void {
    this.#working.get(uid)?.claim?.grant()
  }

  /** Ends the run that asks for a discriminator; what it asked for is remembered. */
  refuse(uid: string): void {
    const entry = this.#working.get(uid)
    if (entry?.claim === undefined) return
    entry.claim.refused = true
    entry.stop.abort(new DOMException('the discriminator belongs to others', 'AbortError'))
  }

  /** Ends the environment's run and comes back when it has ended; forgets it. */
  async stop(uid: string): Promise<void> {
    const entry = this.#working.get(uid)
    entry?.stop.abort(new DOMException('the environment is being removed', 'AbortError'))
    await entry?.ended
    this.#ended.delete(uid)
  }

  /** Ends all runs and comes back when they have ended. */
  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#working.values()]
    for (const { stop } of all) stop.abort(handingOver)
    await Promise.all(all.map(({ ended }) => ended))
  }

  async #carryOut(uid: string, entry: Entry, work: RunWork): Promise<void> {
    const { signal } = entry.stop
    try {
      const tell = tellerOf(entry, this.#clock)
      const run = (leave: () => void) =>
        reminding(this.#clock, toldAfter, tell, () => work(signal, controlsOf(entry, leave)))
      // What was rendered is kept in memory until its objects are ready.
      entry.outcome = await (entry.elsewhere
        ? this.#elsewhere.run(run, signal)
        : this.#inline.run(() => this.#gate.run(run, signal), signal))
    } catch (error) {
      const isPassing = entry.mode === 'deploy' && error instanceof ProjectError && error.transient
      entry.obstacle = isPassing ? messageOf(error) : undefined
      if (!signal.aborted && !isPassing) entry.outcome = failed(messageOf(error))
    }
    entry.working = false
    if (this.#working.get(uid) === entry) this.#working.delete(uid)
    if (entry.claim?.refused === true) this.#ended.set(uid, entry)
    // What was cut off has come to nothing.
    if (signal.aborted) return
    entry.endedAt = this.#clock.now()
    const isFailed = entry.obstacle !== undefined || (entry.outcome?.errors.length ?? 0) > 0
    entry.failures = isFailed ? entry.failures + 1 : 0
    this.#ended.set(uid, entry)
    entry.wake()
  }
}

/** Asks for a look where the step is another one than at the last look that it asked for. */
function tellerOf(entry: Entry, clock: Clock): () => void {
  let [next, interval] = [0, toldInterval]
  return () => {
    // A comparison says nothing before it has ended.
    if (entry.mode !== 'deploy' || entry.step === entry.told || clock.now() < next) return
    entry.told = entry.step
    next = clock.now() + interval
    interval *= 2
    entry.wake()
  }
}

function controlsOf(entry: Entry, leave: () => void): RunControls {
  return {
    step: what => (entry.step = what),
    announce: what => {
      entry.step = what
      entry.told = what
      entry.wake()
    },
    claim: discriminator => {
      entry.obstacle = undefined
      // Rendering is over, which is the heavy part: what follows waits for the cluster, maybe for long.
      if (!entry.elsewhere) leave()
      return ask(entry, discriminator)
    },
  }
}

function ask(entry: Entry, discriminator: string): Promise<void> {
  const { signal } = entry.stop
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const grant = () => {
      signal.removeEventListener('abort', onAbort)
      entry.claim = undefined
      resolve()
    }
    entry.claim = { discriminator, refused: false, grant }
    entry.wake()
  })
}

function failed(message: string): EngineOutcome {
  return { objects: 0, changed: 0, deleted: 0, errors: [message], warnings: [] }
}
