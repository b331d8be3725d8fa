import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { OffshootError } from '../../../src/util/errors.ts'

/** A group of processes that ends with this one, even when this one is killed. */
export class ProcessGroup {
  readonly #folder: string
  readonly #guardian: ChildProcess
  readonly #running = new Map<string, ChildProcess>()

  /** `folder` holds the logs and is removed in the end. */
  constructor(folder: string) {
    this.#folder = folder
    this.#guardian = spawn(process.execPath, [join(import.meta.dirname, 'guardian.ts')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#guardian.unref()
    const pipe = this.#guardian.stdin as Writable & { unref?: () => void }
    // A guardian that died is noticed when a process is started, not by a broken pipe.
    pipe.on('error', () => undefined)
    pipe.unref?.()
    this.#tell(`folder ${folder}`)
  }

  /** Starts a program in a process group of its own, with its output in `<name>.log`. */
  start(name: string, program: string, args: readonly string[]): void {
    if (this.#guardian.exitCode !== null) throw new OffshootError('the guardian of the control plane has died')
    const log = openSync(this.logPath(name), 'a')
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: this.#folder })
    closeSync(log)
    child.unref()
    const { pid } = child
    child.once('error', () => undefined)
    if (pid === undefined) throw new OffshootError(`${program} could not be started`)
    this.#running.set(name, child)
    this.#tell(`watch ${pid}`)
    child.once('exit', () => {
      this.#tell(`forget ${pid}`)
      if (this.#running.get(name) === child) this.#running.delete(name)
    })
  }

  isRunning(name: string): boolean {
    return this.#running.has(name)
  }

  /** Ends one program; SIGKILL follows when it is still there after `graceMilliseconds`. */
  async end(name: string, graceMilliseconds: number): Promise<void> {
    const child = this.#running.get(name)
    if (child?.pid === undefined) return
    const { pid } = child
    child.ref()
    const exited = once(child, 'exit')
    process.kill(-pid, graceMilliseconds === 0 ? 'SIGKILL' : 'SIGTERM')
    const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), graceMilliseconds)
    await exited
    clearTimeout(timer)
  }

  /** Ends everything and removes the folder. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map(name => this.end(name, 0)))
    this.#guardian.ref()
    if (this.#guardian.exitCode !== null) return
    const exited = once(this.#guardian, 'exit')
    this.#guardian.stdin?.end()
    await exited
  }

  /** The last lines that a program wrote. */
  tail(name: string, lines = 20): string {
    return readFileSync(this.logPath(name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  }

  logPath(name: string): string {
    return join(this.#folder, `${name}.log`)
  }

  #tell(line: string): void {
    this.#guardian.stdin?.write(`${line}\n`)
  }
}
