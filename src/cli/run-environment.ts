import { Command } from 'commander'
import { type ClusterOptions, withCluster } from './cluster.ts'
import type { Io } from './io.ts'

/** Flags of `offshoot run-environment`. */
export interface RunEnvironmentOptions extends ClusterOptions {
  request: string
  outcome: string
  cacheFolder: string
}

/** `offshoot run-environment`: what the Jobs of `deploy.engine.runner: job` run; nothing for people. */
export function runEnvironmentCommand(io: Io): Command {
  const command = new Command('run-environment')
    .description('carry out one deployment of an environment, as the controller’s Jobs do')
    .requiredOption('--request <folder>', 'folder with request.json and, where one is needed, credential.json')
    .requiredOption('--outcome <file>', 'file that the outcome is written to')
    .requiredOption('--cache-folder <folder>', 'folder for what is fetched')
  return withCluster(command, false).action(async (options: RunEnvironmentOptions) => {
    // Other commands start faster without the engine's backend in memory.
    const { runEnvironment } = await import('./run-environment-run.ts')
    await runEnvironment(io, options)
  })
}
