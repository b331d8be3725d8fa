import { stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { runTool, ToolError, toolEnvironment } from '../binaries/index.ts'
import type { ProjectPlace } from '../project/load.ts'
import { parseRemote } from './repo-key.ts'
import type { GitInfo, ProjectKey } from './types.ts'

/** What is told of the repository around a project. */
export interface RepositoryState {
  readonly gitInfo: GitInfo
  readonly projectKey: ProjectKey
}

const nothing: RepositoryState = {
  gitInfo: { url: null, ref: null, subDir: '', commit: '', dirty: false },
  projectKey: { repoKey: '' },
}

/**
 * Commit, branch, origin and cleanness of the working tree around a project; empty when there is no repository.
 * @throws ToolError when git cannot be run or cannot read the repository
 */
export async function repositoryState(
  place: ProjectPlace,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<RepositoryState> {
  if ((await stat(join(place.root, '.git')).catch(() => undefined)) === undefined) return nothing
  // A repository's own configuration may name programs to run: reading its state must not start them.
  const guard = ['-c', 'core.fsmonitor=false', '-c', 'core.untrackedCache=false']
  const env = toolEnvironment(environment, { GIT_OPTIONAL_LOCKS: '0' })
  const git = async (...args: string[]) => {
    const { stdout } = await runTool('git', [...guard, ...args], { env, cwd: place.root, deadline: 60_000, signal })
    return stdout
  }
  const [status, origin] = await Promise.all([
    git('status', '--porcelain=v2', '--branch', '-z', '--untracked-files=normal', '--no-renames'),
    git('config', '--get-all', 'remote.origin.url').catch(error => {
      // git ends with 1 and without a word when there is no such setting.
      if (error instanceof ToolError) return ''
      throw error
    }),
  ])
  const subDir = relative(place.root, place.folder)
  const remote = parseRemote(origin.split('\n')[0] ?? '')
  return {
    gitInfo: { url: remote?.url ?? null, subDir, ...parseStatus(status) },
    projectKey: { repoKey: remote?.key ?? '', ...(subDir === '' ? {} : { subDir }) },
  }
}

/** Reads `git status --porcelain=v2 --branch -z` (git's documentation, "Porcelain Format Version 2"). */
export function parseStatus(status: string): Pick<GitInfo, 'ref' | 'commit' | 'dirty'> {
  let commit = ''
  let branch: string | undefined
  let dirty = false
  for (const entry of status.split('\0')) {
    if (entry.startsWith('# branch.oid ')) commit = entry.slice(13)
    else if (entry.startsWith('# branch.head ')) branch = entry.slice(14)
    else if (entry !== '' && !entry.startsWith('# ')) dirty = true
  }
  if (commit === '(initial)') return { ref: null, commit: '', dirty }
  return { ref: branch === undefined || branch === '(detached)' ? null : { branch }, commit, dirty }
}
