import { randomUUID } from 'node:crypto'
import { KubeConnectionError, KubeError } from '../../kube/errors.ts'
import { messageOf } from '../../util/errors.ts'
import { findRemoteObjects, type RemoteObjects, type RemoteRequest } from '../cluster/remote-objects.ts'
import type { ClusterContext } from '../cluster/types.ts'
import { type Inclusion, inclusion } from '../deployment/inclusion.ts'
import { EngineError } from '../errors.ts'
import type { EngineHost } from '../host.ts'
import { usesTags } from '../plan/orphans.ts'
import { Problems } from '../plan/problems.ts'
import { noObject, refOf } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import type { TargetRun } from '../render/target-run.ts'
import { clusterId } from '../result/cluster-info.ts'
import { collectObjects, type Findings } from '../result/collect.ts'
import { type RepositoryState, repositoryState } from '../result/git-info.ts'
import { maskedResult, maskOf } from '../result/mask.ts'
import { type CommandCall, commandResult, type ResultOrigin, toldTarget } from '../result/new-result.ts'
import type { CommandResult } from '../result/types.ts'
import { type RenderFlags, withRenderedTarget } from './run.ts'

/** Flags of commands that work with the objects of a target on its cluster. */
export interface ClusterFlags extends RenderFlags {
  /** The context that was asked for instead of the target's; told in the result. */
  readonly context?: string | undefined
  /** Nothing is changed: what would happen is found out by dry-run requests. */
  readonly dryRun?: boolean | undefined
  /** The only namespaces that the account is meant to see. */
  readonly confinedTo?: readonly string[] | undefined
  /** Tells the cluster's id where the account itself may not read it. @throws KubeError */
  readonly clusterId?: ((signal: AbortSignal) => Promise<string>) | undefined
}

/** A result as it may be shown, and as it is. */
export interface Shown<T> {
  /** Data of Secrets and sensitive variables are hidden. */
  readonly masked: T
  /** For people who asked for it (`--no-obfuscate`). */
  readonly plain: T
}

/** A person said no. */
export class DeclinedError extends EngineError {
  override readonly name = 'DeclinedError'
}

/** A rendered target and the cluster it belongs to: what a command works with. */
export class ClusterRun {
  readonly run: TargetRun
  readonly context: ClusterContext
  readonly flags: ClusterFlags
  readonly #inclusion: Inclusion

  constructor(run: TargetRun, context: ClusterContext, flags: ClusterFlags) {
    this.run = run
    this.context = context
    this.flags = flags
    this.#inclusion = inclusion(flags.inclusion ?? {})
  }

  get problems(): Problems {
    return this.context.problems
  }

  /** Empty when the target has none. */
  get discriminator(): string {
    return this.run.target.discriminator ?? ''
  }

  get objects() {
    return this.run.items.flatMap(({ objects }) => [...objects])
  }

  get refs(): ObjectRef[] {
    return this.objects.map(refOf)
  }

  /** The same run with problems of its own, which begin with those that there are. */
  apart(): ClusterRun {
    return new ClusterRun(this.run, { ...this.context, problems: this.problems.clone() }, this.flags)
  }

  /** Objects with the discriminator, and those rendered. @throws KubeError, KubeConnectionError, the signal's reason */
  findRemote(request: Partial<RemoteRequest> = {}): Promise<RemoteObjects> {
    const { discriminator, refs } = this
    const { confinedTo } = this.flags
    return findRemoteObjects(this.context, { discriminator, refs, confinedTo, ...request })
  }

