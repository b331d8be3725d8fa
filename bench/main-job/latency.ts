import type { PullRequest } from '../../test/harness/forge/model.ts'
import { keysIn } from './objects.ts'
import { type Report, spread } from './report.ts'
import { at } from './sightings.ts'
import { between } from './usage.ts'
import type { World } from './world.ts'

/** Webhook → every object of the environment written, one pull request at a time, with so many others in place. */
export async function oneAtATime(
  world: World,
  report: Report,
  rounds: number,
  inPlace: number,
): Promise<PullRequest[]> {
  const pulls: PullRequest[] = []
  const times: number[] = []
  const requests: number[] = []
  const forge: number[] = []
  // The first is not counted where nothing was done before: discovery and connections are made in it.
  for (let round = inPlace === 0 ? -1 : 0; round < rounds; round++) {
    await world.house.settled()
    const { pulls: opened, deliveries } = await world.open(1)
    pulls.push(...opened)
    const before = await world.usage.read()
    const sent = performance.now()
    const written = world.seen.last(
      opened.flatMap(pull =>
        keysIn(world.namespaceOf(pull))
          .slice(1)
          .map(key => at(pull.sha, key)),
      ),
    )
    await world.send(deliveries)
    const took = (await written) - sent
    await world.house.settled()
    const used = between(before, await world.usage.read())
    if (round < 0) continue
    times.push(took)
    requests.push(used.requests)
    forge.push(used.forge)
  }
  const { p50_ms, p99_ms } = spread(times)
  report.add({
    what: `webhook → all written, one at a time, ${inPlace} in place`,
    values: { p50_ms, p99_ms, cluster_requests: median(requests), forge_requests: median(forge) },
    goal: 'p50 < 75 ms, p99 < 160 ms',
    met: p50_ms < 75 && p99_ms < 160,
  })
  return pulls
}

/** New commits for environments in place, 50 a second. */
export async function pushes(
  world: World,
  report: Report,
  pulls: readonly PullRequest[],
  count: number,
): Promise<void> {
  const chosen = pulls.slice(0, count)
  const deliveries = []
  for (const pull of chosen) deliveries.push(await world.push(pull))
  await streamed(world, report, `${chosen.length} pushes, 50 a second`, chosen, deliveries, 20)
}

/** New pull requests, 30 ms apart; gives them. */
export async function stream(world: World, report: Report, count: number): Promise<PullRequest[]> {
  const { pulls, deliveries } = await world.open(count)
  await streamed(world, report, `${count} webhooks 30 ms apart`, pulls, deliveries, 30)
  return pulls
}

async function streamed(
  world: World,
  report: Report,
  what: string,
  pulls: readonly PullRequest[],
  deliveries: Parameters<World['stream']>[0],
  milliseconds: number,
): Promise<void> {
  const sights = pulls.map(pull =>
    keysIn(world.namespaceOf(pull))
      .slice(1)
      .map(key => at(pull.sha, key)),
  )
  const sent = await world.stream(deliveries, milliseconds)
  await world.seen.last(sights.flat(), 60_000).catch((error: unknown) => report.say(String(error)))
  const times = sights.map(
    (each, index) => Math.max(...each.map(sight => world.seen.time(sight) ?? Number.NaN)) - (sent[index] ?? 0),
  )
  const written = times.filter(time => !Number.isNaN(time))
  const lost = times.length - written.length
  const { p50_ms, p99_ms } = spread(written)
  report.add({
    what,
    values: { lost, p50_ms, p99_ms },
    goal: '0 lost, p99 < 500 ms',
    met: lost === 0 && p99_ms < 500,
  })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
