import { Command } from 'commander'
import type { ByHand } from '../api/index.ts'
import { type ConfirmDiff, deploy } from '../engine/commands/deploy.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/types.ts'
import { messageOf } from '../util/errors.ts'
import { withCluster, withTimeout } from './cluster.ts'
import { type ResultOptions, withResultFlags } from './command-flags.ts'
import { asAsked, parseOutputs, writePreview } from './command-output.ts'
import { finish } from './command-run.ts'
import { Questions } from './confirm.ts'
import { type EnvEngine, type EnvEngineOptions, withEnvironmentEngine } from './env-engine.ts'
import { keepByHand } from './env-result.ts'
import { CliError } from './exit.ts'
import { HandMark } from './hand-mark.ts'
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
  const { environment, kube, host, flags, results, signal } = engine
  const printed = { ...options, color: hasColour(io.stdout, io.env) }
  const questions = new Questions(io)
  const by = await whoAmI(kube, signal)
  const tell = (other: ByHand) => tellOf(io, other, options, questions)
  const warn = (message: string) => host.progress.warn(message)
  const mark = new HandMark({ kube, environment, clock: io.clock, by, tell, warn })
  await mark.tellOfOthers()
  const confirm: ConfirmDiff = async diff => {
    writePreview(io, printed, asAsked(diff, options))
    return questions.confirm('Deploy this into the environment?')
  }
  const claim = (discriminator: string) => mark.take(discriminator, signal)
  let succeeded = false
  try {
    const result = await deploy(host, flags, signal, { confirm: options.yes === true ? undefined : confirm, claim })
    succeeded = result.masked.errors.length === 0
    await keepByHand(host, results, result.masked)
    await finish(io, host, printed, result)
  } finally {
    // Also when it was cut off: the mark tells how it stands.
    const news = await mark.end(succeeded ? 'succeeded' : 'failed').catch(error => {
      return `the environment does not say how this ended: ${messageOf(error)}`
    })
    if (news !== undefined) warn(news)
  }
}

/** Two people on one environment are told of each other. @throws CliError when one gives way */
async function tellOf(io: Io, other: ByHand, { yes }: Options, questions: Questions): Promise<void> {
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
