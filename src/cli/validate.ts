import { Command, Option } from 'commander'
import { validate } from '../engine/commands/validate.ts'
import { EngineError } from '../engine/errors.ts'
import { parseWait, withList } from './command-flags.ts'
import { parseOutputs, writeValidation } from './command-output.ts'
import { type TargetOptions, withProjectFlags, withTargetFlags } from './engine-flags.ts'
import { fixedImages, renderFlags, withTargetEngine } from './engine-run.ts'
import type { Io } from './io.ts'

interface Options extends TargetOptions {
  output: string[]
  wait: number
  sleep: number
  warningsAsErrors?: boolean
}

const duration = (flags: string, description: string) => new Option(flags, description).argParser(parseWait)

/** `offshoot validate`: whether what a target renders is on the cluster, and ready. */
export function validateCommand(io: Io): Command {
  const command = new Command('validate')
    .description('check that the objects of a target are on the cluster and ready')
    .addOption(duration('--wait <duration>', 'time to wait until the target is valid').default(0, 'none'))
    .addOption(duration('--sleep <duration>', 'time between two attempts').default(5000, '5s'))
    .option('--warnings-as-errors', 'not valid with warnings either')
  const formats = 'text, yaml or json, alone for standard output or with =<file>'
  const all = withTargetFlags(withList(command, '-o, --output <format>', `how the result is printed: ${formats}`))
  return withProjectFlags(all, io).action(async (options: Options) => {
    parseOutputs(options.output)
    const flags = { ...options, ...renderFlags(options), fixedImages: await fixedImages(options) }
    await withTargetEngine(io, options, async (host, signal) => {
      const isValid = await validate(host, flags, signal, async result => {
        await writeValidation(io, options, result)
        return result.errors.length === 0 && !(options.warningsAsErrors === true && result.warnings.length > 0)
      })
      if (!isValid) throw new EngineError('Validation failed')
      host.progress.info('Validation succeeded')
    })
  })
}
