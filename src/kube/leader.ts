import { type Clock, systemClock } from '../util/clock.ts'
import { messageOf, OffshootError } from '../util/errors.ts'
import { type Logger, silentLogger } from '../util/log.ts'
import type { KubeClient } from './client.ts'
import { KubeError } from './errors.ts'
import { jitter } from './retry.ts'
import type { KubeObject, ObjectKey } from './types.ts'

/** `coordination.k8s.io/v1` Lease. */
export type Lease = KubeObject & {
  spec?: {
    holderIdentity?: string | null
    leaseDurationSeconds?: number | null
    acquireTime?: string | null
    renewTime?: string | null
    leaseTransitions?: number | null
  }
}

/** Who leads, as the Lease says it. */
export interface Leader {
  identity: string
  annotations: Readonly<Record<string, string>>
}

/** How one candidate takes part. Durations are milliseconds and default to those of Kubernetes' own components. */
export interface LeaderElectorOptions {
  namespace: string
  /** Name of the Lease. */
  name: string
  /** This candidate, unique among all. */
  identity: string
  /** How long others wait after the last renewal they saw. Default 15,000. */
  leaseDuration?: number
  /** A leader that could not renew for this long steps down. Default 10,000. */
  renewDeadline?: number
  /** Between two tries. Default 2,000. */
  retryPeriod?: number
  /**
   * Put on the Lease while leading, such as the address where the leader takes requests. Undefined takes away what a
   * leader before put there: it speaks of nobody any more.
   */
  annotations?: Readonly<Record<string, string | undefined>>
  /** Began to lead; `signal` aborts when leadership ends. */
  onElected?: (signal: AbortSignal) => void
  /** Leadership ended without `close`. */
  onLost?: (reason: string) => void
  /** Another leader was seen. */
  onLeaderChange?: (leader: Leader | undefined) => void
  clock?: Clock
  /** Milliseconds that never jump; wall clocks do. */
  monotonic?: () => number
  random?: () => number
  log?: Logger
}

/**
 * Leader election by a Lease, as client-go's `leaderelection` does it: a candidate judges a lease by how long *it* has
 * seen no renewal, never by the times in it, so clocks may differ. There is at most one leader as long as clocks run
 * at nearly the same speed and `renewDeadline` is below `leaseDuration`.
 */
export class LeaderElector {
  readonly #client: Pick<KubeClient, 'get' | 'create' | 'replace'>
  readonly #options: LeaderElectorOptions
  readonly #key: ObjectKey
  readonly #clock: Clock
  readonly #monotonic: () => number
  readonly #log: Logger
  readonly #closing = new AbortController()
  readonly #leaseDuration: number
  readonly #renewDeadline: number
  readonly #retryPeriod: number
  #observed: Lease | undefined
  #observedAt = 0
  #leader: Leader | undefined
  #leading: AbortController | undefined
  #running: Promise<void> | undefined
  #renewedAt = 0
  #mustRead = true

