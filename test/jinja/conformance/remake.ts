// Remakes `expected/` by asking real Jinja2 (npm run jinja:expectations).
import { Oracle } from '../oracle/oracle.ts'
import { writeExpected } from './expected.ts'
import { areas, readArea } from './read-cases.ts'

const oracle = await Oracle.start()
let count = 0
try {
  for (const area of areas()) {
    const cases = readArea(area)
    writeExpected(area, cases, await oracle.render(cases))
    count += cases.length
  }
} finally {
  await oracle.close()
}
process.stdout.write(`${count} expectations\n`)
