import { Command } from 'commander'
import type { EnvironmentState, ReviewEnvironment } from '../api/index.ts'
import { labels } from '../api/index.ts'
import { labelValue } from '../environment/names.ts'
import {
  type ClusterOptions,
  environmentKind,
  type OutputOptions,
  withClient,
  withCluster,
  withOutput,
} from './cluster.ts'
import type { Io } from './io.ts'
import { age, type Colour, type Column, printObjects } from './output.ts'

const colours: Partial<Record<EnvironmentState, Colour>> = {
  Ready: 'green',
  Failed: 'red',
  Blocked: 'red',
  Deploying: 'yellow',
  Deleting: 'yellow',
  Waiting: 'grey',
  Pending: 'grey',
}

/** The colour that a state is shown in. */
export function stateColour(state: EnvironmentState | undefined): Colour | undefined {
  return state && colours[state]
}

interface Options extends ClusterOptions, OutputOptions {
  allNamespaces?: true
  project?: string
}

/** `offshoot env list`: the environments of a namespace, of a project or of the cluster. */
export function envListCommand(io: Io): Command {
  const command = new Command('list')
    .alias('ls')
    .description('list environments')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-p, --project <name>', 'of one project')
  return withOutput(withCluster(command)).action((options: Options) =>
    withClient(options, async (kube, namespace) => {
      const { items } = await kube.list<ReviewEnvironment>(environmentKind, {
        ...(options.allNamespaces ? {} : { namespace }),
        ...(options.project === undefined ? {} : { labelSelector: `${labels.project}=${labelValue(options.project)}` }),
        signal: io.signal,
      })
      const found = items.filter(
        ({ spec }) => options.project === undefined || spec.projectRef.name === options.project,
      )
      printObjects(io, options.output, found, columns(io, options.allNamespaces === true))
      if (found.length === 0 && options.output === 'table') {
        io.stderr.write(options.allNamespaces ? 'no environments\n' : `no environments in namespace ${namespace}\n`)
      }
    }),
  )
}

function columns(io: Io, everywhere: boolean): Column<ReviewEnvironment>[] {
  const now = io.clock.now()
  return [
    ...(everywhere ? [{ head: 'NAMESPACE', value: (one: ReviewEnvironment) => one.metadata.namespace }] : []),
    { head: 'NAME', value: one => one.metadata.name },
    { head: 'CHANGE', value: one => one.status?.summary ?? describeChange(one) },
    { head: 'STATE', value: one => one.status?.state, colour: one => stateColour(one.status?.state) },
    { head: 'URL', value: one => one.status?.url },
    { head: 'AGE', value: one => age(one.metadata.creationTimestamp, now) },
  ]
}

/** The change of an environment in words: `#42` or the branch. */
export function describeChange({ spec }: Pick<ReviewEnvironment, 'spec'>): string {
  return spec.change.pullRequest !== undefined ? `#${spec.change.pullRequest}` : spec.change.branch
}
