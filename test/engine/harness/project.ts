import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Io } from '../../../src/cli/io.ts'
import { run } from '../../../src/cli/program.ts'
import { systemClock } from '../../../src/util/clock.ts'

/** What a command printed, and how it ended. */
export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** A Kluctl project in a Git repository of its own, to run commands in. */
export class TestProject implements AsyncDisposable {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** A repository with these files: path to content. */
  static async of(files: Record<string, string>): Promise<TestProject> {
    const project = new TestProject(await realpath(await mkdtemp(join(tmpdir(), 'offshoot-project-'))))
    await project.write(files)
    execFileSync('git', ['init', '--quiet', project.folder])
    return project
  }

  /** A repository with a copy of a folder. */
  static async copy(folder: string): Promise<TestProject> {
    const project = await TestProject.of({})
    await cp(folder, project.folder, { recursive: true })
    return project
  }

  async write(files: Record<string, string>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
    }
  }

  /** Commits all files. */
  commit(message = 'commit'): string {
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', this.folder, '-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], {
        encoding: 'utf8',
      })
    git('add', '--all')
    git('commit', '--quiet', '--message', message)
    return git('rev-parse', 'HEAD').trim()
  }

  /** Runs a command of the command line in the project's folder (or one below). */
  run(args: readonly string[], env: Record<string, string> = {}, below = '.'): Promise<Outcome> {
    return offshoot([...args, '--project-dir', join(this.folder, below)], env)
  }

  /** `render --offline-kubernetes --print-all` */
  render(args: readonly string[] = [], env: Record<string, string> = {}, below = '.'): Promise<Outcome> {
    const flags = ['--offline-kubernetes', '--kubernetes-version', '1.36.0', '--print-all']
    return this.run(['render', ...flags, ...args], env, below)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Runs the command line in this process. */
export async function offshoot(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const io: Io = {
    stdin: (async function* () {})(),
    stdout: { write: text => (stdout += text) },
    stderr: { write: text => (stderr += text) },
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    clock: systemClock,
    signal: new AbortController().signal,
  }
  const code = await run(args, io)
  return { code, stdout, stderr }
}
