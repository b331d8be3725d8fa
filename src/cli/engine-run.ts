import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { RenderFlags } from '../engine/commands/run.ts'
import { targetContext } from '../engine/commands/run.ts'
import { EngineError } from '../engine/errors.ts'
import type { EngineHost } from '../engine/host.ts'
import { parseOverride } from '../engine/local/git-access.ts'
import { type LocalHost, localHost } from '../engine/local/local-host.ts'
import { parseConfig } from '../engine/project/parse.ts'
import { type FixedImage, fixedImagesFile } from '../engine/project/schema/project.ts'
import type { KubeClient } from '../kube/client.ts'
import { silentLogger } from '../util/silent-log.ts'
import { chartCredentialFlags } from './chart-flags.ts'
import type { BasicOptions, ProjectOptions, TargetOptions } from './engine-flags.ts'
import { engineProgress, type ProgressOptions } from './engine-progress.ts'
import type { Io } from './io.ts'

/** Each costs both sides a handshake, and a short command has no more use of many. */
const connections = 12

/** Runs `work` with the engine on this machine, without a cluster, until it ends or its time is up. */
export async function withEngine<T>(
  io: Io,
  options: ProjectOptions,
  work: (host: EngineHost, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return onHost(io, options, undefined, undefined, work)
}

/** Like `withEngine` for commands that pull charts. */
export async function withCharts<T>(
  io: Io,
  options: ProjectOptions,
  work: (local: LocalHost, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return onHost(io, options, undefined, undefined, (_, signal, local) => work(local, signal))
}

/** Like `withEngine` with the target's cluster, unless the command is to stay offline. */
export async function withTargetEngine<T>(
  io: Io,
  options: TargetOptions,
  work: (host: EngineHost, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (options.offlineKubernetes === true) return onHost(io, options, undefined, options.kubernetesVersion, work)
  const context =
    options.context ??
    (await withEngine(io, options, (host, signal) =>
      targetContext({ ...host, progress: { ...host.progress, warn: () => undefined } }, renderFlags(options), signal),
    ))
  if (options.kubeconfig === undefined && !(await hasKubeconfig(io.env))) {
    if (context) throw new EngineError(`context "${context}" does not exist: there is no kubeconfig`)
    const warning =
      'No valid KUBECONFIG provided, which means the Kubernetes client is not available: what needs a cluster will fail'
    engineProgress(io, progressOptions(options)).warn(warning)
    return onHost(io, options, undefined, options.kubernetesVersion, work)
  }
  const { KubeClient: Client } = await import('../kube/client.ts')
  const kube = Client.fromKubeconfig({
    connections,
    ...(options.kubeconfig === undefined ? {} : { path: options.kubeconfig }),
    ...(context === undefined || context === '' ? {} : { context }),
  })
  try {
    return await onHost(io, options, kube, options.kubernetesVersion, work)
  } finally {
    await kube.close()
  }
}

/** How the flags want progress to be shown. */
export function progressOptions({ debug, color }: BasicOptions): ProgressOptions {
  return { plainLines: debug, ...(color ? {} : { coloured: false }) }
}

/** Whether there is anything that says where the cluster is. */
async function hasKubeconfig(env: Io['env']): Promise<boolean> {
  if (env.KUBERNETES_SERVICE_HOST) return true
  const files = env.KUBECONFIG ? env.KUBECONFIG.split(delimiter) : [join(env.HOME ?? homedir(), '.kube', 'config')]
  for (const file of files) {
    if (file !== '' && (await stat(file).catch(() => undefined)) !== undefined) return true
  }
  return false
}

async function onHost<T>(
  io: Io,
  options: ProjectOptions,
  cluster: KubeClient | undefined,
  kubernetesVersion: string | undefined,
  work: (host: EngineHost, signal: AbortSignal, local: LocalHost) => Promise<T>,
): Promise<T> {
  const overrides = [
    ...options.localGitOverride.map(text => parseOverride(text, false, '--local-git-override')),
    ...options.localGitGroupOverride.map(text => parseOverride(text, true, '--local-git-group-override')),
  ]
  const ociOverrides = [
    ...options.localOciOverride.map(text => parseOverride(text, false, '--local-oci-override')),
    ...options.localOciGroupOverride.map(text => parseOverride(text, true, '--local-oci-group-override')),
  ]
  await using local = localHost({
    environment: io.env,
    clock: io.clock,
    logger: options.debug === true ? (await import('../util/log.ts')).createLogger('debug') : silentLogger,
    progress: engineProgress(io, progressOptions(options)),
    cluster,
    kubernetesVersion,
    overrides,
    ociOverrides,
    credentials: options,
    refsFreshFor: options.gitCacheUpdateInterval,
    chartCredentials: chartCredentialFlags(options),
  })
  return withinTimeout(io, options, signal => work(local.host, signal, local))
}

/** Runs `work` until it ends, somebody ends it, or its time is up. @throws EngineError then */
export async function withinTimeout<T>(
  io: Io,
  { timeout }: BasicOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeUp = AbortSignal.timeout(timeout)
  try {
    return await work(AbortSignal.any([io.signal, timeUp]))
  } catch (error) {
    if (timeUp.aborted)
      throw new EngineError(`not done within ${timeout / 1000} s (--timeout): context deadline exceeded`, {
        cause: error,
      })
    throw error
  }
}

/** The engine's flags from those of the command line, without what has to be read from files. */
export function renderFlags(options: TargetOptions): RenderFlags {
  const { includeTag, excludeTag, includeDeploymentDir, excludeDeploymentDir } = options
  return { ...options, inclusion: { includeTag, excludeTag, includeDeploymentDir, excludeDeploymentDir } }
}

/** Fixed images of the command line: of the file, then of the flags. @throws EngineError, ConfigError */
export async function fixedImages(options: TargetOptions): Promise<FixedImage[]> {
  const fromFlags = options.fixedImage.map(parseFixedImage)
  const { fixedImagesFile: path } = options
  if (path === undefined) return fromFlags
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new EngineError(`opening ${path} failed`, { cause })
  }
  return [...(parseConfig(text, path, fixedImagesFile).images ?? []), ...fromFlags]
}

function parseFixedImage(text: string): FixedImage {
  const [left = '', result, ...more] = text.split('=')
  const [image = '', namespace, deployment, container, ...rest] = left.split(':')
  if (result === undefined || more.length > 0 || rest.length > 0) {
    throw new EngineError("--fixed-image expects 'image<:namespace:deployment:container>=result'")
  }
  return {
    image,
    resultImage: result,
    ...(namespace === undefined ? {} : { namespace }),
    ...(deployment === undefined ? {} : { deployment }),
    ...(container === undefined ? {} : { container }),
  }
}
