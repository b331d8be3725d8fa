import { Command } from 'commander'
import { annotations } from '../api/index.ts'
import { type ClusterOptions, getEnvironment, withClient, withCluster } from './cluster.ts'
import { writeMark } from './hand-mark.ts'
import type { Io } from './io.ts'

/** `offshoot env resume NAME`: ends a deployment by hand; the change's commit is deployed again. */
export function envResumeCommand(io: Io): Command {
  const command = new Command('resume')
    .description('deploy the change’s commit again after a deployment by hand')
    .argument('<name>', 'name of the environment')
  return withCluster(command).action((name: string, options: ClusterOptions) =>
    withClient(options, async (kube, namespace) => {
      const environment = await getEnvironment(kube, namespace, name, io)
      let wasMarked = false
      await writeMark({ kube, environment, clock: io.clock }, null, io.signal, async ({ metadata }) => {
        wasMarked = metadata.annotations?.[annotations.byHand] !== undefined
        return wasMarked
      })
      io.stdout.write(wasMarked ? `${name} follows its change again\n` : `${name} was not deployed by hand\n`)
    }),
  )
}
