import { annotations, type ChangeIdentity, changeKey, type ReviewProject } from '../api/index.ts'
import { EngineRuns } from '../backend/engine/runs.ts'
import { engineBackend } from '../backend/engine.ts'
import { kluctlDeploymentBackend } from '../backend/kluctl-deployment.ts'
import { objectsBackend } from '../backend/objects.ts'
import { Budget } from '../feedback/index.ts'
import type { ForgeType } from '../forge/forge.ts'
import { LeaderElector } from '../kube/leader.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { messageOf } from '../util/errors.ts'
import { Gate } from '../util/gate.ts'
import type { Logger } from '../util/log.ts'
import { type ControllerContext, defaultLimits } from './context.ts'
import { Farewells } from './farewells.ts'
import { ForgeAccess } from './forge-access.ts'
import { Freshness } from './freshness.ts'
import { GitSecrets } from './git-secrets.ts'
import type { Place } from './keys.ts'
import { KluctlWatch } from './kluctl-watch.ts'
import { KeyedLocks } from './locks.ts'
import { type ControllerMetrics, controllerMetrics } from './metrics.ts'
import type { ControllerOptions } from './options.ts'
import { CommitCache } from './overrides.ts'
import { defaultWorkers, Queues } from './queues.ts'
import { createStores, type Stores } from './stores.ts'
import { Term } from './term.ts'

/** How long running work may take to end when the controller stops, in milliseconds. */
const drainTime = 15_000

/** More would only keep what was begun from its end: two cores are busy with so many. */
const creationsAtOnce = 4

/**
 * Watches the cluster, and works while it leads: one queue of keys per kind of work. All state is in the cluster and
 * at the forge, so it may be killed at any time. Answers what the HTTP server asks from memory.
 */
export class Controller {
  readonly #options: ControllerOptions
  readonly #clock: Clock
  readonly #random: () => number
  readonly #log: Logger
  readonly #stores: Stores
  readonly #metrics: ControllerMetrics
  readonly #elector: LeaderElector | undefined
  readonly #forges: ForgeAccess
  readonly #gitSecrets: GitSecrets
  readonly #commits = new CommitCache()
  readonly #budget: Budget
  readonly #kluctl: KluctlWatch
  #queues: Queues | undefined
  #term: Term | undefined
  #ending: Promise<void> | undefined
  #stopping = false

