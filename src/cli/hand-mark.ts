import {
  annotations,
  type ByHand,
  byHandOf,
  deployingByHand,
  findCondition,
  type ReviewEnvironment,
  sinceOf,
} from '../api/index.ts'
import { conflictOr, Retrier } from '../engine/cluster/retrying.ts'
import type { KubeClient } from '../kube/client.ts'
import { KubeConnectionError, KubeError } from '../kube/errors.ts'
import type { Clock } from '../util/clock.ts'
import { messageOf } from '../util/errors.ts'
import { environmentKind } from './cluster.ts'
import { CliError, exitCodes } from './exit.ts'
import { printable } from './io.ts'

/** How long the controller may take to step aside, and how often it is looked for, in milliseconds. */
const answerTime = 120_000
const lookEvery = 250
/** The same for one that waits for somebody to change something: then it may not get as far as to answer. */
const stalledTime = 15_000
/** How long the end of a deployment may take to be written, in milliseconds. */
const endTime = 10_000
/** Most characters of what the annotation holds; see its schema. */
const maxName = 512
const maxDiscriminator = 1024
/** How often a lost race for the annotation is run again. */
const maxTries = 10

/** Who deploys what, where. */
export interface HandMarkOptions {
  readonly kube: KubeClient
  readonly environment: ReviewEnvironment
  readonly clock: Clock
  /** Name of the person. */
  readonly by: string
  /** Hears of somebody else's deployment, which this one would replace; throws when it may not. */
  readonly tell: (other: ByHand) => Promise<void>
  /** Hears of what went wrong besides. */
  readonly warn: (message: string) => void
}

/**
 * The annotation that says who deploys into an environment by hand. The controller answers it in the status: it ends
 * what it does there itself, and records the discriminator unless that belongs to others. Of two people who begin at
 * once one is told of the other.
 */
export class HandMark {
  readonly #options: HandMarkOptions
  readonly #told = new Set<string>()
  #mine: ByHand | undefined

  constructor(options: HandMarkOptions) {
    this.#options = options
  }

  /** Tells of others at once, before anything else takes its time. */
  async tellOfOthers(environment = this.#options.environment): Promise<void> {
    const other = byHandOf(environment)
    if (other === undefined || this.#told.has(`${other.by} ${other.at}`)) return
    if (this.#mine !== undefined && isOurs(environment, this.#mine)) return
    // What the same account does at this moment may be another person's, or another job's.
    if (other.by === this.#options.by && other.state !== 'deploying') return
    await this.#options.tell(other)
    this.#told.add(`${other.by} ${other.at}`)
  }

  /**
   * Takes the environment, and comes back when the controller has stepped aside.
   * @throws CliError when it may not have the discriminator, or does not answer; the environment is given back then
   */
  async take(discriminator: string, signal: AbortSignal): Promise<void> {
    const { by, clock, environment } = this.#options
    const { revision } = environment.spec
    if (revision === undefined) throw new CliError(`${environment.metadata.name} has no commit yet: wait until it has`)
    const mine: ByHand = {
      by: by.slice(0, maxName),
      at: new Date(clock.now()).toISOString(),
      revision,
      state: 'deploying',
      discriminator: discriminator.slice(0, maxDiscriminator),
    }
    this.#mine = mine
    try {
      await this.#write(JSON.stringify(mine), signal, async found => {
        // What was rendered belongs to the commit that was wanted then.
        if (found.spec.revision !== revision) throw new CliError('a newer commit was pushed meanwhile: begin again')
        await this.tellOfOthers(found)
        return true
      })
      await this.#untilAnswered(mine, signal)
    } catch (error) {
      // Whether it was written is not known when the answer was lost.
      await this.#giveBack()
      const isKube = error instanceof KubeError || error instanceof KubeConnectionError
      throw isKube
        ? new CliError(`cannot mark the environment: ${error.message}`, undefined, undefined, { cause: error })
        : error
    }
  }

  /** Writes how it ended; gives what people should know besides. @throws KubeError */
  async end(state: 'succeeded' | 'failed'): Promise<string | undefined> {
    const mine = this.#mine
    if (mine === undefined) return undefined
    let news: string | undefined
    await this.#write(JSON.stringify({ ...mine, state }), AbortSignal.timeout(endTime), async found => {
      news = newsOf(found, mine)
      return isOurs(found, mine)
    })
    return news
  }

  /** What went wrong before is what people are to hear of. */
  async #giveBack(): Promise<void> {
    const mine = this.#mine
    this.#mine = undefined
    if (mine === undefined) return
    const { environment, warn } = this.#options
    try {
      await this.#write(null, AbortSignal.timeout(endTime), async found => isOurs(found, mine))
    } catch (error) {
      warn(`${environment.metadata.name} may still say that you deploy by hand: ${messageOf(error)}`)
    }
  }

  async #untilAnswered(mine: ByHand, signal: AbortSignal): Promise<void> {
    const { clock, environment } = this.#options
    const began = clock.now()
    for (;;) {
      const found = await this.#get(signal)
      if (!isOurs(found, mine)) throw new CliError(newsOf(found, mine) ?? 'the mark of this deployment was taken away')
      const told = found.status?.conditions?.find(({ message }) => message.includes(sinceOf(mine)))
      if (told?.reason === deployingByHand) return
      if (told !== undefined) throw new CliError(told.message)
      const stalled = findCondition(found.status?.conditions, 'Stalled')
      if (clock.now() - began >= (stalled?.status === 'True' ? stalledTime : answerTime)) {
        const { name } = environment.metadata
        const why = stalled?.status === 'True' ? `: ${stalled.message}` : ''
        throw new CliError(
          `Offshoot does not step aside for ${name}, and nothing was deployed${why}`,
          exitCodes.timedOut,
          `offshoot env show ${name}`,
        )
      }
      await clock.sleep(lookEvery, signal)
    }
  }

  #write(value: string | null, signal: AbortSignal, check: Check): Promise<void> {
    return writeMark(this.#options, value, signal, check)
  }

  #get(signal: AbortSignal): Promise<ReviewEnvironment> {
    return again(this.#options.kube, this.#options.environment, signal)
  }
}

