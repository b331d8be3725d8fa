import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { ServeDependencies } from '../../src/cli/serve-run.ts'
import { parseServeSettings } from '../../src/cli/serve-settings.ts'
import { messageOf } from '../../src/util/errors.ts'
import { freePorts } from './ports.ts'
import { waitFor } from './wait.ts'

/** How Offshoot is started. */
export interface OffshootOptions {
  /** Kubeconfig of the restricted account; never the administrator's. */
  kubeconfig: string
  /** The controller's own namespace. */
  namespace: string
  /** Namespaces with projects; nothing outside them is touched. */
  watchNamespaces: readonly string[]
  /** `inProcess` is fast; `childProcess` can be killed. Default: inProcess. */
  mode?: 'inProcess' | 'childProcess'
  /** What a child process runs; default: the sources. */
  program?: string
  /** Take turns by a Lease; default false. */
  leaderElection?: boolean
  /** Tells the other replicas where it takes webhooks; default false. */
  advertised?: boolean
  allowedClusterRoles?: readonly string[]
  /** File with the installation's webhook secrets. */
  webhookSecretFile?: string
  /** `start` returns when it takes webhooks (default), or already when its informers hold everything. */
  waitUntil?: 'leading' | 'synced'
  /** Port for webhooks; default: a free one. */
  port?: number
  /** Waits of the controller, shortened; only in process. */
  limits?: NonNullable<ServeDependencies['limits']>
  /** More flags of `offshoot serve`, as setting to value. */
  settings?: Readonly<Record<string, unknown>>
}

/** Offshoot as it runs for a test. */
export interface TestOffshoot {
  /** Where webhooks arrive; stays the same over restarts. */
  url: string
  metricsUrl: string
  /** Everything it logged, oldest first; the last 20,000 lines. */
  log: string[]
  /** Ends it as SIGTERM does. */
  stop(): Promise<void>
  /** Ends it as kill -9 does; only for a child process. */
  kill(): Promise<void>
  /** Starts it again after `stop` or `kill`. */
  start(): Promise<void>
}

const run = promisify(execFile)
const main = join(import.meta.dirname, '../../src/cli/main.ts')
const maxLog = 20_000

/** Where Node keeps the compiled modules of child processes: many start on few cores, and compiling is most of it. */
const compiled = { NODE_COMPILE_CACHE: join(tmpdir(), `offshoot-compiled-${process.pid}`) }
let warm: Promise<void> | undefined

/** Fills the cache, which a process that is killed never does. */
function warmUp(): Promise<void> {
  const modules = ['program.ts', 'serve-run.ts'].map(name => pathToFileURL(join(main, '..', name)).href)
  const script = modules.map(url => `await import(${JSON.stringify(url)})`).join(';')
  const options = { env: { ...process.env, ...compiled }, timeout: 60_000 }
  process.once('exit', () => rmSync(compiled.NODE_COMPILE_CACHE, { recursive: true, force: true }))
  // Without it everything works, only slower.
  return run(process.execPath, ['--input-type=module', '-e', script], options).then(
    () => undefined,
    () => undefined,
  )
}

