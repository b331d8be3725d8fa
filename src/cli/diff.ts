import { Command } from 'commander'
import { diff } from '../engine/commands/diff.ts'
import {
  type ForceOptions,
  type ResultOptions,
  withDiscriminator,
  withForceFlags,
  withResultFlags,
} from './command-flags.ts'
import { parseOutputs } from './command-output.ts'
import { finish } from './command-run.ts'
import { type TargetOptions, withProjectFlags, withTargetFlags } from './engine-flags.ts'
import { fixedImages, renderFlags, withTargetEngine } from './engine-run.ts'
import type { Io } from './io.ts'

interface Options extends TargetOptions, ResultOptions, ForceOptions {
  ignoreTags?: boolean
  ignoreLabels?: boolean
  ignoreAnnotations?: boolean
  ignoreKluctlMetadata?: boolean
  discriminator?: string
}

/** `offshoot diff`: what deploying a target would change. */
export function diffCommand(io: Io): Command {
  const command = new Command('diff')
    .description('show what deploying a target would change, and what is left over on the cluster')
    .option('--ignore-tags', 'leave out changes of tags')
    .option('--ignore-labels', 'leave out changes of labels')
    .option('--ignore-annotations', 'leave out changes of annotations')
    .option('--ignore-kluctl-metadata', 'leave out changes of what kluctl itself sets, such as tags and discriminators')
  const all = withDiscriminator(withForceFlags(withResultFlags(withTargetFlags(command))))
  return withProjectFlags(all, io).action(async (options: Options) => {
    parseOutputs(options.outputFormat)
    const flags = { ...options, ...renderFlags(options), fixedImages: await fixedImages(options) }
    await withTargetEngine(io, options, async (host, signal) => {
      await finish(io, host, options, await diff(host, flags, signal))
    })
  })
}
