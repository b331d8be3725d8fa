import { Command } from 'commander'
import type { EngineRecord, ReviewEnvironment } from '../api/index.ts'
import {
  type ClusterOptions,
  getEnvironment,
  type OutputOptions,
  withClient,
  withCluster,
  withOutput,
} from './cluster.ts'
import { describeChange, stateColour } from './env-list.ts'
import { describeBlocker } from './env-progress.ts'
import { hasColour, type Io, printable } from './io.ts'
import { age, paint, printData } from './output.ts'

/** `offshoot env show NAME`: one environment in full. */
export function envShowCommand(io: Io): Command {
  const command = new Command('show').description('show one environment').argument('<name>', 'name of the environment')
  return withOutput(withCluster(command)).action((name: string, options: ClusterOptions & OutputOptions) =>
    withClient(options, async (kube, namespace) => {
      const environment = await getEnvironment(kube, namespace, name, io)
      if (options.output === 'table') show(io, environment)
      else printData(io, options.output, environment)
    }),
  )
}

function show(io: Io, environment: ReviewEnvironment): void {
  const { metadata, spec, status } = environment
  const state = status?.state
  const line = (label: string, value: string | undefined) => {
    if (value !== undefined && value !== '') io.stdout.write(`${`${label}:`.padEnd(13)}${value}\n`)
  }
  const text = (label: string, value: string | undefined) => line(label, value && printable(value))
  text('Name', `${metadata.namespace}/${metadata.name}`)
  text('Project', spec.projectRef.name)
  text('Change', status?.summary ?? describeChange(environment))
  text('Page', status?.change?.url)
  line('State', paint(state ?? 'not seen by the controller yet', stateColour(state), hasColour(io.stdout, io.env)))
  text('URL', status?.url)
  text('Namespace', status?.namespace)
  text('Account', status?.serviceAccount)
  text('Target', status?.target)
  text('Wanted', spec.revision)
  text('Deployed', status?.deployedRevision)
  text('Result', status?.engine && resultOf(status.engine))
  text('Origin', spec.origin)
  text('Age', age(metadata.creationTimestamp, io.clock.now()))
  if (status?.admission && !status.admission.admitted) text('Place', `${status.admission.position ?? '?'} in the queue`)
  for (const condition of status?.conditions ?? []) {
    text(condition.type, `${condition.status} (${condition.reason}) ${condition.message}`)
  }
  for (const blocker of status?.blockers ?? []) text('Blocked by', describeBlocker(blocker))
  const more = (status?.blockerCount ?? 0) - (status?.blockers?.length ?? 0)
  if (more > 0) text('Blocked by', `… and ${more} more`)
}

/** The engine's last deployment, and where what it did can be read. */
function resultOf({ result, objects, changed, deleted, resultId }: EngineRecord): string {
  const kept = resultId === undefined ? '' : `; kept as ${resultId} in the environment’s namespace`
  return `${result}: ${objects} objects, ${changed} changed, ${deleted} deleted${kept}`
}
