import { type Command, Option } from 'commander'
import { apiVersion, durationMilliseconds, type ReviewEnvironment, type ReviewProject } from '../api/index.ts'
import { KubeClient } from '../kube/client.ts'
import { InvalidInputError } from '../util/errors.ts'
import { CliError, exitCodes } from './exit.ts'
import type { Io } from './io.ts'
import { type OutputFormat, outputFormats } from './output.ts'

export const environmentKind = { apiVersion, kind: 'ReviewEnvironment' }
export const projectKind = { apiVersion, kind: 'ReviewProject' }

/** Flags of every command that speaks to a cluster. */
export interface ClusterOptions {
  kubeconfig?: string
  context?: string
  namespace?: string
}

/** Flags of every command that prints. */
export interface OutputOptions {
  output: OutputFormat
}

/** Adds `--kubeconfig`, `--context` and, unless told otherwise, `--namespace`. */
export function withCluster(command: Command, namespaced = true): Command {
  command
    .option('--kubeconfig <file>', 'kubeconfig file (default: KUBECONFIG, ~/.kube/config, the pod’s own account)')
    .option('--context <name>', 'context of the kubeconfig')
  return namespaced ? command.option('-n, --namespace <name>', 'namespace (default: that of the context)') : command
}

/** Adds `--output`. */
export function withOutput(command: Command): Command {
  return command.addOption(new Option('-o, --output <format>', 'output format').choices(outputFormats).default('table'))
}

/** Adds `--timeout`, a duration. */
export function withTimeout(command: Command, standard = '10m'): Command {
  return command.option(
    '--timeout <duration>',
    'how long to wait, such as 90s, 10m or 1h',
    parseTimeout,
    parseTimeout(standard),
  )
}

function parseTimeout(text: string): number {
  try {
    return durationMilliseconds(text)
  } catch (cause) {
    throw new InvalidInputError([{ path: '--timeout', message: 'expected a duration such as 90s, 10m or 1h' }], {
      cause,
    })
  }
}

/** Runs `work` with a client and the namespace to work in, and closes the client. */
export async function withClient<T>(
  options: ClusterOptions,
  work: (kube: KubeClient, namespace: string) => Promise<T>,
): Promise<T> {
  const kube = KubeClient.fromKubeconfig({
    ...(options.kubeconfig === undefined ? {} : { path: options.kubeconfig }),
    ...(options.context === undefined ? {} : { context: options.context }),
  })
  try {
    return await work(kube, options.namespace ?? kube.defaultNamespace ?? 'default')
  } finally {
    await kube.close()
  }
}

/** The environment. @throws CliError (not found) with what to do. */
export async function getEnvironment(kube: KubeClient, namespace: string, name: string, io: Io) {
  const found = await kube.get<ReviewEnvironment>({ ...environmentKind, namespace, name }, { signal: io.signal })
  if (found) return found
  throw new CliError(
    `no environment "${name}" in namespace "${namespace}"`,
    exitCodes.notFound,
    `offshoot env list -n ${namespace}, or -A for all namespaces`,
  )
}

/** The project. @throws CliError (not found) with what to do. */
export async function getProject(kube: KubeClient, namespace: string, name: string, io: Io) {
  const found = await kube.get<ReviewProject>({ ...projectKind, namespace, name }, { signal: io.signal })
  if (found) return found
  throw new CliError(
    `no project "${name}" in namespace "${namespace}"`,
    exitCodes.notFound,
    `offshoot project list -n ${namespace}, or -A for all namespaces`,
  )
}