  /** @throws OffshootError when the durations contradict each other */
  constructor(client: Pick<KubeClient, 'get' | 'create' | 'replace'>, options: LeaderElectorOptions) {
    this.#client = client
    this.#options = options
    this.#leaseDuration = options.leaseDuration ?? 15_000
    this.#renewDeadline = options.renewDeadline ?? 10_000
    this.#retryPeriod = options.retryPeriod ?? 2_000
    if (!(this.#retryPeriod < this.#renewDeadline && this.#renewDeadline < this.#leaseDuration)) {
      throw new OffshootError('leader election needs retryPeriod < renewDeadline < leaseDuration')
    }
    this.#clock = options.clock ?? systemClock
    this.#monotonic = options.monotonic ?? (() => performance.now())
    this.#log = (options.log ?? silentLogger).child({ lease: `${options.namespace}/${options.name}` })
    const { namespace, name } = options
    this.#key = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }
  }

  /** Becomes a candidate; further calls do nothing. */
  start(): this {
    this.#running ??= this.#run(this.#closing.signal)
    return this
  }

  /** False as soon as the lease may be another's, even when this process slept and has not noticed yet. */
  get isLeader(): boolean {
    return this.#leading !== undefined && this.#monotonic() - this.#renewedAt < this.#renewDeadline
  }

  /** The leader seen last, which may be this candidate. */
  get leader(): Leader | undefined {
    return this.#leader
  }

  /**
   * Ends candidacy. A leader gives the Lease back, so that the next one need not wait for its end: finish the work that
   * needs leadership first.
   */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the leader elector is closed'))
    await this.#running
    if (!this.#leading) return
    this.#leading.abort(new Error('leadership was given back'))
    this.#leading = undefined
    try {
      await this.#release()
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'the lease could not be released; it will expire')
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The start of a try counts, not its end: others may have seen the renewal that early.
      const triedAt = this.#monotonic()
      const left = this.#leading ? this.#renewedAt + this.#renewDeadline - triedAt : this.#renewDeadline
      if (left <= 0) {
        this.#stepDown('the lease could not be renewed in time')
        continue
      }
      try {
        // Half of the deadline, so that one dead connection leaves time for another try.
        const timeout = AbortSignal.timeout(Math.ceil(Math.min(left, this.#renewDeadline / 2)))
        if (await this.#tryAcquire(AbortSignal.any([signal, timeout]))) {
          this.#renewedAt = triedAt
          this.#lead()
        } else if (this.#leading) this.#stepDown('another candidate holds the lease')
      } catch (error) {
        if (signal.aborted) return
        this.#log.warn({ error: messageOf(error), leading: this.isLeader }, 'the lease could not be read or written')
      }
      const pause = jitter(this.#retryPeriod, this.#options.random ?? Math.random)
      const rest = this.#leading ? this.#renewedAt + this.#renewDeadline - this.#monotonic() : pause
      await this.#clock.sleep(Math.max(0, Math.min(pause, rest)), signal).catch(() => undefined)
    }
  }

  /** One try to take or renew the lease; false while somebody else holds it. */
  async #tryAcquire(signal: AbortSignal): Promise<boolean> {
    // A leader knows its own last write; whoever came between is told apart by the conflict.
    if (this.#mustRead) this.#observe(await this.#client.get<Lease>(this.#key, { signal }))
    const lease = this.#observed
    this.#mustRead = true
    const holder = lease?.spec?.holderIdentity ?? ''
    if (lease && holder !== '' && holder !== this.#options.identity && !this.#isExpired(lease)) return false
    try {
      const wanted = this.#claim(lease)
      const written = lease
        ? await this.#client.replace(wanted, { signal })
        : await this.#client.create(wanted, { signal })
      this.#observe(written)
      this.#mustRead = false
      return true
    } catch (error) {
      // Losing a race is no news for a candidate; a leader reads again before it believes that it has lost.
      if (!this.#leading && error instanceof KubeError && (error.isConflict || error.isAlreadyExists)) return false
      throw error
    }
  }

  #isExpired(lease: Lease): boolean {
    const duration = (lease.spec?.leaseDurationSeconds ?? 0) * 1000 || this.#leaseDuration
    return this.#monotonic() - this.#observedAt >= duration
  }

  #observe(lease: Lease | undefined): void {
    const known = this.#observed?.metadata
    if (known?.uid !== lease?.metadata.uid || known?.resourceVersion !== lease?.metadata.resourceVersion) {
      this.#observed = lease
      this.#observedAt = this.#monotonic()
    }
    const identity = lease?.spec?.holderIdentity ?? ''
    const leader = identity === '' ? undefined : { identity, annotations: lease?.metadata.annotations ?? {} }
    const changed = leader?.identity !== this.#leader?.identity
    this.#leader = leader
    if (changed) this.#options.onLeaderChange?.(leader)
  }

  #claim(lease: Lease | undefined): Lease {
    const { identity, namespace, name, annotations } = this.#options
    const isMine = lease?.spec?.holderIdentity === identity
    const now = new Date(this.#clock.now()).toISOString().replace('Z', '000Z')
    const transitions = lease?.spec?.leaseTransitions ?? 0
    const { apiVersion, kind } = this.#key
    return {
      apiVersion,
      kind,
      metadata: {
        ...(lease?.metadata ?? { namespace, name }),
        annotations: defined({ ...lease?.metadata.annotations, ...annotations }),
      },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#leaseDuration / 1000),
        acquireTime: isMine ? (lease.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: lease && !isMine ? transitions + 1 : transitions,
      },
    }
  }

  #lead(): void {
    if (this.#leading) return
    this.#leading = new AbortController()
    this.#log.info({ identity: this.#options.identity }, 'leading')
    this.#options.onElected?.(this.#leading.signal)
  }

  #stepDown(reason: string): void {
    this.#leading?.abort(new Error(`leadership was lost: ${reason}`))
    this.#leading = undefined
    this.#log.warn({ reason }, 'leadership was lost')
    this.#options.onLost?.(reason)
  }

  async #release(): Promise<void> {
    const signal = AbortSignal.timeout(this.#renewDeadline)
    const lease = await this.#client.get<Lease>(this.#key, { signal })
    if (lease?.spec?.holderIdentity !== this.#options.identity) return
    // The resourceVersion makes this lose against anybody who has taken the lease meanwhile.
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }
    await this.#client.replace({ ...lease, spec }, { signal })
  }
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
