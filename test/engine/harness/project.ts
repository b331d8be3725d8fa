import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Io } from '../../../src/cli/io.ts'
import { run } from '../../../src/cli/program.ts'
import { type Clock, systemClock } from '../../../src/util/clock.ts'

/** What a command printed, and how it ended. */
export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** What a test replaces of the process that a command runs in. */
export interface Surroundings {
  clock?: Clock
  signal?: AbortSignal
  /** Standard output and standard error are a terminal. */
  terminal?: boolean
  /** Gets what is written on standard error, as it comes. */
  onStderr?: (text: string) => void
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

/** Runs the command line in this process, with something typed into its standard input. */
export async function offshoot(
  args: readonly string[],
  env: Record<string, string> = {},
  typed?: string,
  { clock = systemClock, signal, terminal = false, onStderr }: Surroundings = {},
): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const writeError = (text: string) => {
    stderr += text
    onStderr?.(text)
  }
  const io: Io = {
    stdin: (async function* () {
      if (typed !== undefined) yield typed
    })(),
    stdout: { write: text => (stdout += text), isTTY: terminal },
    stderr: { write: writeError, isTTY: terminal },
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    clock,
    signal: signal ?? new AbortController().signal,
  }
  const code = await run(args, io)
  return { code, stdout, stderr }
}

/** A ConfigMap with this data. */
export function configMap(name: string, data: Record<string, string> = {}, metadata = ''): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${value}\n`)
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${metadata}data:\n${lines.join('')}`
}

/** An object as a test looks at it. */
export interface Shown {
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  data?: Record<string, string>
}

/** The objects that `render --print-all` printed; fails with the command's words when it failed. */
export function objects({ code, stdout, stderr }: Outcome): Shown[] {
  if (code !== 0) throw new Error(stderr)
  return parseAllDocuments(stdout).map(document => document.toJS() as Shown)
}

/** `data` of all objects by name. */
export function data(outcome: Outcome): Record<string, Record<string, string> | undefined> {
  return Object.fromEntries(objects(outcome).map(object => [object.metadata.name, object.data]))
}

/** Tags of all objects by name, in order. */
export function tags(outcome: Outcome): Record<string, string[]> {
  const entries = objects(outcome).map(({ metadata: { name, labels = {} } }) => {
    const found: string[] = []
    for (let index = 0; ; index++) {
      const tag = labels[`kluctl.io/tag-${index}`]
      if (tag === undefined) return [name, found] as const
      found.push(tag)
    }
  })
  return Object.fromEntries(entries)
}

/** What the command wrote on standard error besides its progress, with the project's folder as `DIR`. */
export function complaint(project: TestProject, { stderr }: Outcome): string {
  return stderr.replaceAll(project.folder, 'DIR').replaceAll(/^[✓✗].*\n/gm, '')
}
