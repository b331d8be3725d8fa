import { execFileSync } from 'node:child_process'
import { basename, dirname } from 'node:path'
import { EngineError } from '../errors.ts'

/** The commit that last changed a file of a working copy, for `load_latest_git_commit`. @throws EngineError */
export function latestCommit(path: string): string {
  const args = ['-c', 'core.fsmonitor=false', 'log', '-1', '--format=%H', '--', basename(path)]
  let commit: string
  try {
    commit = execFileSync('git', args, {
      cwd: dirname(path),
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  } catch (cause) {
    throw new EngineError(`cannot find the last commit of ${path}`, { cause })
  }
  if (commit === '') throw new EngineError(`No commits found for path: ${path}`)
  return commit
}
