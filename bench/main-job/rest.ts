import { setTimeout } from 'node:timers/promises'
import { apiVersion, type ReviewProject } from '../../src/api/index.ts'
import { sumOf } from '../../test/harness/metrics.ts'
import { waitFor } from '../../test/harness/wait.ts'
import type { Report } from './report.ts'
import { between, requestsByKind } from './usage.ts'
import type { World } from './world.ts'

/** What is used while nothing happens, and what a listing costs that finds nothing new. */
export async function rest(world: World, report: Report, seconds: number, inPlace: number): Promise<void> {
  await steady(world, inPlace)
  const began = await world.usage.read()
  await setTimeout(seconds * 1000)
  const ended = await world.usage.read()
  const used = between(began, ended)
  const goal = inPlace > 2000 ? 400 : 150
  report.add({
    what: `at rest, ${inPlace} in place, ${seconds} s`,
    values: {
      writes: used.writes,
      requests_a_minute: (used.requests / used.seconds) * 60,
      forge_requests_a_minute: (used.forge / used.seconds) * 60,
      cpu_s_a_minute: ((used.cpu.cpu_offshoot_s ?? 0) / used.seconds) * 60,
      rss_MB: ended.rss,
    },
    goal: `no writes, RSS < ${goal} MB`,
    met: used.writes === 0 && ended.rss < goal,
  })
  report.say(requestsByKind(began, ended).slice(0, 8).join('\n  '))
  // The first listing after a start has no earlier answers to compare with.
  await world.house.list('shop')
  const before = await world.usage.read()
  await world.house.list('shop')
  const listed = between(before, await world.usage.read())
  report.add({
    what: '  a listing that finds nothing new',
    values: { forge_requests: listed.forge, answered_304: listed.unchanged, writes: listed.writes },
    goal: 'all but the last page 304',
    met: listed.unchanged >= listed.forge - 1,
  })
}

/** From the start of the process to everything looked at. */
export async function restart(world: World, report: Report, inPlace: number): Promise<void> {
  const { offshoot } = world.house
  await offshoot.stop()
  const began = performance.now()
  await offshoot.start()
  const leading = performance.now() - began
  await waitFor(async () => looked((await world.usage.read()).samples) >= inPlace, {
    deadline: 600_000,
    interval: 250,
    describe: 'every environment to be looked at',
  })
  await world.house.settled(600_000)
  const used = await world.usage.read()
  const seconds = (performance.now() - began) / 1000
  report.add({
    what: `restart with ${inPlace} in place`,
    values: { to_leading_s: leading / 1000, to_steady_s: seconds, requests: used.requests, writes: used.writes },
    goal: 'steady within 30 s',
    met: seconds < 30,
  })
}

/** Waits until every environment is ready, its project has counted them, and nothing is to be done. */
export async function steady(world: World, inPlace: number): Promise<void> {
  const ready = async () =>
    sumOf((await world.usage.read()).samples, 'offshoot_environments', { state: 'Ready' }) >= inPlace
  await waitFor(ready, { deadline: 600_000, interval: 1000, describe: `${inPlace} environments to be ready` })
  const { namespace } = world.house
  const project = { apiVersion, kind: 'ReviewProject', namespace, name: 'shop' }
  const counted = async () => ((await world.cluster.admin.get<ReviewProject>(project))?.status?.ready ?? 0) >= inPlace
  await waitFor(counted, { deadline: 60_000, interval: 1000, describe: `the project to count ${inPlace}` })
  await world.house.settled()
}

function looked(samples: Parameters<typeof sumOf>[0]): number {
  return sumOf(samples, 'offshoot_reconcile_seconds_count', { kind: 'environment' })
}
