import { Command, Option } from 'commander'
import { type ClusterOptions, type OutputOptions, withClient, withCluster, withOutput, withTimeout } from './cluster.ts'
import { type Goal, waitForEnvironment } from './env-progress.ts'
import type { Io } from './io.ts'
import { printData } from './output.ts'

interface Options extends ClusterOptions, OutputOptions {
  for: Goal
  timeout: number
}

/** `offshoot env wait NAME`: until it is ready, or gone. */
export function envWaitCommand(io: Io): Command {
  const command = new Command('wait')
    .description('wait until an environment is ready or gone')
    .argument('<name>', 'name of the environment')
    .addOption(new Option('--for <state>', 'what to wait for').choices(['ready', 'gone']).default('ready'))
  return withOutput(withTimeout(withCluster(command))).action((name: string, options: Options) =>
    withClient(options, async (kube, namespace) => {
      const wait = { namespace, name, goal: options.for, timeout: options.timeout }
      const environment = await waitForEnvironment(kube, wait, io)
      if (options.output !== 'table') printData(io, options.output, environment ?? null)
      else
        io.stdout.write(
          options.for === 'gone' ? `${name} is gone\n` : `${environment?.status?.url || `${name} is ready`}\n`,
        )
    }),
  )
}
