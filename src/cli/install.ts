import { Command } from 'commander'
import { stringify } from 'yaml'
import { ObjectName } from '../api/index.ts'
import type { KubeObject } from '../kube/types.ts'
import { InvalidInputError } from '../util/errors.ts'
import { type Applied, applyManifests, waitEstablished } from './apply-manifests.ts'
import { type ClusterOptions, type OutputOptions, withClient, withCluster, withOutput, withTimeout } from './cluster.ts'
import type { Io } from './io.ts'
import { admissionManifests, crdManifests, type Installation, rbacManifests } from './manifests.ts'
import { printData } from './output.ts'

interface Options extends ClusterOptions, OutputOptions {
  apply?: true
  name: string
  controllerNamespace: string
  projectNamespace: string[]
  allowedClusterRole: string[]
  crds: boolean
  admissionPolicy: boolean
  timeout: number
}

const list = (flag: string) => (value: string, previous: string[] | undefined) => [
  ...(previous ?? []),
  objectName(flag)(value),
]

/** `offshoot install`: prints what the cluster must have, or applies it. */
export function installCommand(io: Io): Command {
  const command = new Command('install')
    .description('print the CRDs and RBAC that Offshoot needs, or apply them')
    .option('--apply', 'apply them to the cluster instead of printing them')
    .option(
      '--project-namespace <name>',
      'a namespace that holds projects; repeatable (default: offshoot)',
      list('--project-namespace'),
    )
    .option(
      '--controller-namespace <name>',
      'the controller’s own namespace',
      objectName('--controller-namespace'),
      'offshoot-system',
    )
    .option(
      '--allowed-cluster-role <name>',
      'a ClusterRole that projects may give to environments; repeatable (default: offshoot-environment)',
      list('--allowed-cluster-role'),
    )
    .option(
      '--name <name>',
      'begins the names of cluster-wide objects, for several installations on one cluster',
      objectName('--name'),
      'offshoot',
    )
    .option('--no-crds', 'without the CRDs')
    .option('--no-admission-policy', 'without the ValidatingAdmissionPolicy (it needs Kubernetes 1.30)')
  return withOutput(withTimeout(withCluster(command, false), '1m')).action(async (raw: Options) => {
    const options = {
      ...raw,
      projectNamespace: raw.projectNamespace ?? ['offshoot'],
      allowedClusterRole: raw.allowedClusterRole ?? ['offshoot-environment'],
    }
    const { crds, others } = await manifests(options)
    if (options.apply) return apply(options, crds, others, io)
    if (options.output === 'json')
      printData(io, 'json', { apiVersion: 'v1', kind: 'List', items: [...crds, ...others] })
    else io.stdout.write([...crds, ...others].map(toYaml).join('---\n'))
  })
}

async function manifests(options: Options): Promise<{ crds: KubeObject[]; others: KubeObject[] }> {
  refuseUnsafe(options)
  const installation: Installation = {
    name: options.name,
    controllerNamespace: options.controllerNamespace,
    projectNamespaces: options.projectNamespace,
    allowedClusterRoles: options.allowedClusterRole,
  }
  const crds = options.crds ? await crdManifests() : []
  const policy = options.admissionPolicy ? await admissionManifests(installation) : []
  return { crds, others: [...(await rbacManifests(installation)), ...policy] }
}

/** The controller may act as every account of a namespace with projects, and who writes projects says as which. */
function refuseUnsafe({ projectNamespace, controllerNamespace }: Options): void {
  const problems = projectNamespace
    .filter(name => name === controllerNamespace || name.startsWith('kube-'))
    .map(name => ({
      path: '--project-namespace',
      message: `expected another namespace than ${name}: whoever writes projects there could act as ${name === controllerNamespace ? 'the controller' : 'an account of the cluster'}`,
    }))
  if (problems.length > 0) throw new InvalidInputError(problems)
}

function apply(options: Options, crds: KubeObject[], others: KubeObject[], io: Io): Promise<void> {
  return withClient(options, async kube => {
    const results: { kind: string; namespace?: string | undefined; name?: string | undefined; result: Applied }[] = []
    const done = ({ kind, metadata: { namespace, name } }: KubeObject, result: Applied) => {
      results.push({ kind, namespace, name, result })
      if (options.output !== 'table') return
      io.stdout.write(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${name} ${result}\n`)
    }
    await applyManifests(kube, crds, io, done)
    await applyManifests(kube, others, io, done)
    await waitEstablished(kube, crds, options.timeout, io)
    if (options.output !== 'table') printData(io, options.output, results)
  })
}

function toYaml(object: KubeObject): string {
  return stringify(object, { lineWidth: 120, aliasDuplicateObjects: false })
}

function objectName(flag: string) {
  return (text: string): string => {
    const name = ObjectName.safeParse(text)
    if (name.success) return name.data
    throw new InvalidInputError([
      {
        path: flag,
        message: `expected a Kubernetes name (lower-case letters, digits, - and .), not ${JSON.stringify(text)}`,
      },
    ])
  }
}
