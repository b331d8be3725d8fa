import { runTool, toolEnvironment } from '../binaries/index.ts'
import { EngineError } from '../errors.ts'

/** The Git working tree around a project, worked on with the user's own git and identity. */
export class Worktree {
  readonly #folder: string
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #signal: AbortSignal

  constructor(folder: string, environment: Readonly<Record<string, string | undefined>>, signal: AbortSignal) {
    this.#folder = folder
    this.#environment = environment
    this.#signal = signal
  }

  /** @throws EngineError when a tracked file is changed, or `.helm-charts` holds anything new */
  async checkClean(): Promise<void> {
    const status = await this.#git(['status', '--porcelain', '-z', '--untracked-files=all'])
    for (const entry of status.split('\0')) {
      if (entry === '') continue
      if (/(?:^|\/)\.helm-charts\//.test(entry.slice(3))) {
        throw new EngineError('--commit can only be used when .helm-chart directory is clean')
      }
      if (!entry.startsWith('??')) {
        throw new EngineError('--commit can only be used when the git worktree is unmodified')
      }
    }
  }

  /** Commits what changed in some files and folders, and nothing else. @throws ToolError */
  async commit(paths: readonly string[], message: string): Promise<void> {
    const kept: string[] = []
    for (const path of paths) if (!(await this.#isIgnored(path))) kept.push(path)
    await this.#git(['add', '--all', '--', ...kept])
    // As it is: `--message` would end it with a line break.
    await this.#git(['commit', '--quiet', '--cleanup=verbatim', '--file=-', '--', ...kept], message)
  }

  /** Whether git is told to leave a path alone, as some projects do with pulled charts. */
  async #isIgnored(path: string): Promise<boolean> {
    const ignored = await this.#git(['status', '--porcelain', '-z', '--ignored', '--untracked-files=no', '--', path])
    return ignored
      .split('\0')
      .some(entry => entry.startsWith('!! ') && path.endsWith(entry.slice(3).replace(/\/$/, '')))
  }

  async #git(args: readonly string[], input?: string): Promise<string> {
    const names = ['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL']
    const identity = names.flatMap(name => {
      const value = this.#environment[name]
      return value === undefined ? [] : [[name, value]]
    })
    const env = toolEnvironment(this.#environment, Object.fromEntries(identity) as Record<string, string>)
    const { stdout } = await runTool('git', args, { env, cwd: this.#folder, input, signal: this.#signal })
    return stdout
  }
}
