import { Command, Option } from 'commander'
import { listTargets } from '../engine/commands/list-targets.ts'
import { type ProjectOptions, withProjectFlags } from './engine-flags.ts'
import { outputHelp, writeOutputs, writeTexts } from './engine-output.ts'
import { withEngine } from './engine-run.ts'
import type { Io } from './io.ts'

interface Options extends ProjectOptions {
  onlyNames?: boolean
  output: string[]
}

/** `offshoot list-targets`: the targets of a Kluctl project. */
export function listTargetsCommand(io: Io): Command {
  const command = new Command('list-targets')
    .description('list the targets of a Kluctl project')
    .option('--only-names', 'names only, one on a line')
    .addOption(
      new Option('-o, --output <output>', outputHelp)
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], 'none'),
    )
  return withProjectFlags(command, io).action(async (options: Options) => {
    const targets = await withEngine(io, options, (host, signal) => listTargets(host, options, signal))
    if (options.onlyNames === true) {
      await writeTexts(
        io,
        options.output,
        targets.map(({ name }) => `${typeof name === 'string' ? name : ''}\n`).join(''),
      )
      return
    }
    // kluctl prints `null` for no targets, and scripts may know it.
    await writeOutputs(io, options.output, targets.length === 0 ? null : targets)
  })
}
