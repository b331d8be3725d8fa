import { stringify } from 'yaml'
import type { KubeObject } from '../kube/types.ts'
import { graphemesOf } from '../util/graphemes.ts'
import { hasColour, type Io, printable } from './io.ts'

export const outputFormats = ['table', 'json', 'yaml'] as const
export type OutputFormat = (typeof outputFormats)[number]

export type Colour = 'green' | 'yellow' | 'red' | 'grey'

const codes: Record<Colour, number> = { green: 32, yellow: 33, red: 31, grey: 90 }

/** `text` in a colour, if the stream takes any. */
export function paint(text: string, colour: Colour | undefined, coloured: boolean): string {
  return coloured && colour ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text
}

function widthOf(text: string): number {
  return graphemesOf(text).length
}

/** One column of a table: its head, and what stands in it for a row. */
export interface Column<Row> {
  head: string
  value(row: Row): string | undefined
  colour?(row: Row): Colour | undefined
}

/** Prints rows in columns that are as wide as their widest cell; an absent value is a dash. */
export function printTable<Row>(io: Io, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const coloured = hasColour(io.stdout, io.env)
  const cells = rows.map(row => columns.map(column => printable(column.value(row) || '-')))
  const widths = columns.map(({ head }, index) =>
    cells.reduce((width, line) => Math.max(width, widthOf(line[index] ?? '')), head.length),
  )
  const pad = (text: string, index: number) =>
    index === columns.length - 1 ? text : text + ' '.repeat((widths[index] ?? 0) - widthOf(text))
  io.stdout.write(`${columns.map(({ head }, index) => pad(head, index)).join('   ')}\n`)
  for (const [at, line] of cells.entries()) {
    const row = rows[at] as Row
    const painted = line.map((text, index) => paint(pad(text, index), columns[index]?.colour?.(row), coloured))
    io.stdout.write(`${painted.join('   ')}\n`)
  }
}

/** Prints a value as JSON or YAML; Kubernetes objects without their managed fields. */
export function printData(io: Io, format: 'json' | 'yaml', value: unknown): void {
  const plain = JSON.parse(
    JSON.stringify(value, (key, part) => (key === 'managedFields' ? undefined : part)),
  ) as unknown
  io.stdout.write(format === 'json' ? `${JSON.stringify(plain, null, 2)}\n` : stringify(plain, { lineWidth: 120 }))
}

/** Prints objects as a `List`, or as a table. */
export function printObjects<T extends KubeObject>(
  io: Io,
  format: OutputFormat,
  objects: readonly T[],
  columns: readonly Column<T>[],
): void {
  if (format === 'table') printTable(io, columns, objects)
  else printData(io, format, { apiVersion: 'v1', kind: 'List', items: objects })
}

/** How long ago, as kubectl writes ages: `45s`, `12m`, `3h`, `4d`. */
export function age(since: string | undefined, now: number): string | undefined {
  if (since === undefined) return undefined
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
