import { setTimeout } from 'node:timers/promises'
import type { PullRequest } from '../../test/harness/forge/model.ts'
import { waitFor } from '../../test/harness/wait.ts'
import type { Report } from './report.ts'
import type { World } from './world.ts'

/** Pull requests that are open at a time. */
const width = 10

/**
 * Ten pull requests, replaced by others again and again before they are done, and closed in the end: nothing may be
 * left of any of them.
 */
export async function churn(world: World, report: Report, rounds: number): Promise<void> {
  let open: PullRequest[] = []
  const sent: Promise<void>[] = []
  for (let round = 0; round < rounds; round++) {
    const closes = await world.close(open)
    const { pulls, deliveries } = await world.open(width)
    sent.push(world.send([...closes, ...deliveries]))
    open = pulls
    // Between 0.4 and 1.2 s, and the same in every run.
    await setTimeout(400 + ((round * 317) % 801))
  }
  sent.push(world.send(await world.close(open)))
  await Promise.all(sent)
  const began = performance.now()
  let left: string[] = []
  const look = async () => {
    left = await world.house.remains()
    return left.length === 0
  }
  await waitFor(look, {
    deadline: 900_000,
    interval: 1000,
    describe: 'nothing to be left',
  }).catch((error: unknown) => report.say(String(error)))
  report.add({
    what: `churn: ${width} pull requests replaced, ${rounds} rounds, then closed`,
    values: { environments: rounds * width, left: left.length, gone_after_s: (performance.now() - began) / 1000 },
    goal: 'nothing left',
    met: left.length === 0,
  })
}
