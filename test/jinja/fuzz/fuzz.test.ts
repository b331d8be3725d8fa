import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { difference, renderOurs } from '../conformance/ours.ts'
import { Oracle, type OracleJob, type OracleResult } from '../oracle/oracle.ts'
import { job } from './statements.ts'

/** Change the seed (JINJA_FUZZ_SEED) to look elsewhere; what a seed finds becomes a case of the conformance table. */
const seed = Number(process.env.JINJA_FUZZ_SEED ?? 20_240_229)
const renders = Number(process.env.JINJA_FUZZ_RENDERS ?? 20_000)
const batch = 500

let oracle: Oracle
beforeAll(async () => {
  oracle = await Oracle.start()
}, 300_000)
afterAll(async () => {
  await oracle?.close()
})

/** Addresses in reprs differ from run to run, also in Python. */
function mentionsAddress(result: OracleResult): boolean {
  return 'output' in result && result.output.includes(' at 0x')
}

/** Jinja2 works constants out while it compiles; what fails there fails before anything is rendered, or never. */
function failedWhileCompiling(result: OracleResult): boolean {
  return 'error' in result && result.line === null
}

/** Python takes the memory or the time, or fails to; here the budget ends it. */
function tooLarge(ours: OracleResult, theirs: OracleResult): boolean {
  if (!('error' in ours && ours.message.includes('budget'))) return false
  return 'error' in theirs && (theirs.error === 'MemoryError' || theirs.error === 'Timeout')
}

function compare(one: OracleJob, theirs: OracleResult): object | undefined {
  if (mentionsAddress(theirs) || failedWhileCompiling(theirs)) return undefined
  // Jinja2 gives some statements the line of what stands before them, so lines are compared in the table only.
  const ours = renderOurs(one)
  const found = tooLarge(ours, theirs) ? undefined : difference(ours, theirs, false)
  return found && { template: one.template, options: one.options, ...found }
}

it(`renders ${renders} generated templates as Jinja2 does (seed ${seed})`, async () => {
  const jobs = fc.sample(job, { numRuns: renders, seed })
  const wrong: object[] = []
  let printed = 0
  let skipped = 0
  // The oracle works on the next batch while we render this one.
  let next = oracle.render(jobs.slice(0, batch))
  for (let at = 0; at < jobs.length; at += batch) {
    const theirs = await next
    next = oracle.render(jobs.slice(at + batch, at + 2 * batch))
    jobs.slice(at, at + batch).forEach((one, index) => {
      const result = theirs[index]
      if (result === undefined) throw new Error('the oracle left out a result')
      if ('output' in result) printed++
      if (failedWhileCompiling(result)) skipped++
      const found = compare(one, result)
      if (found !== undefined) wrong.push(found)
    })
  }
  await next
  expect(wrong.toSorted((a, b) => JSON.stringify(a).length - JSON.stringify(b).length).slice(0, 20)).toEqual([])
  // A grammar that mostly fails would prove little.
  expect(printed).toBeGreaterThan(renders * 0.4)
  expect(skipped).toBeLessThan(renders * 0.02)
}, 600_000)
