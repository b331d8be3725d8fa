import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { GitStore } from '../../git/index.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { Clock } from '../../util/clock.ts'
import type { Logger } from '../../util/log.ts'
import { Tools } from '../binaries/index.ts'
import { cacheFolderOf } from '../cache/folder.ts'
import { registryConfigFiles } from '../helm/credentials.ts'
import { type ChartCredentialFlags, ChartPuller, chartCredentialsOf, createHelm } from '../helm/index.ts'
import { allowAll, type EngineHost, type Progress } from '../host.ts'
import { createKustomize } from '../kustomize/index.ts'
import { OciArtifacts } from '../oci/index.ts'
import { createSops } from '../sops/index.ts'
import { type GitCredentialFlags, gitCredentials } from './credentials.ts'
import { type RepositoryOverride, StoredGitAccess } from './git-access.ts'
import { overriddenOci } from './oci-access.ts'
import { RememberedRefs } from './remembered-refs.ts'

/** What a person's own machine brings. */
export interface LocalHostOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly logger: Logger
  readonly progress: Progress
  readonly cluster?: KubeClient | undefined
  readonly kubernetesVersion?: string | undefined
  /** Local folders instead of Git repositories. */
  readonly overrides?: readonly RepositoryOverride[] | undefined
  /** Local folders instead of OCI artifacts. */
  readonly ociOverrides?: readonly RepositoryOverride[] | undefined
  readonly credentials?: GitCredentialFlags | undefined
  /** Milliseconds that branches and tags seen in an earlier run are believed to stay; default 0. */
  readonly refsFreshFor?: number | undefined
  readonly chartCredentials?: ChartCredentialFlags | undefined
}

/** The host of a command on somebody's own machine: everything is allowed. Disposing removes what it checked out. */
export interface LocalHost extends AsyncDisposable {
  readonly host: EngineHost
  readonly charts: ChartPuller
}

/** Puts the engine's real parts together. */
export function localHost(options: LocalHostOptions): LocalHost {
  const { environment, clock, logger, progress, cluster, kubernetesVersion } = options
  const cacheFolder = cacheFolderOf(environment)
  const git = new StoredGitAccess({
    store: new GitStore({ folder: join(cacheFolder, 'git'), clock }),
    overrides: options.overrides ?? [],
    refs: new RememberedRefs({ folder: join(cacheFolder, 'refs'), freshFor: options.refsFreshFor ?? 0, clock }),
    credential: gitCredentials(options.credentials ?? {}, environment),
  })
  const tools = new Tools({ cacheFolder, environment, progress, clock })
  const policy = allowAll
  const sops = createSops({ environment, cluster, policy, progress, clock })
  const puller = new ChartPuller({
    tools,
    environment,
    git,
    clock,
    cacheFolder,
    allowsUrl: url => policy.allowsUrl(url),
    credential: chartCredentialsOf(options.chartCredentials ?? {}, environment),
  })
  const helm = createHelm({
    tools,
    puller,
    git,
    sops,
    policy,
    progress,
    cacheFolder,
    cluster,
    kubernetesVersion,
    environment,
  })
  const kustomize = createKustomize({ tools, helm, sops, policy, environment, cacheFolder })
  const oci = new OciArtifacts({
    credential: chartCredentialsOf(options.chartCredentials ?? {}, environment),
    configFiles: registryConfigFiles(environment),
    environment,
    policy,
    cacheFolder,
    clock,
  })
  const host: EngineHost = {
    environment,
    cluster,
    kubernetesVersion,
    git,
    oci: overriddenOci(oci, options.ociOverrides ?? []),
    helm,
    kustomize,
    sops,
    cacheFolder,
    clock,
    logger,
    progress,
    policy,
    parallelism: Math.max(4, availableParallelism() * 2),
  }
  const dispose = async () => {
    await Promise.all([git[Symbol.asyncDispose](), oci[Symbol.asyncDispose]()])
  }
  return { host, charts: puller, [Symbol.asyncDispose]: dispose }
}
