import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../util/clock.ts'
import { credentialKey } from '../util/credential.ts'
import { GitError } from './errors.ts'
import { type ExportLimits, exportTree } from './export.ts'
import { withinSize } from './fetch-size.ts'
import { listBranches, listRefs, type RemoteBranches, type RemoteRefs, resolveRef } from './list-branches.ts'
import { withLock } from './lock.ts'
import { type CheckedRemote, checkRemote, type Remote } from './remote.ts'
import { runGit } from './run.ts'
import { removeFolder, tidy } from './tidy.ts'
import { checkPath, chosen, readTree } from './tree.ts'

/** Where commits are kept, and how many. */
export interface GitStoreOptions {
  /** Folder of this store; several processes may share it. */
  folder: string
  clock: Clock
  /** Lets remotes be folders of this machine. */
  allowFile?: boolean
  /** Repositories kept; the least recently used are removed. Default 200. */
  maxRepositories?: number
  /** Commits kept of one repository before it starts anew. Default 500. */
  maxCommits?: number
  /** Milliseconds for one fetch. Default two minutes. */
  fetchDeadline?: number
  /** Bytes that one fetch may bring. Default 1 GiB. */
  maxFetchBytes?: number
  /** Bounds of a checkout. Default 50,000 files and 512 MiB. */
  checkout?: ExportLimits
}

/** Files of a commit in a folder of its own, which goes when this is disposed of. */
export interface Checkout extends AsyncDisposable {
  folder: string
  sha: string
}

/**
 * Commits of remote repositories, fetched one by one without history and kept in bare repositories, one per remote
 * and credential: who lost a credential reads nothing that it fetched.
 */
export class GitStore {
  readonly #options: Required<GitStoreOptions>

  constructor(options: GitStoreOptions) {
    const defaults = {
      allowFile: false,
      maxRepositories: 200,
      maxCommits: 500,
      fetchDeadline: 120_000,
      maxFetchBytes: 1024 ** 3,
    }
    this.#options = { ...defaults, checkout: { files: 50_000, bytes: 512 * 1024 * 1024 }, ...options }
  }

