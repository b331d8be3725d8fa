import { Command } from 'commander'
import { prune } from '../engine/commands/prune.ts'
import { type ChangeOptions, withChangeFlags, withDiscriminator } from './command-flags.ts'
import { parseOutputs } from './command-output.ts'
import { deletionQuestion, finish } from './command-run.ts'
import { Questions } from './confirm.ts'
import { withProjectFlags, withTargetFlags } from './engine-flags.ts'
import { fixedImages, renderFlags, withTargetEngine } from './engine-run.ts'
import type { Io } from './io.ts'

/** `offshoot prune`: deletes what a target has deployed and does not render any more. */
export function pruneCommand(io: Io): Command {
  const command = new Command('prune').description(
    'delete objects that carry the discriminator of a target and are not part of it any more',
  )
  const all = withDiscriminator(withChangeFlags(withTargetFlags(command)))
  return withProjectFlags(all, io).action(async (options: ChangeOptions) => {
    parseOutputs(options.outputFormat)
    const flags = { ...options, ...renderFlags(options), fixedImages: await fixedImages(options) }
    const confirm = deletionQuestion(io, options, new Questions(io))
    await withTargetEngine(io, options, async (host, signal) => {
      await finish(io, host, options, await prune(host, flags, signal, confirm), options)
    })
  })
}
