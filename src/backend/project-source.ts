import { stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { LoadedTarget } from '../engine/commands/load-target.ts'
import { EngineError, MissingError } from '../engine/errors.ts'
import type { GitRef } from '../engine/host.ts'
import type { JsonObject } from '../engine/values.ts'
import { loadUntrustedTarget } from '../engine/worker/index.ts'
import { type Checkout, GitError, type GitStore, type Remote } from '../git/index.ts'
import type { Clock } from '../util/clock.ts'
import { type Credential, credentialKey } from '../util/credential.ts'
import { TerminalError } from '../util/errors.ts'
import { Gate } from '../util/gate.ts'
import { LruMap } from '../util/lru.ts'
import { digestOf } from './digest.ts'
import { projectErrorOf } from './project-error.ts'

/** Where a Kluctl project is; without a ref at its repository's default branch. */
export interface ProjectLocation {
  url: string
  /** Folder of the project inside the repository; empty for its root. */
  path: string
  ref?: GitRef | undefined
}

/** A Kluctl project at one commit, and what opens its repository. */
export interface PinnedProject {
  remote: Remote
  path: string
  commit: string
}

/** A project's files: the whole repository at one commit, in a folder of its own that goes when this is disposed of. */
export interface ProjectCheckout extends AsyncDisposable {
  /** Of the repository. */
  root: string
  /** The project's folder, relative to the root. */
  project: string
  commit: string
}

/** Which target of a project, with which arguments. */
export interface TargetRequest {
  target?: string | undefined
  args: JsonObject
}

/** What project sources are made of. */
export interface ProjectSourcesOptions {
  git: GitStore
  clock: Clock
  /** Bounds of a load, in milliseconds. Default 30 seconds. */
  loadDeadline?: number
}

/** How long a branch or tag is believed to mean the same commit, in milliseconds. */
const refFresh = 60_000
/** How long a project that cannot be loaded is not loaded again for the same question, in milliseconds. */
const failureFresh = 5 * 60_000
/** Longest `.kluctl.yaml`, in bytes. */
const maxConfig = 1024 * 1024
/** Fetches and cages at a time, and loads of one repository: one that is slow on purpose holds nobody else up. */
const fetchesAtOnce = 8
const cagesAtOnce = 4
const loadsOfRepository = 2
const maxKept = 5_000

interface Load {
  readonly promise: Promise<LoadedTarget>
  until: number
}

/**
 * Kluctl projects in Git repositories, for whoever deploys them: which commit a ref means, a commit's files, and one
 * target of it. A project is not trusted: what it says is worked out in a caged worker.
 */
export class ProjectSources {
  readonly #options: ProjectSourcesOptions
  readonly #refs = new LruMap<string, { at: number; commit: Promise<string> }>(maxKept)
  readonly #loads = new LruMap<string, Load>(maxKept)
  readonly #fetches = new Gate(fetchesAtOnce)
  readonly #cages = new Gate(cagesAtOnce)
  readonly #gates = new LruMap<string, Gate>(maxKept)
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()

  constructor(options: ProjectSourcesOptions) {
    this.#options = options
  }

  /**
   * The commit that a project's ref means, as of a minute ago at most.
   * @throws ProjectError, TerminalError
   */
  async pin(
    { url, path, ref = {} }: ProjectLocation,
    credential: Credential | undefined,
    signal: AbortSignal,
  ): Promise<PinnedProject> {
    const remote: Remote = { url, ...(credential === undefined ? {} : { credential }) }
    const pinned = (commit: string) => ({ remote, path: normal(path), commit })
    if (ref.commit) return pinned(ref.commit)
    const name = ref.branch ? `refs/heads/${ref.branch}` : ref.tag ? `refs/tags/${ref.tag}` : undefined
    const key = digestOf([url, credentialKey(credential), name ?? null])
    const now = this.#options.clock.now()
    let known = this.#refs.get(key)
    if (known === undefined || now - known.at >= refFresh) {
      // Others wait for it too: nobody's own signal ends it.
      const commit = this.#keep(this.#resolve(remote, name))
      known = { at: now, commit }
      this.#refs.set(key, known)
      commit.catch(() => this.#refs.delete(key))
    }
    try {
      return pinned(await beforeAbort(known.commit, signal))
    } catch (error) {
      throw signal.aborted ? error : projectErrorOf(`${name ?? 'the default branch'} of ${url}`, error)
    }
  }

  /** Writes all files of the project's commit into a folder. @throws ProjectError, TerminalError */
  async checkout(project: PinnedProject, signal: AbortSignal): Promise<ProjectCheckout> {
    const { remote, path, commit } = project
    let files: Checkout
    try {
      files = await this.#options.git.checkout(remote, commit, signal)
    } catch (error) {
      throw signal.aborted ? error : projectErrorOf(nameOf(project), error)
    }
    return {
      root: files.folder,
      project: path,
      commit,
      [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
    }
  }

  /**
   * A target of the project, loaded once for each commit, target and arguments. Undefined when that takes longer than
   * `patience` milliseconds: it goes on meanwhile, and who asks again later gets it.
   * @throws ProjectError, TerminalError
   */
  async loadTarget(
    project: PinnedProject,
    request: TargetRequest,
    { patience, signal }: { patience: number; signal: AbortSignal },
  ): Promise<LoadedTarget | undefined> {
    const { remote, path, commit } = project
    const { target = '', args } = request
    const key = digestOf([remote.url, credentialKey(remote.credential), commit, path, target, args])
    let load = this.#loads.get(key)
    if (load === undefined || load.until <= this.#options.clock.now()) {
      load = this.#begin(key, project, request)
      this.#loads.set(key, load)
    }
    const waiting = new AbortController()
    const enough = this.#options.clock.sleep(patience, waiting.signal).then(
      () => undefined,
      () => undefined,
    )
    try {
      return await beforeAbort(Promise.race([load.promise, enough]), signal)
    } finally {
      waiting.abort()
    }
  }

  /** Ends what is being loaded. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('closing'))
    await Promise.allSettled(this.#running)
  }

  async #resolve(remote: Remote, name: string | undefined): Promise<string> {
    const { git } = this.#options
    const { signal } = this.#closing
    if (name !== undefined) return git.resolveRef(remote, name, signal)
    const { refs, defaultRef = '' } = await git.listRefs(remote, signal)
    const commit = refs.get(defaultRef)
    if (commit === undefined) throw new GitError('notFound', 'the remote does not say what its default branch is')
    return commit
  }

  #begin(key: string, project: PinnedProject, request: TargetRequest): Load {
    const { clock } = this.#options
    const { url } = project.remote
    const own = this.#gates.get(url) ?? new Gate(loadsOfRepository)
    this.#gates.set(url, own)
    const { signal } = this.#closing
    const promise = this.#keep(own.run(() => this.#load(project, request), signal)).catch((error: unknown) => {
      throw projectErrorOf(nameOf(project), error)
    })
    const load: Load = { promise, until: Number.POSITIVE_INFINITY }
    promise.catch((error: unknown) => {
      // A project's own mistake stays one; anything else is tried again at once.
      if (error instanceof TerminalError) load.until = clock.now() + failureFresh
      else this.#loads.delete(key)
    })
    return load
  }

  async #load({ remote, path, commit }: PinnedProject, { target, args }: TargetRequest): Promise<LoadedTarget> {
    const { signal } = this.#closing
    const configs = ['.kluctl.yml', '.kluctl.yaml'].map(name => posix.join(path, name))
    const checkout = () => this.#options.git.checkout(remote, commit, signal, configs)
    await using files = await this.#fetches.run(checkout, signal)
    const sizes = await Promise.all(configs.map(async name => (await infoOf(join(files.folder, name)))?.size))
    if (sizes.every(size => size === undefined)) throw new MissingError(`there is no ${configs[1]}`)
    const large = configs.find((_, at) => (sizes[at] ?? 0) > maxConfig)
    if (large !== undefined) throw new EngineError(`${large} is larger than ${maxConfig} bytes`)
    const { loadDeadline: deadline } = this.#options
    const limits = deadline === undefined ? {} : { deadline }
    const asked = { root: files.folder, project: path, target, args, limits }
    return await this.#cages.run(() => loadUntrustedTarget(asked, signal), signal)
  }

  #keep<T>(work: Promise<T>): Promise<T> {
    const kept = work.finally(() => this.#running.delete(kept))
    this.#running.add(kept)
    return kept
  }
}

/** A project as messages name it. */
function nameOf({ remote, path, commit }: PinnedProject): string {
  return `Kluctl project ${path === '.' ? '' : `${path} `}of ${remote.url} at ${commit.slice(0, 12)}`
}

/** The path inside the repository; one that leads out of it stays inside. */
function normal(path: string): string {
  return posix.join('/', path).slice(1).replace(/\/$/, '') || '.'
}

async function infoOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** The outcome, unless the signal comes first. */
function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
