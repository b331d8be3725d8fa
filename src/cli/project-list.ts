import { Command } from 'commander'
import { findCondition, type ReviewProject } from '../api/index.ts'
import { type ClusterOptions, type OutputOptions, projectKind, withClient, withCluster, withOutput } from './cluster.ts'
import type { Io } from './io.ts'
import { age, type Column, printObjects } from './output.ts'

interface Options extends ClusterOptions, OutputOptions {
  allNamespaces?: true
}

/** `offshoot project list`: the projects of a namespace or of the cluster. */
export function projectListCommand(io: Io): Command {
  const command = new Command('list')
    .alias('ls')
    .description('list projects')
    .option('-A, --all-namespaces', 'of all namespaces')
  return withOutput(withCluster(command)).action((options: Options) =>
    withClient(options, async (kube, namespace) => {
      const where = options.allNamespaces ? {} : { namespace }
      const { items } = await kube.list<ReviewProject>(projectKind, { ...where, signal: io.signal })
      printObjects(io, options.output, items, columns(io, options.allNamespaces === true))
      if (items.length === 0 && options.output === 'table') {
        io.stderr.write(options.allNamespaces ? 'no projects\n' : `no projects in namespace ${namespace}\n`)
      }
    }),
  )
}

function columns(io: Io, everywhere: boolean): Column<ReviewProject>[] {
  const now = io.clock.now()
  const number = (value: number | undefined) => (value === undefined ? undefined : String(value))
  const ready = (one: ReviewProject) => findCondition(one.status?.conditions, 'Ready')
  return [
    ...(everywhere ? [{ head: 'NAMESPACE', value: (one: ReviewProject) => one.metadata.namespace }] : []),
    { head: 'NAME', value: one => one.metadata.name },
    { head: 'REPOSITORY', value: one => one.spec.source.url },
    { head: 'ENVIRONMENTS', value: one => number(one.status?.environments) },
    { head: 'READY', value: one => number(one.status?.ready) },
    { head: 'WAITING', value: one => number(one.status?.waiting) },
    { head: 'LISTED', value: one => age(one.status?.lastListing?.time, now) },
    {
      head: 'STATUS',
      value: one => (one.spec.suspend ? 'Suspended' : ready(one)?.reason),
      colour: one => (ready(one)?.status === 'True' ? 'green' : ready(one)?.status === 'False' ? 'red' : undefined),
    },
  ]
}
