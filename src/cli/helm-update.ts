import { resolve } from 'node:path'
import { Command } from 'commander'
import { helmUpdate } from '../engine/commands/helm-update.ts'
import { Questions } from './confirm.ts'
import { type ProjectOptions, withProjectFlags } from './engine-flags.ts'
import { withCharts } from './engine-run.ts'
import type { Io } from './io.ts'

interface Options extends ProjectOptions {
  upgrade?: boolean
  commit?: boolean
  interactive?: boolean
}

/** `offshoot helm-update`: newer versions of the charts of a Kluctl project. */
export function helmUpdateCommand(io: Io): Command {
  const command = new Command('helm-update')
    .description("look for newer versions of the charts of all 'helm-chart.yaml' files")
    .option('--upgrade', 'write new versions into helm-chart.yaml and pull them')
    .option('--commit', 'create a Git commit for every updated chart')
    .option('-i, --interactive', 'ask for every chart if it should be upgraded')
  return withProjectFlags(command, io).action(async (options: Options) => {
    const folder = resolve(options.projectDir ?? '.')
    const { upgrade, commit } = options
    const questions = new Questions(io)
    const ask = async (question: string) => (await questions.ask(question)) === true
    const confirm = options.interactive === true ? ask : undefined
    await withCharts(io, options, ({ host, charts }, signal) =>
      helmUpdate(host, charts, folder, { upgrade, commit, confirm }, signal),
    )
  })
}
