// How fast the main job is: on a real control plane, under the controller's own rights, with Offshoot in a process of
// its own and three objects per environment (Namespace, ConfigMap, KluctlDeployment). See flags.ts for the sizes.
import { bareRun } from './bare.ts'
import { burst, closeAll, compareReplay, fill } from './bursts.ts'
import { churn } from './churn.ts'
import { byEngine } from './engine.ts'
import { parseSizes, usage } from './flags.ts'
import { byKluctl } from './kluctl.ts'
import { oneAtATime, pushes, stream } from './latency.ts'
import { place } from './placed.ts'
import { Report } from './report.ts'
import { rest, restart, steady } from './rest.ts'
import { inWorld } from './world.ts'

const args = process.argv.slice(3)
if (args.includes('--help')) {
  process.stdout.write(usage)
  process.exit(0)
}
const sizes = parseSizes(args)
const report = new Report()
const wants = (part: Parameters<typeof sizes.only.has>[0]) => sizes.only.has(part)

await inWorld(
  line => report.say(line),
  async world => {
    if (sizes.placed > 0) {
      await place(world, report, sizes.placed)
      await restart(world, report, sizes.placed)
      await rest(world, report, sizes.restSeconds, sizes.placed)
      await oneAtATime(world, report, sizes.rounds, sizes.placed)
      return
    }
    const pulls = []
    if (wants('single')) pulls.push(...(await oneAtATime(world, report, sizes.rounds, 0)))
    if (wants('engine')) await byEngine(world, report, sizes.rounds)
    const bare = { ...(await bareRun(world.cluster, world.usage, sizes.burst)), count: sizes.burst }
    const made = wants('burst') ? await burst(world, report, sizes.burst, bare) : undefined
    pulls.push(...(made?.pulls ?? []))
    // What was made a moment ago is still looked at until it is ready: that is not what "in place" means.
    if (made) await steady(world, pulls.length)
    if (wants('single') && made) pulls.push(...(await oneAtATime(world, report, sizes.rounds, pulls.length)))
    if (wants('pushes')) await pushes(world, report, pulls, sizes.pushSeconds * 50)
    if (wants('stream')) pulls.push(...(await stream(world, report, sizes.stream)))
    if (wants('rest')) await rest(world, report, sizes.restSeconds, pulls.length)
    if (wants('restart')) await restart(world, report, pulls.length)
    const crowd = sizes.crowd > pulls.length ? await fill(world, report, sizes.crowd - pulls.length) : []
    if (crowd.length > 0) {
      const inPlace = pulls.length + crowd.length
      await steady(world, inPlace)
      crowd.push(...(await oneAtATime(world, report, sizes.rounds, inPlace)))
      if (wants('rest')) await rest(world, report, sizes.restSeconds, pulls.length + crowd.length)
      if (wants('restart')) await restart(world, report, pulls.length + crowd.length)
    }
    if (wants('close')) await closeAll(world, report, pulls, bare)
    if (wants('churn') && wants('close') && crowd.length === 0) await churn(world, report, sizes.churnRounds)
    if (wants('kluctl')) await byKluctl(world, report, sizes.rounds)
    if (made && wants('replay')) await compareReplay(world, report, sizes.burst, made)
  },
)
process.stdout.write(`numbers: ${report.write('main-job', { ...sizes, only: [...sizes.only] })}\n`)
