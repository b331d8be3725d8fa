import { type ChildProcess, spawn } from 'node:child_process'
import { basename } from 'node:path'
import { ToolError } from './errors.ts'

/** Bounds and surroundings of one process. */
export interface ToolRun {
  /** The whole environment of the process; nothing of ours is passed on but what stands here. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string | undefined
  /** Written to standard input, which is closed after it. */
  readonly input?: string | Uint8Array | undefined
  /** Milliseconds; default five minutes. */
  readonly deadline?: number | undefined
  /** Most bytes of standard output; default 256 MiB. */
  readonly maxBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a process said. */
export interface ToolOutput {
  readonly stdout: string
  readonly stderr: string
}

const maxComplaint = 64 * 1024
let ownGroups = true

/**
 * From now on programs stay in this process's group instead of groups of their own: for a worker that is killed
 * together with everything it started.
 */
export function shareGroup(): void {
  ownGroups = false
}

/**
 * Runs a program without a shell in a process group of its own, which is killed as a whole when it takes too long,
 * says too much or the signal fires.
 * @throws ToolError in the program's own words; the signal's reason when aborted
 */
export async function runTool(file: string, args: readonly string[], run: ToolRun): Promise<ToolOutput> {
  run.signal?.throwIfAborted()
  const child = spawn(file, args, {
    env: { ...run.env },
    cwd: run.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: ownGroups,
  })
  return await collect(child, basename(file), run)
}

function collect(child: ChildProcess, name: string, run: ToolRun): Promise<ToolOutput> {
  const { deadline = 300_000, maxBytes = 256 * 1024 * 1024, signal } = run
  return new Promise((resolve, reject) => {
    const out: Buffer[] = []
    let size = 0
    let complaint = ''
    const fail = (error: unknown) => {
      if (ownGroups) killGroup(child.pid)
      else child.kill('SIGKILL')
      reject(error)
    }
    const onAbort = () => fail(signal?.reason)
    const timer = setTimeout(() => fail(new ToolError(`${name}: no end within ${deadline} ms`)), deadline)
    signal?.addEventListener('abort', onAbort, { once: true })
    child.stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) fail(new ToolError(`${name}: more than ${maxBytes} bytes of output`))
      else out.push(chunk)
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      if (complaint.length < maxComplaint) complaint += chunk.toString('utf8')
    })
    child.on('error', error => fail(new ToolError(`${name} cannot be started`, '', { cause: error })))
    // A program that ends before it has read all of its input is judged by its exit code.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(run.input ?? '')
    child.on('close', (code, killedBy) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      const stdout = Buffer.concat(out).toString('utf8')
      if (code === 0) resolve({ stdout, stderr: complaint })
      else reject(new ToolError(wordsOf(complaint, name, code ?? killedBy), stdout))
    })
  })
}

/** What the program complained of, without its log prefixes and without what may be a password in a URL. */
function wordsOf(complaint: string, name: string, end: number | string | null): string {
  const lines = complaint
    .split('\n')
    .filter(
      line =>
        !/^(?:[EWI]\d{4} |level=(?:WARN|INFO)\b|WARNING: |Flag --\S+ has been deprecated,|Use --debug flag to render|time=\S+ level=(?:WARN|INFO))/.test(
          line,
        ),
    )
  const text = lines.join('\n').trim() || complaint.trim()
  const words = text.replace(/^(?:Error|error): /, '').replaceAll(/\/\/[^/@\s]*@/g, '//***@')
  return words === '' ? `${name} ended with ${end}` : words
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: it has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
