import { Command, Option } from 'commander'
import { render } from '../engine/commands/render.ts'
import { writeYamlAll } from '../engine/yaml.ts'
import { type TargetOptions, withOfflineFlags, withProjectFlags, withTargetFlags } from './engine-flags.ts'
import { outputHelp, writeOutputs } from './engine-output.ts'
import { fixedImages, renderFlags, withTargetEngine } from './engine-run.ts'
import type { Io } from './io.ts'

interface Options extends TargetOptions {
  printAll?: boolean
  output: string[]
}

/** `offshoot render`: what a target of a Kluctl project would deploy. */
export function renderCommand(io: Io): Command {
  const command = new Command('render')
    .description('render a target of a Kluctl project, as deploying it would')
    .option('--print-all', 'print all objects')
    .addOption(
      new Option('-o, --output <output>', `the objects as one list: ${outputHelp}`)
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], 'none'),
    )
  return withProjectFlags(withOfflineFlags(withTargetFlags(command)), io).action(async (options: Options) => {
    const flags = { ...renderFlags(options), fixedImages: await fixedImages(options) }
    const { objects, folder } = await withTargetEngine(io, options, (host, signal) => render(host, flags, signal))
    if (options.printAll === true) io.stdout.write(writeYamlAll([...objects]))
    if (options.output.length > 0) await writeOutputs(io, options.output, [...objects])
    if (options.renderOutputDir !== undefined) io.stderr.write(`Rendered into ${folder}\n`)
    else if (options.printAll !== true && options.output.length === 0) {
      io.stderr.write(`Rendered ${objects.length} objects; --print-all prints them, --render-output-dir keeps them\n`)
    }
  })
}
