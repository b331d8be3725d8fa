import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { GitError, type GitErrorKind } from './errors.ts'
import { gitEnvironment } from './git-environment.ts'
import type { CheckedRemote } from './remote.ts'

/** Bounds of one git process. */
export interface RunOptions {
  /** The remote it talks to; without one it may talk to none. */
  remote?: CheckedRemote
  /** Milliseconds; default a minute. */
  deadline?: number
  /** Most bytes of standard output; default 64 MiB. */
  maxBytes?: number
  signal?: AbortSignal | undefined
  /** Takes standard output as it comes, instead of collecting it. */
  onData?: (chunk: Buffer) => void
}

const maxErrorBytes = 16 * 1024

/**
 * Runs git, without a shell, in an environment of its own, and gives its standard output.
 * @throws GitError when it fails, takes too long or says too much; the signal's reason when aborted.
 */
export async function runGit(args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  await using environment = await gitEnvironment(options.remote)
  options.signal?.throwIfAborted()
  // A group of its own: the helpers that git starts end with it.
  const child = spawn('git', args, { env: environment.variables, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  return await collect(child, args, options)
}

function collect(child: ChildProcessByStdio<null, Readable, Readable>, args: readonly string[], options: RunOptions) {
  const { deadline = 60_000, maxBytes = 64 * 1024 * 1024, signal, onData } = options
  const verb = args.find(arg => !arg.startsWith('-') && !arg.includes('/')) ?? 'git'
  return new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let complaint = ''
    const fail = (error: unknown) => {
      kill(child.pid)
      reject(error)
    }
    const onAbort = () => fail(signal?.reason)
    const timer = setTimeout(
      () => fail(new GitError('unavailable', `git ${verb}: no end within ${deadline} ms`)),
      deadline,
    )
    signal?.addEventListener('abort', onAbort, { once: true })
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) return fail(new GitError('tooLarge', `git ${verb}: more than ${maxBytes} bytes`))
      if (onData) onData(chunk)
      else chunks.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < maxErrorBytes) complaint += chunk.toString('utf8')
    })
    child.on('error', error => fail(new GitError('unavailable', 'git cannot be started', { cause: error })))
    child.on('close', code => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      if (code === 0) resolve(Buffer.concat(chunks))
      else reject(failureOf(verb, complaint))
    })
  })
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: it has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** In git's words, and in ours where those speak of a terminal that nobody looks at. */
function failureOf(verb: string, complaint: string): GitError {
  const hint = /could not read Username/.test(complaint) ? 'authentication required: ' : ''
  return new GitError(kindOf(complaint), `git ${verb}: ${hint}${firstLine(complaint)}`)
}

/** Git has one exit code for everything; its words (LC_ALL=C) are all there is, and only choose the kind. */
function kindOf(complaint: string): GitErrorKind {
  if (/Authentication failed|could not read Username|Permission denied|error: 40[13]\b/.test(complaint))
    return 'unauthorized'
  if (/not our ref|unadvertised object|couldn't find remote ref/.test(complaint)) return 'notFound'
  if (/expected shallow list|does not support (?:shallow|--depth)/i.test(complaint)) return 'unsupported'
  if (/transport '.*' not allowed|invalid refspec/.test(complaint)) return 'invalid'
  return 'unavailable'
}

/** One line for people, without control characters, and without what may be a password in a URL. */
function firstLine(complaint: string): string {
  const lines = complaint.split('\n')
  const line = lines.find(it => /^(fatal|error|remote):/.test(it)) ?? lines[0] ?? ''
  return (
    line
      .replaceAll(/\/\/[^/@\s]*@/g, '//***@')
      .replaceAll(/\p{Cc}+/gu, ' ')
      .slice(0, 300) || 'failed'
  )
}