/** Whether the annotation is to be written on an environment as it is now; throws when it must not. */
type Check = (found: ReviewEnvironment) => Promise<boolean>

/**
 * Writes the annotation, or takes it off, unless `check` says that it is not to be; what was checked is what is written.
 * @throws CliError when the environment is gone, KubeError
 */
export async function writeMark(
  { kube, environment, clock }: Pick<HandMarkOptions, 'kube' | 'environment' | 'clock'>,
  value: string | null,
  signal: AbortSignal,
  check: Check,
): Promise<void> {
  const retrier = new Retrier({ clock, random: Math.random })
  for (let tries = 1; ; tries++) {
    const found = await retrier.run(() => again(kube, environment, signal), signal)
    if (!(await check(found))) return
    const { namespace, name, uid, resourceVersion } = found.metadata
    const metadata = { uid, resourceVersion, annotations: { [annotations.byHand]: value } }
    const key = { ...environmentKind, namespace, name }
    const patch = () => conflictOr(kube.patch(key, { metadata }, { type: 'merge', signal }))
    const answer = await retrier.run(patch, signal)
    if (!(answer instanceof KubeError)) return
    if (tries === maxTries) throw answer
  }
}

/** The environment as it is now; another one of its name is not it. @throws CliError */
async function again(
  kube: KubeClient,
  { metadata: { namespace, name, uid } }: ReviewEnvironment,
  signal: AbortSignal,
): Promise<ReviewEnvironment> {
  const found = await kube.get<ReviewEnvironment>({ ...environmentKind, namespace, name }, { signal })
  if (found === undefined || found.metadata.uid !== uid) throw new CliError(`${name} is gone`, exitCodes.notFound)
  return found
}

function isOurs({ metadata }: ReviewEnvironment, mine: ByHand): boolean {
  return metadata.annotations?.[annotations.byHand] === JSON.stringify(mine)
}

function newsOf(found: ReviewEnvironment, mine: ByHand): string | undefined {
  if (found.spec.revision !== mine.revision) return 'a newer commit was pushed meanwhile: the controller deploys that'
  if (isOurs(found, mine)) return undefined
  const other = byHandOf(found)
  if (other === undefined) return 'somebody let the environment follow its change again meanwhile'
  return `${printable(other.by)} deploys into this environment too, since ${other.at}`
}
