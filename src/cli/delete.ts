import { Command } from 'commander'
import { deleteTarget } from '../engine/commands/delete.ts'
import { type ChangeOptions, withChangeFlags, withDiscriminator } from './command-flags.ts'
import { parseOutputs } from './command-output.ts'
import { deletionQuestion, finish } from './command-run.ts'
import { Questions } from './confirm.ts'
import { withProjectFlags, withTargetFlags } from './engine-flags.ts'
import { fixedImages, renderFlags, withTargetEngine } from './engine-run.ts'
import type { Io } from './io.ts'

interface Options extends ChangeOptions {
  /** False for `--no-wait`. */
  wait: boolean
}

/** `offshoot delete`: deletes everything that carries a target's discriminator. */
export function deleteCommand(io: Io): Command {
  const command = new Command('delete')
    .description('delete everything on the cluster that carries the discriminator of a target, rendered or not')
    .option('--no-wait', 'do not wait until everything is gone')
  const all = withDiscriminator(withChangeFlags(withTargetFlags(command)))
  return withProjectFlags(all, io).action(async (options: Options) => {
    parseOutputs(options.outputFormat)
    const { wait, ...rest } = options
    const flags = { ...rest, ...renderFlags(options), noWait: !wait, fixedImages: await fixedImages(options) }
    const confirm = deletionQuestion(io, options, new Questions(io))
    await withTargetEngine(io, options, async (host, signal) => {
      await finish(io, host, options, await deleteTarget(host, flags, signal, confirm), options)
    })
  })
}
