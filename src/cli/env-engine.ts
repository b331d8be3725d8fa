import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ReviewEnvironment, ReviewProject } from '../api/index.ts'
import type { DeployFlags } from '../engine/commands/deploy.ts'
import { EngineError } from '../engine/errors.ts'
import type { EngineHost } from '../engine/host.ts'
import { localHost } from '../engine/local/local-host.ts'
import { checkConfig } from '../engine/project/parse.ts'
import { fixedImage } from '../engine/project/schema/project.ts'
import { clusterId } from '../engine/result/cluster-info.ts'
import type { JsonObject } from '../engine/values.ts'
import { plain } from '../engine/vars/remote.ts'
import { type ConfigOverrides, readConfigFile } from '../environment/config-file.ts'
import type { DesiredEngine } from '../environment/desired.ts'
import { renderDesired } from '../environment/render.ts'
import type { KubeClient } from '../kube/client.ts'
import { silentLogger } from '../util/log.ts'
import { type ClusterOptions, getEnvironment, getProject, withClient } from './cluster.ts'
import { engineProgress } from './engine-progress.ts'
import { CliError } from './exit.ts'
import type { Io } from './io.ts'

/** Flags of the commands that deploy a working tree into an environment. */
export interface EnvEngineOptions extends ClusterOptions {
  projectDir: string
  timeout: number
}

/** An environment, and what deploys this working tree into it. */
export interface EnvEngine {
  readonly environment: ReviewEnvironment
  /** Acts as the person. */
  readonly kube: KubeClient
  /** Acts as the environment's account. */
  readonly host: EngineHost
  readonly flags: DeployFlags
  /** Where results are kept, and how many of them. */
  readonly results: { readonly namespace: string; readonly keep: number }
  readonly signal: AbortSignal
}

/**
 * Gives `work` an engine that deploys a working tree into an environment exactly as the controller would deploy its
 * commit: the same target, arguments, images and namespace, as the same account.
 * @throws CliError for an environment that the engine does not deploy, or that has no namespace yet
 */
export async function withEnvironmentEngine<T>(
  io: Io,
  name: string,
  options: EnvEngineOptions,
  work: (engine: EnvEngine) => Promise<T>,
): Promise<T> {
  return withClient(options, async (kube, namespace) => {
    const environment = await getEnvironment(kube, namespace, name, io)
    const project = await getProject(kube, namespace, environment.spec.projectRef.name, io)
    const { namespace: target, serviceAccount } = environment.status ?? {}
    if (target === undefined || serviceAccount === undefined) {
      throw new CliError(`${name} has no namespace yet`, undefined, `offshoot env wait ${name} -n ${namespace}`)
    }
    const desired = await desiredOf(project, environment, options.projectDir)
    await using local = localHost({
      environment: io.env,
      clock: io.clock,
      logger: silentLogger,
      progress: engineProgress(io),
      cluster: kube.as({ serviceAccount: { namespace, name: serviceAccount } }),
    })
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(options.timeout)])
    const host = { ...local.host, defaultNamespace: target }
    const flags = {
      ...(await flagsOf(desired, options.projectDir)),
      asController: true,
      confinedTo: [target],
      clusterId: (during: AbortSignal) => clusterId(kube, during),
    }
    const results = { namespace: target, keep: desired.keepResults }
    return await work({ environment, kube, host, flags, results, signal })
  })
}

async function desiredOf(
  project: ReviewProject,
  environment: ReviewEnvironment,
  folder: string,
): Promise<DesiredEngine> {
  const { spec, status } = environment
  const facts = status?.change
  if (facts === undefined) throw new CliError(`${environment.metadata.name} knows nothing of its change yet`)
  const config = await overridesOf(project, folder)
  const { backend } = renderDesired({ project, facts, revision: spec.revision, namespace: status?.namespace, config })
  if (backend.kind === 'engine') return backend
  const { name } = project.metadata
  throw new CliError(`project ${name} deploys by ${backend.kind}: only deploy.engine can deploy a working tree`)
}

/** What the working tree's own config file says, as far as the project lets a branch say anything. */
async function overridesOf({ spec }: ReviewProject, folder: string): Promise<ConfigOverrides | undefined> {
  const { configFile } = spec
  if (configFile.allow.length === 0) return undefined
  try {
    return readConfigFile(await readFile(join(folder, configFile.path), 'utf8'), configFile)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function flagsOf(desired: DesiredEngine, folder: string): Promise<DeployFlags> {
  if (!desired.source.ownRepository) {
    throw new CliError(
      `the Kluctl project of this environment is in ${desired.source.url}, not in the change’s own tree`,
    )
  }
  const projectDir = join(resolve(folder), desired.source.path)
  if (!(await stat(projectDir).catch(() => undefined))?.isDirectory()) {
    throw new EngineError(`${projectDir} is no folder: --project-dir expects the working tree of the repository`)
  }
  return {
    projectDir,
    target: desired.target,
    values: plain(desired.args) as JsonObject,
    fixedImages: desired.images.map((image, index) =>
      checkConfig(plain(image), fixedImage, undefined, ['images', index]),
    ),
    prune: desired.prune,
    readinessTimeout: desired.readinessTimeout,
  }
}
