import { readFileSync, writeFileSync } from 'node:fs'
import type { OracleResult } from '../oracle/oracle.ts'
import type { Case } from './read-cases.ts'

/** What real Jinja2 does with a case. */
export interface Expectation {
  readonly template: string
  readonly result: OracleResult
}

const folder = new URL('expected/', import.meta.url)

/** The stored expectations of an area, in the order of its cases. */
export function readExpected(area: string): Expectation[] {
  const text = readFileSync(new URL(`${area}.jsonl`, folder), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map(row => JSON.parse(row) as Expectation)
}

/** Stores the expectations of an area, one a line. */
export function writeExpected(area: string, cases: readonly Case[], results: readonly OracleResult[]): void {
  const rows = cases.map(({ template }, index) => JSON.stringify({ template, result: results[index] }))
  writeFileSync(new URL(`${area}.jsonl`, folder), `${rows.join('\n')}\n`)
}
