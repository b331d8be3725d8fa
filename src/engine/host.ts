import type { KubeClient } from '../kube/client.ts'
import type { Clock } from '../util/clock.ts'
import type { Logger } from '../util/log.ts'
import type { HelmCharts, Kustomize, Sops } from './item.ts'
import type { Json } from './values.ts'
import type { RemoteAccess } from './vars/remote.ts'
import type { SourceName } from './vars/source.ts'

/** A ref of a Git repository; at most one field. None means the default branch. */
export interface GitRef {
  branch?: string | undefined
  tag?: string | undefined
  commit?: string | undefined
}

/** Files of a repository or artifact on disk, kept until the run ends. */
export interface FetchedTree {
  readonly folder: string
  /** Commit or digest. */
  readonly revision: string
}

/** Repositories that a project includes or takes variables from. */
export interface GitAccess {
  /** The files at a ref. @throws EngineError naming the repository */
  checkout(url: string, ref: GitRef | undefined, signal: AbortSignal): Promise<FetchedTree>
  /** Full ref names and their commits, and the default branch's full name. */
  listRefs(url: string, signal: AbortSignal): Promise<{ refs: ReadonlyMap<string, string>; defaultRef: string }>
}

/** OCI artifacts that a project includes; `ref` has `tag` or `digest`. */
export interface OciAccess {
  pull(
    url: string,
    ref: { tag?: string | undefined; digest?: string | undefined } | undefined,
    signal: AbortSignal,
  ): Promise<FetchedTree>
}

/** What a project may use. The command line allows all; the controller only what the ReviewProject names. */
export interface Policy {
  /** Sources of variables that may be used. */
  readonly sources: ReadonlySet<SourceName> | 'all'
  /** Whether a Git repository, OCI artifact, chart or URL may be asked for. */
  allowsUrl(url: string): boolean
  /** Whether links may lead out of the source's tree while templates are read. */
  readonly outsideLinks: boolean
  /** Where trees of other repositories and artifacts are put, when links may not lead outside. */
  readonly fetched?: string | undefined
}

/** Allows everything: for people at their own command line. */
export const allowAll: Policy = { sources: 'all', allowsUrl: () => true, outsideLinks: true }

/** What people see while a command works; a terminal shows it live, CI as plain lines. */
export interface Progress {
  /** Begins a step; the function returned ends it. */
  start(what: string): (outcome: 'done' | 'failed') => void
  warn(message: string): void
  info(message: string): void
  /** A step with parts, of which many run at once; where it is missing, its lines come through the others. */
  track?(name: string, total: number): Tracker
}

/** The progress of one of many steps, such as a deployment item. */
export interface Tracker {
  /** What is done now: shown where a line can be replaced. */
  update(what: string): void
  /** A line for those who see no replaced lines, such as CI. */
  line(what: string): void
  /** One of `total` parts is done. */
  advance(): void
  end(outcome: 'done' | 'failed', summary: string): void
}

/** For tests and for callers that show nothing. */
export const silentProgress: Progress = { start: () => () => undefined, warn: () => undefined, info: () => undefined }

/** Everything the engine touches of the world comes through here. */
export interface EngineHost {
  /** Environment variables that `systemEnvVars` sees; empty for untrusted projects. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The target's cluster; undefined offline. */
  readonly cluster?: KubeClient | undefined
  /** Version for Helm's `--kube-version` when there is no cluster to ask. */
  readonly kubernetesVersion?: string | undefined
  /** Where namespaced objects go that name no namespace; default `default`, as kluctl has it. */
  readonly defaultNamespace?: string | undefined
  /** How variable sources reach the network; absent: from this process. */
  readonly remote?: RemoteAccess | undefined
  readonly git: GitAccess
  readonly oci: OciAccess
  readonly helm: HelmCharts
  readonly kustomize: Kustomize
  readonly sops: Sops
  /** Folder of caches shared by runs and processes. */
  readonly cacheFolder: string
  readonly clock: Clock
  readonly logger: Logger
  readonly progress: Progress
  readonly policy: Policy
  /** Items worked on at a time. */
  readonly parallelism: number
  /** Gets the values of sensitive variables as they are loaded: what is told of a run that fails must hide them too. */
  readonly onSensitive?: ((values: Json) => void) | undefined
}
