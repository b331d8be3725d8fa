import { describe, expect, it } from 'vitest'
import type { EngineOutcome } from '../../src/backend/engine/outcome.ts'
import { EngineRuns, type RunControls } from '../../src/backend/engine/runs.ts'
import { FakeClock } from '../controller/fake-clock.ts'
import { waitFor } from '../harness/wait.ts'

const done: EngineOutcome = { objects: 1, changed: 0, deleted: 0, errors: [], warnings: [] }

/** Runs of which each does what the test says, by its environment's name. */
function begin(runs: EngineRuns, uid: string, { elsewhere = false } = {}) {
  const { promise, resolve } = Promise.withResolvers<EngineOutcome>()
  let controls: RunControls | undefined
  const work = (_: AbortSignal, given: RunControls) => {
    controls = given
    return promise
  }
  runs.start(uid, { digest: 'd', mode: 'deploy', elsewhere }, work, () => undefined)
  return {
    /** What it was given, once it is its turn. */
    turn: () => waitFor(() => controls, { describe: `the turn of ${uid}` }),
    hasBegun: () => controls !== undefined,
    end: () => resolve(done),
  }
}

describe('the deployments of a process', () => {
  it('render a few at a time; what has its discriminator only waits, and holds up no other', async () => {
    const runs = new EngineRuns({ clock: new FakeClock(), atOnce: 1 })
    const [first, second] = [begin(runs, 'first'), begin(runs, 'second')]
    const { claim } = await first.turn()
    expect(second.hasBegun()).toBe(false)
    const claimed = claim('one')
    await second.turn()
    runs.grant('first')
    await claimed
    expect(runs.get('first')).toMatchObject({ working: true })
    second.end()
    first.end()
    await waitFor(() => runs.get('first')?.working === false, { describe: 'their ends' })
  })

  it('that something else carries out keep their places until they have ended', async () => {
    const runs = new EngineRuns({ clock: new FakeClock(), elsewhere: 1 })
    const [first, second] = [begin(runs, 'first', { elsewhere: true }), begin(runs, 'second', { elsewhere: true })]
    const { claim } = await first.turn()
    const claimed = claim('one')
    runs.grant('first')
    await claimed
    expect(second.hasBegun()).toBe(false)
    first.end()
    await second.turn()
    second.end()
  })
})
