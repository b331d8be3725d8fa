import { formatKey } from '../../src/kube/types.ts'
import type { PullRequest } from '../../test/harness/forge/model.ts'
import { type BareTimes, totalCpu } from './bare.ts'
import { keysIn } from './objects.ts'
import { replay } from './replay.ts'
import type { Report } from './report.ts'
import { at, deleted, type Sight } from './sightings.ts'
import { between, requestsByKind } from './usage.ts'
import type { World } from './world.ts'

/** What a burst took. */
export interface Burst {
  pulls: PullRequest[]
  milliseconds: number
  writes: number
}

/** Many pull requests at once, beside a client that only creates the same objects. */
export async function burst(world: World, report: Report, count: number, bare: BareTimes): Promise<Burst> {
  const { pulls, deliveries } = await world.open(count)
  const sights = pulls.map(pull =>
    keysIn(world.namespaceOf(pull))
      .slice(1)
      .map(key => at(pull.sha, key)),
  )
  const before = await world.usage.read()
  const sent = performance.now()
  const [last] = await Promise.all([world.seen.last(sights.flat(), 600_000), world.send(deliveries)])
  const written = await world.usage.read()
  const milliseconds = last - sent
  const ends = sights.map(each => Math.max(...each.map(sight => world.seen.time(sight) ?? Number.NaN)) - sent)
  const first = Math.min(...ends)
  const used = between(before, written)
  report.add({
    what: `${count} pull requests at once`,
    values: {
      s: milliseconds / 1000,
      first_ms: first,
      times_bare: milliseconds / bare.create,
      times_bare_cpu: totalCpu(used.cpu) / bare.createCpu,
      bare_s: bare.create / 1000,
    },
    goal: '≤ 2 times bare, first < 1 s',
    met: milliseconds <= 2 * bare.create && first < 1000,
  })
  report.add({
    what: '  per environment until written',
    values: {
      writes: used.writes / count,
      requests: used.requests / count,
      forge: used.forge / count,
      ...perRun(used.cpu),
    },
  })
  await world.house.settled()
  const settled = between(before, await world.usage.read())
  report.add({
    what: '  and until there is nothing to do',
    values: { s: settled.seconds, writes: settled.writes / count, requests: settled.requests / count },
  })
  report.say(requestsByKind(before, written).slice(0, 24).join('\n  '))
  return { pulls, milliseconds, writes: used.writes }
}

/** The burst beside the very writes that it made, with nobody thinking between them. */
export async function compareReplay(world: World, report: Report, count: number, made: Burst): Promise<void> {
  const { milliseconds, writes } = await replay(world, count)
  const share = milliseconds / made.milliseconds
  report.add({
    what: `replay of ${count} times the ${writes} writes`,
    values: { s: milliseconds / 1000, rate_of_offshoot_percent: share * 100 },
    goal: 'Offshoot ≥ 70 %',
    met: share >= 0.7,
  })
}

/** Opens pull requests until so many more are in place, a thousand at a time. */
export async function fill(world: World, report: Report, count: number): Promise<PullRequest[]> {
  const all: PullRequest[] = []
  while (all.length < count) {
    const { pulls, deliveries } = await world.open(Math.min(1000, count - all.length))
    const sights = pulls.flatMap(pull =>
      keysIn(world.namespaceOf(pull))
        .slice(1)
        .map(key => at(pull.sha, key)),
    )
    await Promise.all([world.seen.last(sights, 900_000), world.send(deliveries)])
    all.push(...pulls)
    report.say(`${all.length} of ${count} more in place`)
  }
  return all
}

/** Many closes at once: until the deletion of everything was accepted, and until all is gone. */
export async function closeAll(
  world: World,
  report: Report,
  pulls: readonly PullRequest[],
  bare: BareTimes & { count: number },
): Promise<void> {
  const deliveries = await world.close(pulls)
  const keys = pulls.map(pull => keysIn(world.namespaceOf(pull)))
  const accepted = keys.flatMap(([namespace, ...inside]): Sight[] => [
    ...(namespace === undefined ? [] : [`leaving ${formatKey(namespace)}` as const]),
    ...inside.map(deleted),
  ])
  const gone = [...keys.flat(), ...pulls.map(pull => world.environmentOf(pull))].map(deleted)
  const before = await world.usage.read()
  const sent = performance.now()
  const [taken] = await Promise.all([world.seen.last(accepted, 900_000), world.send(deliveries)])
  const asked = between(before, await world.usage.read())
  const milliseconds = taken - sent
  const reference = (bare.delete / bare.count) * pulls.length
  report.add({
    what: `${pulls.length} closes at once → every deletion accepted`,
    values: {
      s: milliseconds / 1000,
      times_bare: milliseconds / reference,
      times_bare_cpu: totalCpu(asked.cpu) / ((bare.deleteCpu / bare.count) * pulls.length),
      bare_s: reference / 1000,
      ...perRun(asked.cpu),
    },
    goal: '≤ 2 times bare',
    met: milliseconds <= 2 * reference,
  })
  const last = await world.seen.last(gone, 1_800_000)
  const namespaces = keys.flatMap(([namespace]) =>
    namespace === undefined ? [] : [world.seen.time(deleted(namespace)) ?? 0],
  )
  const used = between(before, await world.usage.read())
  report.add({
    what: '  → everything gone',
    values: {
      s: (last - sent) / 1000,
      after_the_last_namespace_ms: last - Math.max(...namespaces),
      writes: used.writes / pulls.length,
      requests: used.requests / pulls.length,
      ...perRun(used.cpu),
    },
  })
  report.say(
    requestsByKind(before, await world.usage.read())
      .slice(0, 24)
      .join('\n  '),
  )
}

function perRun(cpu: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(cpu).map(([name, seconds]) => [name, Math.round(seconds * 10) / 10]))
}
