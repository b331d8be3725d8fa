import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { oraclePython } from './venv.ts'

/** Environment options in Jinja2's own spelling, plus a few switches that the worker knows. */
export interface OracleOptions {
  readonly environment?: 'plain' | 'sandbox'
  readonly undefined?: 'default' | 'strict' | 'chainable' | 'debug'
  readonly extensions?: readonly ('do' | 'loopcontrols' | 'debug' | 'i18n')[]
  readonly translations?: 'null' | 'upper'
  readonly newstyle?: boolean
  readonly policies?: Readonly<Record<string, unknown>>
  readonly trim_blocks?: boolean
  readonly lstrip_blocks?: boolean
  readonly keep_trailing_newline?: boolean
  readonly autoescape?: boolean
  readonly newline_sequence?: string
  readonly block_start_string?: string
  readonly block_end_string?: string
  readonly variable_start_string?: string
  readonly variable_end_string?: string
  readonly comment_start_string?: string
  readonly comment_end_string?: string
  readonly line_statement_prefix?: string
  readonly line_comment_prefix?: string
}

/** JSON with `$py` tags: float, int, tuple, dict (pairs), markup, bytes. */
export type Encoded = null | boolean | number | string | readonly Encoded[] | EncodedMap
/** A mapping of the above. */
export interface EncodedMap {
  readonly [key: string]: Encoded
}

/** One render to be done by real Jinja2. */
export interface OracleJob {
  readonly template: string
  readonly context?: EncodedMap
  readonly templates?: Readonly<Record<string, string>>
  readonly options?: OracleOptions
  /** `template` is the name of one of `templates`. */
  readonly named?: boolean
}

/** What Jinja2 printed, or the Python exception it raised. */
export type OracleResult =
  | { readonly output: string }
  | {
      readonly error: string
      readonly message: string
      readonly name: string | null
      readonly line: number | null
    }

interface Answer {
  readonly id: number
  readonly results?: unknown
  readonly fault?: string
}

type Waiter = { resolve: (value: unknown) => void; reject: (error: Error) => void }

/** A long-lived Python process that renders with real Jinja2. Close it when done. */
export class Oracle {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting = new Map<number, Waiter>()
  #next = 0

  constructor(python: string) {
    const script = fileURLToPath(new URL('worker.py', import.meta.url))
    this.#child = spawn(python, ['-W', 'ignore', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout }).on('line', line => this.#take(line))
    this.#child.on('exit', code => this.#fail(new Error(`the Jinja2 oracle ended with ${code}`)))
    this.#child.on('error', error => this.#fail(error))
  }

  static async start(): Promise<Oracle> {
    return new Oracle(await oraclePython())
  }

  /** Renders the jobs in order; one answer each. */
  async render(jobs: readonly OracleJob[]): Promise<OracleResult[]> {
    return (await this.#ask({ jobs })) as OracleResult[]
  }

  /** text-unidecode's replacement of every code point below U+10000. */
  async transliterations(): Promise<string[]> {
    return (await this.#ask({ table: true })) as string[]
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = new Promise<void>(resolve => this.#child.once('exit', () => resolve()))
    this.#child.stdin.end()
    await ended
  }

  #ask(request: object): Promise<unknown> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
    })
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as Answer
    const waiter = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.fault !== undefined) waiter?.reject(new Error(`oracle: ${answer.fault}`))
    else waiter?.resolve(answer.results)
  }

  #fail(error: Error): void {
    for (const waiter of this.#waiting.values()) waiter.reject(error)
    this.#waiting.clear()
  }
}
