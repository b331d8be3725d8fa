import { Command } from 'commander'
import { DeclinedError } from '../engine/commands/on-cluster.ts'
import { pokeImages } from '../engine/commands/poke-images.ts'
import { type ChangeOptions, withChangeFlags } from './command-flags.ts'
import { parseOutputs } from './command-output.ts'
import { finish } from './command-run.ts'
import { Questions } from './confirm.ts'
import { withProjectFlags, withTargetFlags } from './engine-flags.ts'
import { fixedImages, renderFlags, withTargetEngine } from './engine-run.ts'
import type { Io } from './io.ts'

/** `offshoot poke-images`: puts a target's images into what is deployed, and changes nothing else. */
export function pokeImagesCommand(io: Io): Command {
  const command = new Command('poke-images').description(
    'replace the images of deployed objects that come from images.get_image, and nothing else',
  )
  return withProjectFlags(withChangeFlags(withTargetFlags(command)), io).action(async (options: ChangeOptions) => {
    parseOutputs(options.outputFormat)
    const flags = { ...options, ...renderFlags(options), fixedImages: await fixedImages(options) }
    await withTargetEngine(io, options, async (host, signal) => {
      if (options.yes !== true && options.dryRun !== true) {
        const where = host.cluster?.context ?? ''
        const question = `Do you really want to poke images to the context/cluster ${where}?`
        if (!(await new Questions(io).confirm(question))) throw new DeclinedError('aborted')
      }
      await finish(io, host, options, await pokeImages(host, flags, signal), options)
    })
  })
}
