import { realpath, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { Checkout, GitStore, Remote, RemoteRefs } from '../../git/index.ts'
import { systemClock } from '../../util/clock.ts'
import { type Credential, credentialKey } from '../../util/credential.ts'
import { parseRepositoryUrl } from '../../util/repository-url.ts'
import { EngineError, within } from '../errors.ts'
import type { FetchedTree, GitAccess, GitRef } from '../host.ts'
import { RememberedRefs } from './remembered-refs.ts'

/** A local folder instead of a remote repository, or of all repositories below a prefix. */
export interface RepositoryOverride {
  /** `host/path`, lower case, without `.git`. */
  readonly key: string
  readonly folder: string
  readonly group: boolean
}

/** What Git access needs. */
export interface GitAccessOptions {
  readonly store: GitStore
  readonly overrides: readonly RepositoryOverride[]
  /** Branches and tags seen so far; default: each repository is asked once. */
  readonly refs?: RememberedRefs | undefined
  /** What opens a repository. */
  credential(url: string): Promise<Credential | undefined>
}

/** Repositories through the shared store, each commit checked out once per run; disposing removes the checkouts. */
export class StoredGitAccess implements GitAccess, AsyncDisposable {
  readonly #options: GitAccessOptions
  readonly #refs: RememberedRefs
  readonly #checkouts = new Map<string, Promise<Checkout>>()

  constructor(options: GitAccessOptions) {
    this.#options = options
    this.#refs = options.refs ?? new RememberedRefs({ folder: '', freshFor: 0, clock: systemClock })
  }

  async checkout(url: string, ref: GitRef | undefined, signal: AbortSignal): Promise<FetchedTree> {
    const local = await overrideFor(url, this.#options.overrides)
    if (local !== undefined) return { folder: local, revision: 'local' }
    try {
      const remote = await this.#remote(url)
      const sha = await this.#resolve(remote, ref, signal)
      const key = `${url} ${sha}`
      let checkout = this.#checkouts.get(key)
      if (checkout === undefined) {
        checkout = this.#options.store.checkout(remote, sha, signal)
        this.#checkouts.set(key, checkout)
        checkout.catch(() => this.#checkouts.delete(key))
      }
      return { folder: (await checkout).folder, revision: sha }
    } catch (error) {
      signal.throwIfAborted()
      throw within(`failed to clone git repository ${url}`, error)
    }
  }

  async listRefs(url: string, signal: AbortSignal) {
    try {
      const { refs, defaultRef } = await this.#refsOf(await this.#remote(url), signal)
      return { refs, defaultRef: defaultRef ?? 'refs/heads/main' }
    } catch (error) {
      signal.throwIfAborted()
      throw within(`failed to list refs of git repository ${url}`, error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const settled = await Promise.allSettled(this.#checkouts.values())
    for (const one of settled) if (one.status === 'fulfilled') await one.value[Symbol.asyncDispose]()
  }

  async #remote(url: string): Promise<Remote> {
    const credential = await this.#options.credential(url)
    return credential === undefined ? { url } : { url, credential }
  }

  #refsOf(remote: Remote, signal: AbortSignal): Promise<RemoteRefs> {
    const key = `${remote.url} ${credentialKey(remote.credential)}`
    return this.#refs.of(key, () => this.#options.store.listRefs(remote, signal))
  }

  async #resolve(remote: Remote, ref: GitRef | undefined, signal: AbortSignal): Promise<string> {
    if (ref?.commit) return ref.commit
    const { refs, defaultRef } = await this.#refsOf(remote, signal)
    const wanted = ref?.branch ? `refs/heads/${ref.branch}` : ref?.tag ? `refs/tags/${ref.tag}` : defaultRef
    if (wanted === undefined) throw new EngineError('the repository has no default branch')
    const sha = refs.get(wanted)
    if (sha === undefined) throw new EngineError(`ref ${wanted} not found`)
    return sha
  }
}

/** The folder that stands in for a repository, if there is one. */
export async function overrideFor(url: string, overrides: readonly RepositoryOverride[]): Promise<string | undefined> {
  if (overrides.length === 0) return undefined
  const { host, path } = parseRepositoryUrl(url.replace(/^oci:/, 'https:'))
  const key = `${host}/${path}`.toLowerCase()
  for (const { key: wanted, folder, group } of overrides) {
    if (group ? !key.startsWith(`${wanted}/`) : key !== wanted) continue
    const below = group ? posix.normalize(key.slice(wanted.length + 1)) : '.'
    const local = join(folder, below.startsWith('..') ? '.' : below)
    const info = await stat(local).catch(() => undefined)
    if (info === undefined) continue
    if (!info.isDirectory()) throw new EngineError(`can not override repo ${key}. ${local} is not a directory`)
    return realpath(local)
  }
  return undefined
}

/** Reads `host/path=/folder`. @throws EngineError */
export function parseOverride(text: string, group: boolean, flag: string): RepositoryOverride {
  const at = text.indexOf('=')
  const key = text
    .slice(0, at)
    .replace(/^(?:git|oci):\/\//, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .toLowerCase()
  if (at < 0 || !key.includes('/')) throw new EngineError(`invalid ${flag}: expected host/path=/folder, got ${text}`)
  return { key, folder: text.slice(at + 1), group }
}
