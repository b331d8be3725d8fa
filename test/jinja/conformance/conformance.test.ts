import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Oracle } from '../oracle/oracle.ts'
import { readExpected } from './expected.ts'
import { difference, renderOurs } from './ours.ts'
import { areas, readArea } from './read-cases.ts'

let oracle: Oracle
beforeAll(async () => {
  oracle = await Oracle.start()
}, 300_000)
afterAll(async () => {
  await oracle?.close()
})

describe.each(areas())('%s', area => {
  const cases = readArea(area)

  it('renders every case as Jinja2 does', () => {
    const expected = readExpected(area)
    const wrong = cases.flatMap(({ line, template, ...rest }, index) => {
      const found = difference(
        renderOurs({ template, ...rest }),
        expected[index]?.result ?? { output: 'no expectation' },
      )
      return found === undefined ? [] : [{ place: `cases/${area}.txt:${line}`, template, ...found }]
    })
    expect(wrong).toEqual([])
  })

  it('has expectations that real Jinja2 still gives', async () => {
    const results = await oracle.render(cases)
    const fresh = cases.map(({ template }, index) => ({ template, result: results[index] }))
    expect(readExpected(area), 'run npm run jinja:expectations').toEqual(fresh)
  }, 60_000)
})

it('the table has at least 1,000 cases', () => {
  expect(areas().flatMap(readArea).length).toBeGreaterThan(1000)
})
