import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

/** One line of the table. */
export interface Line {
  what: string
  /** Numbers by name; the name says the unit. */
  values: Record<string, number>
  /** The goal in words, where there is one, and whether it was met. */
  goal?: string
  met?: boolean
}

/** The value below which this share of the others is (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** p50 and p99 of milliseconds. */
export function spread(milliseconds: readonly number[]): { p50_ms: number; p99_ms: number } {
  return { p50_ms: Math.round(quantile(milliseconds, 0.5)), p99_ms: Math.round(quantile(milliseconds, 0.99)) }
}

/** Collects lines, shows each as soon as it is there, and writes all of them as JSON. */
export class Report {
  readonly #lines: Line[] = []

  add(line: Line): void {
    this.#lines.push(line)
    process.stdout.write(`${text(line)}\n`)
  }

  /** Something on the way, for who looks on. */
  say(words: string): void {
    process.stderr.write(`… ${words}\n`)
  }

  /** Writes `bench/results/<name>.json`; gives its path within the project. */
  write(name: string, sizes: object): string {
    const folder = join(import.meta.dirname, '..', 'results')
    mkdirSync(folder, { recursive: true })
    const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
    const body = { machine, sizes, lines: this.#lines }
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(body, undefined, 2)}\n`)
    return `bench/results/${name}.json`
  }
}

function text({ what, values, goal, met }: Line): string {
  const numbers = Object.entries(values).map(([name, value]) => `${name.replaceAll('_', ' ')} ${round(value)}`)
  const judged = goal === undefined ? '' : `   [${met === undefined ? '' : met ? 'met: ' : 'MISSED: '}${goal}]`
  return `${what.padEnd(58)} ${numbers.join(' · ')}${judged}`
}

function round(value: number): string {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 100) / 100)
}
