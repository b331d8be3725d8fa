/** A process that reads a file at every commit given, for tests of a store that several processes share. */
import { GitStore } from '../../src/git/index.ts'
import { systemClock } from '../../src/util/clock.ts'

const [folder = '', url = '', ...shas] = process.argv.slice(2)
const store = new GitStore({ folder, clock: systemClock })
for (const sha of shas) {
  if ((await store.readFile({ url }, sha, 'a.txt', 100)) === undefined) process.exitCode = 1
}
process.disconnect()
