import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { packageFile } from '../../util/package-files.ts'

/** Bounds of a worker and of everything that it starts. */
export interface WorkerLimits {
  /** Milliseconds until it is killed. */
  readonly deadline: number
  /** MiB of JavaScript's heap. */
  readonly heap: number
  /** MiB of one file that is written. */
  readonly fileSize: number
  /** Bytes of the objects, as JSON. */
  readonly output: number
}

/** Room for large projects, and an end for what never comes to one. */
export const workerLimits: WorkerLimits = { deadline: 120_000, heap: 1024, fileSize: 512, output: 64 * 1024 * 1024 }

/** The worker's file: of the sources, or as it was built. */
function mainFile(): string {
  return packageFile(import.meta.url.endsWith('.ts') ? 'src/engine/worker/main.ts' : 'dist/engine/worker/main.js')
}

/**
 * Starts the worker, in a group of its own and with nothing of our environment: Node's permission model lets it read
 * the engine's code and the folders given, and write to its scratch folder; the kernel bounds its processor time and
 * files; where the system lets us, it has a network of its own, which is empty.
 */
export async function startCaged(
  readable: readonly string[],
  scratch: string,
  programs: readonly string[],
  limits: WorkerLimits,
): Promise<ChildProcess> {
  const node = [
    process.execPath,
    '--permission',
    '--allow-child-process',
    ...[...codeFolders(), ...readable, ...programs, scratch].map(folder => `--allow-fs-read=${folder}`),
    `--allow-fs-write=${scratch}`,
    `--max-old-space-size=${limits.heap}`,
    '--disallow-code-generation-from-strings',
    '--no-warnings',
    mainFile(),
  ]
  const cpuSeconds = Math.ceil(limits.deadline / 1000) * 2 + 10
  const blocks = limits.fileSize * 2048
  const script = `ulimit -c 0 -t ${cpuSeconds} 2>/dev/null || { ulimit -c 0; ulimit -t ${cpuSeconds}; }; ulimit -f ${blocks}; exec "$@"`
  const isolated = (await hasNamespaces()) ? ['unshare', '--user', '--map-current-user', '--net', '--'] : []
  return spawn('/bin/sh', ['-c', script, 'sh', ...isolated, ...node], {
    cwd: scratch,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: scratch, TMPDIR: scratch, LANG: 'C.UTF-8' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    detached: true,
  })
}

/** Kills the worker with everything that it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: nothing of it is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The engine's code and its packages, which may be installed beside it or further up. */
function codeFolders(): string[] {
  const packages = createRequire(import.meta.url).resolve('yaml')
  const modules = packages.slice(0, packages.lastIndexOf('node_modules') + 'node_modules'.length)
  const own = ['src', 'dist', 'package.json', 'node_modules'].map(name => packageFile(name))
  return [...new Set([...own, modules])]
}

let namespaces: Promise<boolean> | undefined

/** Whether this system lets us make a network namespace without being root: the cage then has no network at all. */
export function hasNamespaces(): Promise<boolean> {
  namespaces ??= new Promise(resolve => {
    const args = ['--user', '--map-current-user', '--net', '--', 'true']
    execFile('unshare', args, { timeout: 10_000 }, error => resolve(error === null))
  })
  return namespaces
}
