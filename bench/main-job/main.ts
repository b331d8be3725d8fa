// How fast the main job is: on a real control plane, under the controller's own rights, with Offshoot in a process of
// its own and three objects per environment (Namespace, ConfigMap, KluctlDeployment). See flags.ts for the sizes.
import { bareRun } from './bare.ts'
import { burst, closeAll } from './bursts.ts'
import { parseSizes, usage } from './flags.ts'
import { oneAtATime, pushes, stream } from './latency.ts'
import { Report } from './report.ts'
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
    const pulls = []
    if (wants('single')) pulls.push(...(await oneAtATime(world, report, sizes.rounds, 0)))
    const bare = { ...(await bareRun(world.cluster, sizes.burst)), count: sizes.burst }
    if (wants('burst')) {
      pulls.push(...(await burst(world, report, sizes.burst, bare)).pulls)
      if (wants('single')) pulls.push(...(await oneAtATime(world, report, sizes.rounds, pulls.length)))
      if (wants('pushes')) await pushes(world, report, pulls, sizes.pushSeconds * 50)
    }
    if (wants('stream')) pulls.push(...(await stream(world, report, sizes.stream)))
    if (wants('close')) await closeAll(world, report, pulls, bare)
  },
)
process.stdout.write(`numbers: ${report.write('main-job', { ...sizes, only: [...sizes.only] })}\n`)