  /** What `delete` deletes, in order; without what is rendered it is what `prune` deletes. */
  deletable(remote: RemoteObjects, keep: readonly ObjectRef[] = []): ObjectRef[] {
    const hasTags = usesTags(this.flags.inclusion ?? {})
    return remote.toDelete({ discriminator: this.discriminator, inclusion: this.#inclusion, hasTags, keep })
  }

  /** Namespaces that the target has something in. */
  get namespaces(): string[] {
    return [...new Set(this.refs.flatMap(({ namespace }) => namespace ?? []))]
  }

  /** Whether there is a discriminator to find objects by; an error of the command where there is none. */
  requireDiscriminator(what: 'deletion' | 'pruning'): boolean {
    if (this.discriminator === '') {
      this.problems.addError(noObject, `${what} without a discriminator is not supported`)
    }
    return this.discriminator !== ''
  }

  warnWithoutDiscriminator(): void {
    if (this.discriminator !== '') return
    this.context.progress.warn('No discriminator configured. Orphan object detection will not work')
    this.problems.addWarning(noObject, 'no discriminator configured. Orphan object detection will not work')
  }
}

/**
 * Renders a target, lets `work` do something with it and its cluster, and makes the command's result of what it found.
 * What goes wrong on the cluster is in the result.
 * @throws EngineError when the target cannot be rendered, or there is no cluster
 */
export async function onCluster(
  host: EngineHost,
  flags: ClusterFlags,
  signal: AbortSignal,
  call: CommandCall,
  work: (run: ClusterRun) => Promise<Findings>,
): Promise<Shown<CommandResult>> {
  return withClusterRun(host, flags, signal, async (one, origin) => {
    const findings = await collected(one.problems, () => work(one))
    const { problems } = one
    const facts = await origin(problems)
    const outcome = { objects: collectObjects(findings), errors: problems.errors, warnings: problems.warnings }
    const plain = commandResult(facts, call, flags, outcome)
    return { plain, masked: maskedResult(plain, maskOf(one.run)) }
  })
}

/** Where a result comes from; `problems` takes what of it cannot be found out. */
export type OriginOf = (problems: Problems) => Promise<ResultOrigin>

/** Renders a target and connects it with its cluster for `use`. @throws EngineError */
export async function withClusterRun<T>(
  host: EngineHost,
  flags: ClusterFlags,
  signal: AbortSignal,
  use: (run: ClusterRun, origin: OriginOf) => Promise<T>,
): Promise<T> {
  const { cluster: kube, clock, progress } = host
  if (kube === undefined) throw new EngineError('this command needs a cluster, and there is no kubeconfig')
  const [id, began] = [randomUUID(), clock.now()]
  const cluster = settled((flags.clusterId ?? (during => clusterId(kube, during)))(signal))
  return withRenderedTarget(host, flags, signal, async run => {
    const repository = settled(repositoryState(run.project, host.environment, signal))
    const context = { kube, clock, progress, signal, problems: new Problems(), random: Math.random }
    return use(new ClusterRun(run, context, flags), async problems => ({
      id,
      told: toldTarget(run),
      repository: (await repository)(error => {
        problems.addWarning(noObject, `cannot tell the state of the Git repository: ${messageOf(error)}`)
        return unknownRepository
      }),
      clusterId: (await cluster)(error => {
        if (!(error instanceof KubeError && error.isForbidden)) problems.addWarning(noObject, error)
        return ''
      }),
      began,
      ended: clock.now(),
    }))
  })
}

const unknownRepository: RepositoryState = {
  gitInfo: { url: null, ref: null, subDir: '', commit: '', dirty: false },
  projectKey: { repoKey: '' },
}

/** What was found; nothing, and an error in `problems`, when the cluster stood in the way. */
async function collected(problems: Problems, work: () => Promise<Findings>): Promise<Findings> {
  try {
    return await work()
  } catch (error) {
    const isOurs = error instanceof EngineError && !(error instanceof DeclinedError)
    const isAbort = error instanceof DOMException && ['AbortError', 'TimeoutError'].includes(error.name)
    if (!isOurs && !isAbort && !(error instanceof KubeError || error instanceof KubeConnectionError)) throw error
    problems.addError(noObject, error)
    return {}
  }
}

/** Waits for a promise that may fail before anybody looks at it. */
async function settled<T>(promise: Promise<T>): Promise<(otherwise: (error: unknown) => T) => T> {
  try {
    const value = await promise
    return () => value
  } catch (error) {
    return otherwise => otherwise(error)
  }
}
