import { Command } from 'commander'
import { diff } from '../engine/commands/diff.ts'
import { type ClusterOptions, withCluster, withTimeout } from './cluster.ts'
import { type ResultOptions, withResultFlags } from './command-flags.ts'
import { parseOutputs } from './command-output.ts'
import { finish } from './command-run.ts'
import { type EnvEngineOptions, withEnvironmentEngine } from './env-engine.ts'
import type { Io } from './io.ts'
import { hasColour } from './io.ts'

type Options = ClusterOptions & EnvEngineOptions & ResultOptions

/** `offshoot env diff NAME`: what deploying this working tree into an environment would change. */
export function envDiffCommand(io: Io): Command {
  const command = new Command('diff')
    .description('show what deploying this working tree into an environment would change')
    .argument('<name>', 'name of the environment')
    .option('--project-dir <folder>', 'working tree of the repository', '.')
  return withTimeout(withCluster(withResultFlags(command))).action((name: string, options: Options) => {
    parseOutputs(options.outputFormat)
    return withEnvironmentEngine(io, name, options, async ({ host, flags, signal }) => {
      const color = hasColour(io.stdout, io.env)
      await finish(io, host, { ...options, color }, await diff(host, flags, signal))
    })
  })
}