  /** Branches of the remote: all of them, or an error. @throws GitError */
  async listBranches(remote: Remote, signal?: AbortSignal): Promise<RemoteBranches> {
    return listBranches(checkRemote(remote, this.#options), signal)
  }

  /** Branches and tags of the remote: all of them, or an error. @throws GitError */
  async listRefs(remote: Remote, signal?: AbortSignal): Promise<RemoteRefs> {
    return listRefs(checkRemote(remote, this.#options), signal)
  }

  /** The commit of a branch, a tag or a full ref name. @throws GitError `notFound` and others */
  async resolveRef(remote: Remote, ref: string, signal?: AbortSignal): Promise<string> {
    return resolveRef(checkRemote(remote, this.#options), ref, signal)
  }

  /**
   * A file at a commit as UTF-8 text; undefined if the commit does not hold it.
   * @throws GitError `tooLarge`; `invalid` for what is no regular file or no text; and others
   */
  async readFile(
    remote: Remote,
    sha: string,
    path: string,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    checkPath(path)
    const gitDir = await this.#withCommit(remote, sha, signal)
    const [entry] = await readTree(gitDir, sha, path, signal)
    if (entry === undefined) return undefined
    if (entry.mode !== 'file' && entry.mode !== 'executable')
      throw new GitError('invalid', `${path} is not a regular file`)
    if (entry.size > maxBytes) throw new GitError('tooLarge', `${path} is larger than ${maxBytes} bytes`)
    const bytes = await runGit([`--git-dir=${gitDir}`, 'cat-file', 'blob', entry.id], { signal })
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch (error) {
      throw new GitError('invalid', `${path} is not UTF-8 text`, { cause: error })
    }
  }

  /**
   * Writes the commit's files into a new folder, without a `.git`. With `only`, those of these files that there are;
   * where a link may be on the way to one, all files.
   * @throws GitError
   */
  async checkout(remote: Remote, sha: string, signal?: AbortSignal, only?: readonly string[]): Promise<Checkout> {
    const gitDir = await this.#withCommit(remote, sha, signal)
    const entries = chosen(await readTree(gitDir, sha, undefined, signal), only)
    const parent = join(this.#options.folder, 'checkouts')
    await mkdir(parent, { recursive: true, mode: 0o700 })
    const folder = await mkdtemp(join(parent, `${sha.slice(0, 12)}-`))
    const dispose = () => rm(folder, { recursive: true, force: true })
    try {
      await exportTree(gitDir, entries, folder, this.#options.checkout, signal)
    } catch (error) {
      await dispose()
      throw error
    }
    return { folder, sha, [Symbol.asyncDispose]: dispose }
  }

  /** Folder of a bare repository that holds the commit, fetched if need be. */
  async #withCommit(remote: Remote, sha: string, signal?: AbortSignal): Promise<string> {
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(sha))
      throw new GitError('invalid', `not a commit: ${JSON.stringify(sha.slice(0, 80))}`)
    const checked = checkRemote(remote, this.#options)
    const identity = JSON.stringify([checked.url, credentialKey(checked.credential)])
    const key = createHash('sha256').update(identity).digest('hex').slice(0, 32)
    const gitDir = join(this.#options.folder, 'repositories', `${key}.git`)
    if (!(await hasCommit(gitDir, sha, signal))) {
      const { clock, fetchDeadline } = this.#options
      await mkdir(join(this.#options.folder, 'repositories'), { recursive: true, mode: 0o700 })
      await withLock(`${gitDir}.lock`, { clock, deadline: fetchDeadline * 2, signal }, async () => {
        if (!(await hasCommit(gitDir, sha, signal))) await this.#fetch(gitDir, checked, sha, signal)
      })
      await tidy(this.#options, gitDir)
    }
    const now = new Date(this.#options.clock.now())
    await utimes(gitDir, now, now)
    return gitDir
  }

  async #fetch(gitDir: string, remote: CheckedRemote, sha: string, signal?: AbortSignal): Promise<void> {
    await this.#prepare(gitDir)
    const fetch = async (refspec: string, ...more: string[]) => {
      const args = [
        `--git-dir=${gitDir}`,
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        ...more,
        '--',
        remote.url,
        refspec,
      ]
      const { fetchDeadline: deadline, maxFetchBytes } = this.#options
      await withinSize(gitDir, maxFetchBytes, signal, bounded => runGit(args, { remote, signal: bounded, deadline }))
    }
    const only = `+${sha}:refs/offshoot/${sha}`
    try {
      await fetch(only, '--depth=1').catch(error => {
        // Simple servers give whole histories only.
        if (!(error instanceof GitError) || error.kind !== 'unsupported') throw error
        return fetch(only)
      })
    } catch (error) {
      // Some servers give only what a ref points to: then take the branches, and see whether one holds it.
      if (!(error instanceof GitError) || error.kind !== 'notFound') throw error
      await fetch('+refs/heads/*:refs/offshoot/heads/*')
      if (!(await hasCommit(gitDir, sha, signal)))
        throw new GitError('notFound', `the remote has no commit ${sha}`, { cause: error })
    }
  }

  /** An empty repository, or the one that is there, without the locks of a fetch that was killed. */
  async #prepare(gitDir: string): Promise<void> {
    const refs = await readdir(join(gitDir, 'refs', 'offshoot')).catch(() => [])
    if (refs.length > this.#options.maxCommits) await removeFolder(gitDir)
    const stale = refs.filter(name => name.endsWith('.lock')).map(name => join('refs', 'offshoot', name))
    for (const name of ['shallow.lock', 'packed-refs.lock', ...stale]) await rm(join(gitDir, name), { force: true })
    if (await stat(join(gitDir, 'HEAD')).catch(() => undefined)) return
    const fresh = `${gitDir}.${randomUUID()}`
    await runGit(['init', '--quiet', '--bare', '--template=', '--', fresh])
    await removeFolder(gitDir)
    await rename(fresh, gitDir)
  }
}

async function hasCommit(gitDir: string, sha: string, signal?: AbortSignal): Promise<boolean> {
  if (!(await stat(join(gitDir, 'HEAD')).catch(() => undefined))) return false
  try {
    await runGit([`--git-dir=${gitDir}`, 'cat-file', '-e', `${sha}^{commit}`], { signal })
    return true
  } catch (error) {
    if (error instanceof GitError) return false
    throw error
  }
}
