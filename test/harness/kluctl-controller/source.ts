import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** `spec.source.git`. */
export interface GitSource {
  url: string
  path?: string
  ref?: { branch?: string; tag?: string; commit?: string }
}

/** A project's files at one commit. */
export interface Checkout {
  commit: string
  branch?: string
  /** Path inside the project's folder to text. */
  files: Map<string, string>
}

/** Mirrors repositories as kluctl does: heads and tags only, so a commit of a fork's pull request is not there (K11). */
export class Sources {
  readonly #mirrors = new Map<string, Promise<string>>()
  readonly #fetching = new Map<string, Promise<unknown>>()

  /** @param authorization value of the header that opens the repository over HTTP */
  async checkout(source: GitSource, authorization?: string): Promise<Checkout> {
    const opened = authorization === undefined ? [] : ['-c', `http.extraHeader=Authorization: ${authorization}`]
    const folder = await this.#mirror(source.url)
    const refspecs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']
    await this.#alone(folder, () => git(folder, [...opened, 'fetch', '--quiet', '--prune', source.url, ...refspecs]))
    const { commit: pinned, tag, branch } = source.ref ?? {}
    const name =
      branch ??
      (pinned === undefined && tag === undefined ? await defaultBranch(folder, source.url, opened) : undefined)
    const revision = pinned ?? (tag === undefined ? `refs/heads/${name}` : `refs/tags/${tag}`)
    const commit = (
      await git(folder, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]).catch(() => '')
    ).trim()
    if (commit === '') throw new Error(`ref ${revision} not found in ${source.url}`)
    const files = await filesOf(folder, commit, source.path ?? '')
    return { commit, files, ...(name === undefined ? {} : { branch: name }) }
  }

  async close(): Promise<void> {
    const folders = await Promise.all(this.#mirrors.values())
    await Promise.all(folders.map(folder => rm(folder, { recursive: true, force: true })))
  }

  /** One fetch at a time: git locks the refs. */
  async #alone<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const before = this.#fetching.get(folder) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#fetching.set(folder, mine)
    return mine
  }

  #mirror(url: string): Promise<string> {
    const known = this.#mirrors.get(url)
    if (known) return known
    const creating = createMirror()
    this.#mirrors.set(url, creating)
    return creating
  }
}

async function createMirror(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-kluctl-'))
  await git(folder, ['init', '--quiet', '--bare'])
  return folder
}

async function defaultBranch(folder: string, url: string, opened: string[]): Promise<string> {
  const head = await git(folder, [...opened, 'ls-remote', '--symref', url, 'HEAD'])
  return /^ref: refs\/heads\/(\S+)/.exec(head)?.[1] ?? 'main'
}

async function filesOf(folder: string, commit: string, path: string): Promise<Map<string, string>> {
  const prefix = path === '' ? '' : `${path.replace(/\/+$/, '')}/`
  const listing = await git(folder, ['ls-tree', '-r', '--name-only', commit])
  const names = listing.split('\n').filter(name => name !== '' && name.startsWith(prefix))
  const texts = await Promise.all(names.map(name => git(folder, ['show', `${commit}:${name}`])))
  return new Map(names.map((name, index) => [name.slice(prefix.length), texts[index] ?? '']))
}

async function git(folder: string, args: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: folder, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' }
  const { stdout } = await run('git', ['-C', folder, ...args], { env, timeout: 20_000, maxBuffer: 32 * 1024 * 1024 })
  return stdout
}