  constructor(options: ControllerOptions) {
    const { kube, registry, election, log } = options
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    this.#log = log
    const watching = { namespaces: options.namespaces ?? [], clock: this.#clock, log, random: this.#random }
    this.#stores = createStores(kube, watching)
    this.#forges = new ForgeAccess(kube, options.forges, this.#clock, options.githubApp)
    this.#gitSecrets = new GitSecrets(kube, this.#forges, this.#clock)
    this.#budget = new Budget(this.#clock, options.feedbackLimits)
    this.#kluctl = new KluctlWatch(kube, this.#stores, watching)
    this.#metrics = controllerMetrics(registry, {
      stores: this.#stores,
      queues: () => this.#queues?.byName ?? new Map(),
      leading: () => this.leading,
    })
    if (election !== undefined) this.#elector = this.#createElector(election)
  }

  /** Begins to watch, and to work as soon as everything is known and this replica leads. Returns at once. */
  start(): void {
    for (const informer of this.#informers()) informer.start()
    Promise.all(this.#informers().map(informer => informer.synced)).then(
      () => {
        if (this.#stopping) return
        if (this.#elector === undefined) this.#beginTerm()
        else this.#elector.start()
      },
      error => this.#log.error({ error: messageOf(error) }, 'the controller cannot begin'),
    )
  }

  /** Ends the term in order (running work gets some seconds), gives the Lease back, closes the watches. */
  async stop(milliseconds = drainTime): Promise<void> {
    this.#stopping = true
    await this.#endTerm(milliseconds)
    await this.#elector?.close()
    await this.#kluctl.close()
    await Promise.all(this.#informers().map(informer => informer.close()))
    await this.#options.events.close()
  }

  /** Whether this replica does the work now. */
  get leading(): boolean {
    const { accepting = false, failure } = this.#term ?? {}
    return accepting && failure === undefined && (this.#elector?.isLeader ?? true)
  }

  /** Why it cannot serve yet; undefined when it holds everything there is. */
  notReady(): string | undefined {
    if (this.#stopping) return 'stopping'
    const failure = this.#term?.failure
    if (failure !== undefined) return `the workers have stopped: ${failure}`
    const missing = Object.entries(this.#stores).filter(([, informer]) => !informer.hasSynced)
    return missing.length === 0 ? undefined : `waiting for ${missing.map(([name]) => name).join(', ')}`
  }

  /** Whether it leads and has nothing to do: no key waits for a worker or is worked on. */
  get quiet(): boolean {
    return this.leading && this.idle
  }

  /** Whether no key waits for a worker or is worked on, leading or not. */
  get idle(): boolean {
    const queues = [...(this.#queues?.byName.values() ?? [])]
    return queues.every(({ length, active }) => length === 0 && active === 0)
  }

  /** Who leads, with what its Lease carries. */
  get leader(): { identity: string; annotations: Readonly<Record<string, string>> } | undefined {
    return this.#elector?.leader
  }

  /** This replica's name in the Lease; undefined without leader election. */
  identity(): string | undefined {
    return this.#options.election?.identity
  }

  /** Another replica that leads, and where it takes deliveries; undefined when this one leads, or it is not known. */
  otherLeader(): { identity: string; url: string } | undefined {
    const { identity, annotations: noted } = this.#elector?.leader ?? {}
    const url = noted?.[annotations.address]
    return identity === undefined || identity === this.identity() || url === undefined ? undefined : { identity, url }
  }

  /** Whether a delivery may be answered 202: this replica leads and acts on it. */
  accepting(): boolean {
    return this.leading
  }

  project(namespace: string, name: string): ReviewProject | undefined {
    return this.#stores.projects.get(namespace, name)
  }

  /** Projects that follow a repository with one of these keys at this type of forge. */
  listening(type: ForgeType, keys: readonly string[]): ReviewProject[] {
    const found = keys.flatMap(key => this.#stores.projects.byIndex('repository', key))
    return [...new Set(found)].filter(({ spec }) => spec.source.forge.type === type)
  }

  /**
   * Asks for one change to be looked at. A 202 after `true` is safe: every term begins with a listing of every project,
   * and a change that is asked for while it is worked on is worked on again. When the queue is full, a listing of the
   * project stands for it.
   */
  enqueue({ namespace, name }: Place, change: ChangeIdentity): boolean {
    const term = this.#term
    if (term === undefined || !this.leading) return false
    return (
      term.offer({ kind: 'change', namespace, name, change: changeKey(change) }) ||
      term.offer({ kind: 'listing', namespace, name })
    )
  }

  /** What the informers hold; for views of the cluster, such as a dashboard. */
  get stores(): Readonly<Stores> {
    return this.#stores
  }

  #informers() {
    return Object.values(this.#stores)
  }

  #createElector(election: NonNullable<ControllerOptions['election']>): LeaderElector {
    return new LeaderElector(this.#options.kube, {
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      ...election,
      onElected: signal => {
        election.onElected?.(signal)
        this.#beginTerm()
        signal.addEventListener('abort', () => void this.#endTerm(0), { once: true })
      },
    })
  }

  #beginTerm(): void {
    if (this.#stopping) return
    // A term that was just lost may still be ending: two of them never work at a time.
    const before = this.#ending
    const begin = () => {
      if (this.#stopping || this.#term !== undefined || this.#elector?.isLeader === false) return
      const queues = this.#createQueues()
      this.#queues = queues
      const context = this.#createContext(queues)
      this.#term = new Term(context, queues)
      this.#kluctl.begin(queues)
      this.#log.info({}, 'leading')
    }
    if (before === undefined) begin()
    else before.then(begin, begin)
  }

  async #endTerm(milliseconds: number): Promise<void> {
    const term = this.#term
    if (term === undefined) return this.#ending
    this.#term = undefined
    this.#kluctl.end()
    const ending = term.end(milliseconds).finally(() => {
      if (this.#ending === ending) this.#ending = undefined
    })
    this.#ending = ending
    await ending
    this.#log.info({}, 'no longer leading')
  }

  #createQueues(): Queues {
    return new Queues({
      stores: this.#stores,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      metrics: this.#metrics,
      workers: { ...defaultWorkers, ...this.#options.workers },
    })
  }

  #createContext(enqueue: Queues): ControllerContext {
    const {
      kube,
      events,
      limits,
      projects,
      deployer,
      jobs = false,
      installation = '',
      namespaces = [],
      allowedClusterRoles,
      webhookUrl: url,
    } = this.#options
    return {
      kube,
      backends: {
        objects: objectsBackend(),
        kluctlDeployment: kluctlDeploymentBackend({ discriminators: this.#kluctl.discriminators, projects }),
        engine: engineBackend({
          runs: new EngineRuns({ clock: this.#clock }),
          discriminators: this.#kluctl.discriminators,
          carryOut: deployer,
          jobs,
          wake: place => enqueue.now({ kind: 'environment', ...place }),
        }),
        ...this.#options.backends,
      },
      projects,
      kluctl: this.#kluctl,
      enqueue,
      installation,
      namespaces,
      ...(allowedClusterRoles === undefined ? {} : { allowedClusterRoles }),
      stores: this.#stores,
      forges: this.#forges,
      gitSecrets: this.#gitSecrets,
      ...(url === undefined ? {} : { repair: { url, metrics: this.#metrics.repair } }),
      commits: this.#commits,
      budget: this.#budget,
      locks: new KeyedLocks(),
      creations: new Gate(creationsAtOnce),
      freshness: new Freshness(),
      farewells: new Farewells(this.#clock),
      looked: new Set(),
      wantedAgain: new Set(),
      event: (about, event) => events.record(about, event),
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      limits: { ...defaultLimits, ...limits },
    }
  }
}
