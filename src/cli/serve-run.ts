import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { annotations } from '../api/index.ts'
import { runnerOf } from '../backend/engine/runner.ts'
import { ProjectSources } from '../backend/project-source.ts'
import type { InstallationApp } from '../controller/app-grants.ts'
import { Controller, type ControllerOptions } from '../controller/index.ts'
import { Tools } from '../engine/binaries/index.ts'
import { cacheFolderOf } from '../engine/cache/folder.ts'
import { silentProgress } from '../engine/host.ts'
import { clusterId } from '../engine/result/cluster-info.ts'
import type { ForgeRequest } from '../forge/forge.ts'
import { createForges, receiveWebhook } from '../forge/index.ts'
import { GitStore } from '../git/index.ts'
import { KubeClient } from '../kube/client.ts'
import { EventRecorder } from '../kube/events.ts'
import { formatAddress } from '../server/address.ts'
import { type RunningServer, startServer } from '../server/server.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { InvalidInputError, messageOf } from '../util/errors.ts'
import { createLogger, type Logger } from '../util/log.ts'
import type { ClusterOptions } from './cluster.ts'
import { installationApp, logAppReport } from './github-app.ts'
import type { Io } from './io.ts'
import { forgeMetrics, kubernetesMetrics, tellIsolation } from './serve-metrics.ts'
import { checkSecretFile, webhookSecrets } from './serve-secrets.ts'
import { flagOf, type ServeSettings } from './serve-settings.ts'
import { takeTempFolder } from './temp-folder.ts'
import { keepTidy } from './tidy-heap.ts'

/** How long deliveries that are on their way may take to arrive when this replica ends, in milliseconds. */
const deliveryTime = 3_000
/** How long the cluster may take to tell its id, in milliseconds. */
const clusterIdTime = 10_000

/** What may be given from outside. */
export interface ServeDependencies {
  log: Logger
  clock?: Clock
  /** Waits of the controller, shortened by tests. */
  limits?: ControllerOptions['limits']
}

/** Offshoot at work. */
export interface RunningOffshoot {
  /** Where webhooks arrive. */
  url: string
  metricsUrl?: string
  /** Whether there is nothing to do. */
  readonly idle: boolean
  /** Ends what runs within the shutdown timeout, gives the Lease back and closes everything. */
  close(): Promise<void>
}

/** `offshoot serve`: runs until the signal of `io` aborts. */
export async function serve(settings: ServeSettings, cluster: ClusterOptions, io: Io): Promise<void> {
  const log = createLogger(settings.logLevel)
  const { tempFolder } = settings
  await using _temp = tempFolder === undefined ? undefined : await takeTempFolder(tempFolder, process.env)
  const offshoot = await startOffshoot(settings, cluster, { log, clock: io.clock })
  const tidying = keepTidy({ idle: () => offshoot.idle, clock: io.clock, log }, io.signal)
  if (!io.signal.aborted) {
    await new Promise(resolve => io.signal.addEventListener('abort', resolve, { once: true }))
  }
  log.info({}, 'ending')
  await offshoot.close()
  await tidying
}

/** The composition root: makes every part, starts controller and server, and hands back how to end them. */
export async function startOffshoot(
  settings: ServeSettings,
  cluster: ClusterOptions,
  { log, clock = systemClock, limits }: ServeDependencies,
): Promise<RunningOffshoot> {
  await checkSecretFile(settings.webhookSecretFile)
  const parts = new Parts()
  try {
    return await start(parts, settings, cluster, { log, clock, ...(limits === undefined ? {} : { limits }) })
  } catch (error) {
    await parts.close()
    throw error
  }
}

async function start(
  parts: Parts,
  settings: ServeSettings,
  cluster: ClusterOptions,
  { log, clock = systemClock, limits }: ServeDependencies,
): Promise<RunningOffshoot> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  void tellIsolation(registry, log)
  const kube = KubeClient.fromKubeconfig({
    clock,
    ...(cluster.kubeconfig === undefined ? {} : { path: cluster.kubeconfig }),
    ...(cluster.context === undefined ? {} : { context: cluster.context }),
    onWarning: warning => log.debug({ warning }, 'warning of the API server'),
    observe: kubernetesMetrics(registry),
  })
  parts.onClose(() => kube.close())
  const githubApp = await installationApp(settings)
  const observe = forgeMetrics(registry)
  const controller = await createController(parts, { kube, registry, settings, githubApp, observe, log, clock, limits })
  const server = await startServer({
    listen: settings.listen,
    ...(settings.metricsListen === undefined ? {} : { metricsListen: settings.metricsListen }),
    target: controller,
    receive: receiveWebhook,
    secrets: webhookSecrets(kube, settings.webhookSecretFile, log),
    health: controller,
    registry,
    clock,
    log,
  })
  parts.onClose(() => endWork(server, controller, settings.shutdownTimeout))
  controller.start()
  if (githubApp !== undefined) void logAppReport(githubApp, { clock, logger: log, observe }, log)
  const { url, metricsUrl } = server
  log.info({ url, metricsUrl, cluster: kube.server, namespaces: settings.watchNamespace }, 'serving')
  return {
    url,
    ...(metricsUrl === undefined ? {} : { metricsUrl }),
    get idle() {
      return controller.idle
    },
    close: () => parts.close(),
  }
}

