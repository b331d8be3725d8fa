import { Command, Option } from 'commander'
import { listImages } from '../engine/commands/list-images.ts'
import { type TargetOptions, withOfflineFlags, withProjectFlags, withTargetFlags } from './engine-flags.ts'
import { outputHelp, writeOutputs } from './engine-output.ts'
import { fixedImages, renderFlags, withTargetEngine } from './engine-run.ts'
import type { Io } from './io.ts'

interface Options extends TargetOptions {
  simple?: boolean
  output: string[]
}

/** `offshoot list-images`: images that templates ask for, in the form that `--fixed-images-file` reads. */
export function listImagesCommand(io: Io): Command {
  const command = new Command('list-images')
    .description('list the images that templates of a target ask for')
    .option('--simple', 'images and results only')
    .addOption(
      new Option('-o, --output <output>', outputHelp)
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], 'none'),
    )
  return withProjectFlags(withOfflineFlags(withTargetFlags(command)), io).action(async (options: Options) => {
    const flags = { ...renderFlags(options), fixedImages: await fixedImages(options), simple: options.simple }
    const images = await withTargetEngine(io, options, (host, signal) => listImages(host, flags, signal))
    await writeOutputs(io, options.output, images)
  })
}
