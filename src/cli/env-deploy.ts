import { Command } from 'commander'
import { annotations, type ByHand, byHandOf, type ReviewEnvironment } from '../api/index.ts'
import { type ConfirmDiff, deploy } from '../engine/commands/deploy.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/types.ts'
import { timestamp } from '../util/clock.ts'
import { environmentKind, withCluster, withTimeout } from './cluster.ts'
import { type ResultOptions, withResultFlags } from './command-flags.ts'
import { asAsked, parseOutputs, writePreview } from './command-output.ts'
import { finish } from './command-run.ts'
import { Questions } from './confirm.ts'
import { type EnvEngine, type EnvEngineOptions, withEnvironmentEngine } from './env-engine.ts'
import { CliError } from './exit.ts'
import { hasColour, type Io, printable } from './io.ts'

interface Options extends EnvEngineOptions, ResultOptions {
  yes?: boolean
}

/**
 * `offshoot env deploy NAME`: deploys this working tree, uncommitted changes included. The environment is marked, and
 * the controller leaves it alone until the next push or `offshoot env resume`.
 */
export function envDeployCommand(io: Io): Command {
  const command = new Command('deploy')
    .description('deploy this working tree, uncommitted changes included, into an environment')
    .argument('<name>', 'name of the environment')
    .option('--project-dir <folder>', 'working tree of the repository', '.')
    .option('-y, --yes', 'do not ask, go on as if the answer were yes')
  return withTimeout(withCluster(withResultFlags(command)), '20m').action((name: string, options: Options) => {
    parseOutputs(options.outputFormat)
    return withEnvironmentEngine(io, name, options, engine => deployByHand(io, engine, options))
  })
}

async function deployByHand(io: Io, engine: EnvEngine, options: Options): Promise<void> {
  const { environment, kube, host, flags, signal } = engine
  const { revision } = environment.spec
  if (revision === undefined) throw new CliError(`${environment.metadata.name} has no commit yet: wait until it has`)
  const color = hasColour(io.stdout, io.env)
  const printed = { ...options, color }
  const questions = new Questions(io)
  const by = await whoAmI(kube, signal)
  await tellOfOthers(io, environment, by, options, questions)
  const mark = (state: ByHand['state'], during: AbortSignal) => {
    const value: ByHand = { by, at: timestamp(io.clock.now()), revision, state }
    return annotate(kube, environment, JSON.stringify(value), during)
  }
  let begun = false
  const begin = async () => {
    begun = true
    await mark('deploying', signal)
  }
  const confirm: ConfirmDiff = async diff => {
    if (options.yes !== true) {
      const preview = asAsked(diff, options)
      writePreview(io, printed, preview)
      if (!(await questions.confirm('Deploy this into the environment?'))) return false
    }
    await begin()
    return true
  }
  let succeeded = false
  try {
    const result = await deploy(host, flags, signal, confirm)
    succeeded = result.masked.errors.length === 0
    await finish(io, host, printed, result)
  } finally {
    // Also when it was cut off: the mark tells how it stands.
    if (begun) await mark(succeeded ? 'succeeded' : 'failed', AbortSignal.timeout(10_000))
  }
}

/** Two people on one environment are told of each other. */
async function tellOfOthers(
  io: Io,
  environment: ReviewEnvironment,
  me: string,
  { yes }: Options,
  questions: Questions,
): Promise<void> {
  const other = byHandOf(environment)
  if (other === undefined || other.by === me) return
  const what = other.state === 'deploying' ? 'has been deploying' : 'has deployed'
  io.stderr.write(`${printable(other.by)} ${what} into this environment by hand since ${other.at}\n`)
  if (yes === true) return
  if (!(await questions.confirm('Deploy over it?'))) throw new CliError('nothing was deployed')
}

/** Name of the person (or account) that the client acts as. @throws KubeError */
async function whoAmI(kube: KubeClient, signal: AbortSignal): Promise<string> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} }
  const { status } = await kube.create<KubeObject>(review, { signal })
  const { username } = (status as { userInfo?: { username?: string } } | undefined)?.userInfo ?? {}
  return username || 'somebody'
}

/** Writes the mark, or takes it off. The uid keeps it from an environment that came in this one's place. */
export async function annotate(
  kube: KubeClient,
  { metadata: { namespace, name, uid } }: ReviewEnvironment,
  value: string | null,
  signal: AbortSignal,
): Promise<void> {
  const patch = { metadata: { ...(uid === undefined ? {} : { uid }), annotations: { [annotations.byHand]: value } } }
  await kube.patch({ ...environmentKind, namespace, name }, patch, { type: 'merge', signal })
}
