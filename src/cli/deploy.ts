import { Command, Option } from 'commander'
import { type ConfirmDiff, deploy } from '../engine/commands/deploy.ts'
import {
  type ChangeOptions,
  type ForceOptions,
  parseWait,
  withChangeFlags,
  withDiscriminator,
  withForceFlags,
} from './command-flags.ts'
import { asAsked, parseOutputs, writePreview } from './command-output.ts'
import { finish } from './command-run.ts'
import { Questions } from './confirm.ts'
import { withProjectFlags, withTargetFlags } from './engine-flags.ts'
import { fixedImages, renderFlags, withTargetEngine } from './engine-run.ts'
import type { Io } from './io.ts'

interface Options extends ChangeOptions, ForceOptions {
  abortOnError?: boolean
  /** False for `--no-wait`. */
  wait: boolean
  readinessTimeout: number
  prune?: boolean
  discriminator?: string
}

/** `offshoot deploy`: brings a target to its cluster. */
export function deployCommand(io: Io): Command {
  const command = new Command('deploy')
    .description('deploy a target to its cluster: show what would change, ask, apply, tell what changed')
    .option('--abort-on-error', 'begin nothing new after an error')
    .option('--no-wait', 'do not wait for objects to get ready')
    .addOption(
      new Option('--readiness-timeout <duration>', 'time for each object to get ready')
        .argParser(parseWait)
        .default(300_000, '5m'),
    )
    .option('--prune', 'delete orphans at the end')
  const all = withDiscriminator(withForceFlags(withChangeFlags(withTargetFlags(command))))
  return withProjectFlags(all, io).action(async (options: Options) => {
    parseOutputs(options.outputFormat)
    const { wait, ...rest } = options
    const flags = { ...rest, ...renderFlags(options), noWait: !wait, fixedImages: await fixedImages(options) }
    const confirm = options.yes === true || options.dryRun === true ? undefined : question(io, options)
    await withTargetEngine(io, options, async (host, signal) => {
      await finish(io, host, options, await deploy(host, flags, signal, { confirm }), options)
    })
  })
}

function question(io: Io, options: Options): ConfirmDiff {
  const questions = new Questions(io)
  return async diff => {
    const preview = asAsked(diff, options)
    writePreview(io, options, preview)
    const failed = 'The diff resulted in errors, do you still want to proceed?'
    return questions.confirm(preview.errors.length > 0 ? failed : 'The diff succeeded, do you want to proceed?')
  }
}