interface ControllerParts {
  kube: KubeClient
  registry: Registry
  settings: ServeSettings
  githubApp: InstallationApp | undefined
  observe: (request: ForgeRequest) => void
  log: Logger
  clock: Clock
  limits: ControllerOptions['limits'] | undefined
}

async function createController(parts: Parts, options: ControllerParts): Promise<Controller> {
  const { kube, registry, settings, githubApp, observe, log, clock, limits } = options
  const folder = settings.cacheFolder ?? (await temporaryFolder(parts))
  const git = new GitStore({ folder, clock })
  const projects = new ProjectSources({ git, clock })
  parts.onClose(() => projects.close())
  return new Controller({
    kube,
    clock,
    log,
    registry,
    projects,
    deployer: createDeployer({ kube, git, projects, folder, settings, clock, log }),
    jobs: settings.runnerImage !== undefined,
    forges: createForges({ clock, logger: log, git, observe }),
    events: new EventRecorder(kube, { controller: 'offshoot.dev/controller', instance: settings.identity, clock, log }),
    namespaces: settings.watchNamespace,
    allowedClusterRoles: settings.allowedClusterRole,
    installation: settings.installation,
    ...(githubApp === undefined ? {} : { githubApp }),
    ...(settings.webhookUrl === undefined ? {} : { webhookUrl: settings.webhookUrl }),
    workers: { environment: settings.workers },
    ...(limits === undefined ? {} : { limits }),
    ...(settings.leaderElection ? { election: electionOf(settings, kube.defaultNamespace) } : {}),
  })
}

interface DeployerParts {
  kube: KubeClient
  log: Logger
  git: GitStore
  projects: ProjectSources
  folder: string
  settings: ServeSettings
  clock: Clock
}

function createDeployer(parts: DeployerParts): ControllerOptions['deployer'] {
  const { kube, log, git, projects, folder, settings, clock } = parts
  const environment = process.env
  // Unpacking Helm and kubectl takes seconds: what was unpacked for this user before serves again.
  const tools = new Tools({
    cacheFolder: settings.cacheFolder ?? cacheFolderOf(environment),
    environment,
    progress: silentProgress,
    clock,
  })
  const cacheFolder = join(folder, 'engine')
  const ofCluster = knownClusterId(kube, log)
  const inline: ControllerOptions['deployer'] = async (request, signal, controls) => {
    // The engine takes memory only where a project deploys with it.
    const { engineDeployer } = await import('../backend/engine/carry-out.ts')
    const options = { git, sources: projects, tools, cacheFolder, clusterId: ofCluster, clock, random: Math.random }
    return engineDeployer(options)(request, signal, controls)
  }
  const { runnerImage: image, runnerPod: pod } = settings
  return image === undefined
    ? inline
    : runnerOf(inline, { kube, sources: projects, image, pod, clusterId: ofCluster, clock, log })
}

/** The cluster's id, asked for once; empty as long as it cannot be told. */
function knownClusterId(kube: KubeClient, log: Logger): () => Promise<string> {
  let known: Promise<string> | undefined
  return () => {
    known ??= clusterId(kube, AbortSignal.timeout(clusterIdTime)).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'the cluster does not tell its id')
      known = undefined
      return ''
    })
    return known
  }
}

/** What was started, to be ended in reverse. (AsyncDisposableStack is younger than the oldest Node we run on.) */
class Parts {
  readonly #ends: (() => Promise<void>)[] = []

  onClose(end: () => Promise<void>): void {
    this.#ends.push(end)
  }

  /** Ends everything, also when an end fails; throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const end of this.#ends.splice(0).reverse()) await end().catch(error => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
}

/**
 * Deliveries that are being taken end before the work that they ask for does: they are answered while this replica still
 * leads, and the next leader's first listing finds what they asked for.
 */
async function endWork(server: RunningServer, controller: Controller, milliseconds: number): Promise<void> {
  await server.close(Math.min(milliseconds, deliveryTime))
  await controller.stop(milliseconds)
}

async function temporaryFolder(parts: Parts): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-'))
  parts.onClose(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Durations in the proportions of Kubernetes' own components: 15 s, 10 s and 2 s. */
function electionOf(
  settings: ServeSettings,
  contextNamespace: string | undefined,
): NonNullable<ControllerOptions['election']> {
  const { leaseDuration, leaseName: name, identity, namespace = contextNamespace, advertiseAddress } = settings
  if (namespace === undefined) {
    const message = 'expected the controller’s own namespace, as the context has none'
    throw new InvalidInputError([{ path: flagOf('namespace'), message }])
  }
  const renewDeadline = Math.round((leaseDuration * 2) / 3)
  const retryPeriod = Math.round((leaseDuration * 2) / 15)
  const address = advertiseAddress === undefined ? undefined : `http://${formatAddress(advertiseAddress)}`
  const lease = { namespace, name, identity, leaseDuration, renewDeadline, retryPeriod }
  return { ...lease, annotations: { [annotations.address]: address } }
}
