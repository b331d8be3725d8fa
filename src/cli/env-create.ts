import { Command } from 'commander'
import {
  apiVersion,
  BranchName,
  type ChangeIdentity,
  changeKey,
  isBranchName,
  PullRequestNumber,
  type ReviewEnvironment,
} from '../api/index.ts'
import { environmentObjectName } from '../environment/names.ts'
import { ownLabels } from '../environment/new-environment.ts'
import type { KubeClient } from '../kube/client.ts'
import { KubeError } from '../kube/errors.ts'
import { InvalidInputError } from '../util/errors.ts'
import {
  type ClusterOptions,
  environmentKind,
  getProject,
  type OutputOptions,
  withClient,
  withCluster,
  withOutput,
  withTimeout,
} from './cluster.ts'
import { describeChange } from './env-list.ts'
import { waitForEnvironment } from './env-progress.ts'
import { CliError, exitCodes } from './exit.ts'
import { type Io, printable } from './io.ts'
import { printData } from './output.ts'

interface Options extends ClusterOptions, OutputOptions {
  project: string
  branch?: string
  pullRequest?: string
  wait?: true
  timeout: number
}

/** `offshoot env create`: an environment by hand, which no listing removes, only the end of its change or a hand. */
export function envCreateCommand(io: Io): Command {
  const command = new Command('create')
    .description('create an environment for a branch or pull request, whatever the project’s filters say')
    .requiredOption('-p, --project <name>', 'the project')
    .option('-b, --branch <name>', 'the branch')
    .option('--pull-request <number>', 'the pull request')
    .option('-w, --wait', 'wait until it is ready')
  return withOutput(withTimeout(withCluster(command))).action((options: Options) => {
    const change = changeOf(options)
    return withClient(options, (kube, namespace) => create(kube, namespace, change, options, io))
  })
}

async function create(
  kube: KubeClient,
  namespace: string,
  change: ChangeIdentity,
  options: Options,
  io: Io,
): Promise<void> {
  const project = await getProject(kube, namespace, options.project, io)
  const name = environmentObjectName(project.metadata.name, change)
  const wanted: ReviewEnvironment = {
    apiVersion,
    kind: 'ReviewEnvironment',
    metadata: { name, namespace, labels: ownLabels(project.metadata, name) },
    spec: { projectRef: { name: project.metadata.name }, change, origin: 'manual' },
  }
  let environment = await createOrFind(kube, wanted, io)
  if (options.wait) {
    const goal = { namespace, name, goal: 'ready', timeout: options.timeout } as const
    environment = (await waitForEnvironment(kube, goal, io)) ?? environment
  }
  if (options.output !== 'table') printData(io, options.output, environment)
  else io.stdout.write(`${environment.status?.url || name}\n`)
}

async function createOrFind(kube: KubeClient, wanted: ReviewEnvironment, io: Io): Promise<ReviewEnvironment> {
  const { name, namespace } = wanted.metadata
  try {
    return await kube.create(wanted, { fieldValidation: 'Strict', signal: io.signal })
  } catch (error) {
    if (!(error instanceof KubeError) || !error.isAlreadyExists) throw error
  }
  const found = await kube.get<ReviewEnvironment>({ ...environmentKind, namespace, name }, { signal: io.signal })
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) {
    throw new CliError(
      `environment "${name}" is being deleted`,
      exitCodes.failure,
      `offshoot env wait ${name} --for gone -n ${namespace}`,
    )
  }
  if (changeKey(found.spec.change) !== changeKey(wanted.spec.change)) {
    throw new CliError(`the name "${name}" is taken by the environment of ${printable(describeChange(found))}`)
  }
  const end = found.spec.origin === 'automatic' ? '; it was made by the project and ends with its filters' : ''
  io.stderr.write(`environment "${name}" exists already${end}\n`)
  return found
}

function changeOf({ branch, pullRequest }: Options): ChangeIdentity {
  if ((branch === undefined) === (pullRequest === undefined)) {
    throw new InvalidInputError([{ path: '--branch, --pull-request', message: 'expected exactly one of them' }])
  }
  if (branch !== undefined) {
    const refuse = (message: string) => new InvalidInputError([{ path: '--branch', message }])
    if (branch.startsWith('refs/')) throw refuse('expected a branch’s name, without refs/heads/')
    if (!BranchName.safeParse(branch).success || !isBranchName(branch))
      throw refuse('expected a name that a branch can have')
    return { branch }
  }
  const number = PullRequestNumber.safeParse(/^[0-9]+$/.test(pullRequest ?? '') ? Number(pullRequest) : undefined)
  if (number.success) return { pullRequest: number.data }
  throw new InvalidInputError([
    { path: '--pull-request', message: 'expected the number of a pull request, such as 42' },
  ])
}
