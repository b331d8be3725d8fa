import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GitError, GitStore, type Remote } from '../../src/git/index.ts'
import { systemClock } from '../../src/util/clock.ts'
import { gitEnvironment } from '../harness/forge/bare-repository.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { FakeRepository } from '../harness/forge/repository.ts'

/** A store in a folder of its own, and a Git host with one repository. */
export interface GitScene extends AsyncDisposable {
  folder: string
  host: FakeForge
  shop: FakeRepository
  store: GitStore
  remote: Remote
  /** The commit of `main`. */
  main(): string
}

export async function gitScene(): Promise<GitScene> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-test-'))
  const host = await startFakeForge()
  const files = { 'a.txt': 'one\n', 'deploy/x.yaml': 'x: 1\n' }
  const shop = await host.createRepository('acme/shop', { files })
  return {
    folder,
    host,
    shop,
    store: new GitStore({ folder: join(folder, 'store'), clock: systemClock, allowFile: true }),
    remote: { url: shop.url },
    main: () => shop.branches.get('main') ?? '',
    [Symbol.asyncDispose]: async () => {
      await host.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Kind of the GitError that the work ends with. */
export function kindOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    value => `no error: ${JSON.stringify(value)}`,
    error => (error instanceof GitError ? error.kind : String(error)),
  )
}

/** A repository in a folder, with commits made by git itself. */
export async function localRepository(
  parent: string,
  fill: (path: string, git: (...args: string[]) => Promise<string>) => Promise<void>,
) {
  const path = await mkdtemp(join(parent, 'local-'))
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com']
    return (await promisify(execFile)('git', [...identity, ...args], { cwd: path, env: gitEnvironment })).stdout.trim()
  }
  await git('init', '-q', '-b', 'main')
  await git('config', 'uploadpack.allowAnySHA1InWant', 'true')
  await fill(path, git)
  return { remote: { url: path }, path, git, sha: await git('rev-parse', 'HEAD') }
}