/** Starts Offshoot and returns when it takes webhooks. */
export async function startOffshoot(options: OffshootOptions): Promise<TestOffshoot> {
  const [first = 0, metrics = 0] = await freePorts(2)
  const port = options.port ?? first
  const log: string[] = []
  const keep = (line: string) => {
    if (log.push(line) > maxLog) log.shift()
  }
  const flags = {
    listen: `127.0.0.1:${port}`,
    metricsListen: `127.0.0.1:${metrics}`,
    namespace: options.namespace,
    watchNamespace: [...options.watchNamespaces],
    leaderElection: options.leaderElection ?? false,
    logLevel: 'debug',
    ...(options.advertised ? { advertiseAddress: `127.0.0.1:${port}` } : {}),
    ...(options.allowedClusterRoles ? { allowedClusterRole: [...options.allowedClusterRoles] } : {}),
    ...(options.webhookSecretFile === undefined ? {} : { webhookSecretFile: options.webhookSecretFile }),
    ...options.settings,
  }
  const launch = options.mode === 'childProcess' ? launchChild : launchInProcess
  const url = `http://127.0.0.1:${port}`
  let running: Running | undefined
  const offshoot: TestOffshoot = {
    url,
    metricsUrl: `http://127.0.0.1:${metrics}`,
    log,
    start: async () => {
      running = await launch(flags, options, keep)
      const ready = () => isReady(url, running, options.waitUntil ?? 'leading')
      await waitFor(ready, {
        deadline: 90_000,
        describe: () => `Offshoot to be ready:\n${log.slice(-20).join('\n')}`,
      }).catch(async (error: unknown) => {
        // Whoever asked for it never gets hold of it, and is told why it failed, not how it ended.
        await offshoot.stop().catch(() => undefined)
        throw error
      })
    },
    stop: async () => {
      await running?.stop().catch((error: unknown) => {
        throw new Error(`${messageOf(error)}; the end of its log:\n${log.slice(-20).join('\n')}`, { cause: error })
      })
      running = undefined
    },
    kill: async () => {
      if (!running?.kill) throw new Error('only a child process can be killed')
      await running.kill()
      running = undefined
    },
  }
  await offshoot.start()
  return offshoot
}

interface Running {
  stop(): Promise<void>
  kill?(): Promise<void>
  /** Why it ended, once it has. */
  ended(): string | undefined
}

async function isReady(url: string, running: Running | undefined, until: 'leading' | 'synced'): Promise<boolean> {
  const ended = running?.ended()
  if (ended !== undefined) throw new Error(`Offshoot ended: ${ended}`)
  const signal = AbortSignal.timeout(5_000)
  if (until === 'synced') return (await fetch(`${url}/readyz`, { signal })).ok
  // An unsigned delivery is answered 503 until this replica leads, 401 after.
  return (await fetch(`${url}/webhooks/github`, { method: 'POST', signal })).status === 401
}

async function launchInProcess(
  flags: Record<string, unknown>,
  { kubeconfig, limits }: OffshootOptions,
  keep: (line: string) => void,
): Promise<Running> {
  const { startOffshoot: serve } = await import('../../src/cli/serve-run.ts')
  const { pino } = await import('pino')
  const log = pino({ level: 'debug' }, { write: (line: string) => keep(line.trimEnd()) })
  const offshoot = await serve(parseServeSettings(flags, {}), { kubeconfig }, { log, ...(limits ? { limits } : {}) })
  return { stop: () => offshoot.close(), ended: () => undefined }
}

async function launchChild(
  flags: Record<string, unknown>,
  { kubeconfig, program = main }: OffshootOptions,
  keep: (line: string) => void,
): Promise<Running> {
  warm ??= warmUp()
  await warm
  const child = spawn(process.execPath, [program, 'serve', '--kubeconfig', kubeconfig, ...toArguments(flags)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...compiled },
  })
  let rest = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(keep)
  })
  // Whatever happens to the test, its Offshoot does not live on.
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  const end = async (signal: NodeJS.Signals) => {
    process.off('exit', orphan)
    if (hasEnded(child)) return
    child.kill(signal)
    await once(child, 'exit')
  }
  return {
    stop: async () => {
      await end('SIGTERM')
      if (child.exitCode === 0) return
      if (rest !== '') keep(rest)
      throw new Error(`Offshoot did not end in order: ${endOf(child)}`)
    },
    kill: () => end('SIGKILL'),
    ended: () => (hasEnded(child) ? endOf(child) : undefined),
  }
}

function endOf({ exitCode, signalCode }: ChildProcess): string {
  return `exit code ${exitCode}, signal ${signalCode}`
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function toArguments(flags: Record<string, unknown>): string[] {
  return Object.entries(flags).flatMap(([setting, value]) => {
    const flag = setting.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
    if (value === false) return [`--no-${flag}`]
    if (value === true) return []
    return [value].flat().flatMap(one => [`--${flag}`, String(one)])
  })
}
