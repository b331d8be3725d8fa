import { resolve } from 'node:path'
import { Command } from 'commander'
import { helmPull } from '../engine/commands/helm-pull.ts'
import { type ProjectOptions, withProjectFlags } from './engine-flags.ts'
import { withCharts } from './engine-run.ts'
import type { Io } from './io.ts'

/** `offshoot helm-pull`: the charts of a Kluctl project, into its `.helm-charts`. */
export function helmPullCommand(io: Io): Command {
  const command = new Command('helm-pull').description(
    "pull the charts of all 'helm-chart.yaml' files into .helm-charts, and remove unused versions",
  )
  return withProjectFlags(command, io).action(async (options: ProjectOptions) => {
    const folder = resolve(options.projectDir ?? '.')
    await withCharts(io, options, ({ host, charts }, signal) => helmPull(host, charts, folder, { force: true }, signal))
  })
}
