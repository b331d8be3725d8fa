import { Command } from 'commander'
import {
  type ClusterOptions,
  environmentKind,
  getEnvironment,
  type OutputOptions,
  withClient,
  withCluster,
  withOutput,
  withTimeout,
} from './cluster.ts'
import { waitForEnvironment } from './env-progress.ts'
import type { Io } from './io.ts'
import { printData } from './output.ts'

interface Options extends ClusterOptions, OutputOptions {
  wait?: true
  timeout: number
}

/** `offshoot env delete NAME`: removes an environment and everything in it. */
export function envDeleteCommand(io: Io): Command {
  const command = new Command('delete')
    .alias('rm')
    .description('delete an environment and everything in it')
    .argument('<name>', 'name of the environment')
    .option('-w, --wait', 'wait until nothing of it is left')
  return withOutput(withTimeout(withCluster(command))).action((name: string, options: Options) =>
    withClient(options, async (kube, namespace) => {
      const { metadata } = await getEnvironment(kube, namespace, name, io)
      // The uid keeps us from deleting another environment that came in its place meanwhile.
      const preconditions = metadata.uid === undefined ? {} : { uid: metadata.uid }
      await kube.delete({ ...environmentKind, namespace, name }, { ...preconditions, signal: io.signal })
      if (options.wait) await waitForEnvironment(kube, { namespace, name, goal: 'gone', timeout: options.timeout }, io)
      const state = options.wait ? 'gone' : 'deleting'
      if (options.output === 'table') io.stdout.write(`${name} is ${options.wait ? 'gone' : 'being deleted'}\n`)
      else printData(io, options.output, { name, namespace, state })
    }),
  )
}
