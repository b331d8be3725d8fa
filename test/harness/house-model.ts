import { randomBytes } from 'node:crypto'
import { apiVersion, labels, type ReviewEnvironment, type ReviewProject } from '../../src/api/index.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import type { ApiProxy } from './api-proxy.ts'
import { EnvironmentProbe, type Followed } from './environment-probe.ts'
import type { FakeForge, RepositoryOptions } from './forge/forge.ts'
import type { FakeRepository } from './forge/repository.ts'
import type { KluctlController } from './kluctl-controller/controller.ts'
import { readMetrics, sumOf } from './metrics.ts'
import type { TestOffshoot } from './offshoot.ts'
import type { TestCluster } from './test-cluster.ts'
import { waitFor } from './wait.ts'

/** A ReviewProject's spec as far as a story cares; the builder fills in source, names and a ConfigMap to deploy. */
export type ProjectOptions = Record<string, unknown> & {
  /** Path of the repository; default `acme/<name>`. Two projects may share one. */
  repository?: string
  files?: RepositoryOptions['files']
  forge?: 'github' | 'git'
  /** Hidden from requests without a credential. */
  private?: boolean
  /** Keys of the project's Secret instead of `token`. */
  credential?: Record<string, string>
  environment?: Record<string, unknown>
}

/** What a house is made of. */
export interface HouseParts {
  name: string
  namespace: string
  system: string
  cluster: TestCluster
  forge: FakeForge
  offshoot: TestOffshoot
  kluctl: KluctlController | undefined
  api: ApiProxy | undefined
}

/** Offshoot, a forge and projects, as one story has them. */
export class House {
  readonly name: string
  /** Namespace of the projects. */
  readonly namespace: string
  /** The controller's own namespace. */
  readonly system: string
  readonly cluster: TestCluster
  readonly forge: FakeForge
  readonly offshoot: TestOffshoot
  /** The kluctl controller, where the story has one. */
  readonly kluctl: KluctlController | undefined
  readonly #api: ApiProxy | undefined
  readonly #parts: { stop(): Promise<void> }
  readonly #repositories = new Map<string, FakeRepository>()

  constructor(parts: HouseParts, all: { stop(): Promise<void> }) {
    this.name = parts.name
    this.namespace = parts.namespace
    this.system = parts.system
    this.cluster = parts.cluster
    this.forge = parts.forge
    this.offshoot = parts.offshoot
    this.kluctl = parts.kluctl
    this.#api = parts.api
    this.#parts = all
  }

  /** The administrator's client, for looking and for meddling. */
  get kube(): KubeClient {
    return this.cluster.admin
  }

  /** What stands between Offshoot and the API server. @throws Error when the story has none */
  get api(): ApiProxy {
    if (!this.#api) throw new Error('this house has no proxy: build it withApiProxy()')
    return this.#api
  }

  /** The repository of a project; of the first one, when none is named. */
  repo(project?: string): FakeRepository {
    const name = project ?? this.#firstProject
    const repository = this.#repositories.get(name)
    if (!repository) throw new Error(`no project ${name}`)
    return repository
  }

  /** The environment of a change, whether it exists or not. */
  environment(change: Followed, project = this.#firstProject): EnvironmentProbe {
    return new EnvironmentProbe(this, project, change)
  }

  /** All environments in the house. */
  async environments(): Promise<ReviewEnvironment[]> {
    const { items } = await this.kube.list<ReviewEnvironment>(
      { apiVersion, kind: 'ReviewEnvironment' },
      { namespace: this.namespace },
    )
    return items
  }

  /** Names of the namespaces that this house's environments have. */
  async environmentNamespaces(): Promise<string[]> {
    const labelSelector = `offshoot.dev/project-namespace=${this.namespace}`
    const { items } = await this.kube.list({ apiVersion: 'v1', kind: 'Namespace' }, { labelSelector })
    return items.map(({ metadata }) => metadata.name ?? '')
  }

  /** Creates a project, and its repository and webhook where it is the first that has it. */
  async createProject(name: string, options: ProjectOptions = {}): Promise<ReviewProject> {
    const { repository = `acme/${name}`, files, forge: type = 'github', private: hidden, credential, ...spec } = options
    const known = [...this.#repositories.values()].find(({ place }) => place.fullName === repository)
    const repo =
      known ??
      (await this.forge.createRepository(repository, { private: hidden ?? false, ...(files ? { files } : {}) }))
    this.#repositories.set(name, repo)
    const webhookSecret = randomBytes(12).toString('hex')
    await this.#createSecret(`${name}-forge`, { ...(credential ?? { token: 'fake-token' }), webhookSecret })
    repo.hook(`${this.offshoot.url}/webhooks/${type}/${this.namespace}/${name}`, webhookSecret)
    return this.kube.create(this.#projectObject(name, repo, type, spec), { fieldValidation: 'Strict' })
  }

  /** Changes a project's spec (merge patch). */
  editProject(name: string, spec: Record<string, unknown>): Promise<ReviewProject> {
    const key = { apiVersion, kind: 'ReviewProject', namespace: this.namespace, name }
    return this.kube.patch<ReviewProject>(key, { spec }, { type: 'merge' })
  }

  /** A project as it is now. */
  project(name: string): Promise<ReviewProject | undefined> {
    return this.kube.get({ apiVersion, kind: 'ReviewProject', namespace: this.namespace, name })
  }

  /** Kubernetes Events about objects of the house's namespace, as `reason message`. */
  async events(): Promise<string[]> {
    const kind = { apiVersion: 'events.k8s.io/v1', kind: 'Event' }
    const { items } = await this.kube.list<KubeObject & { reason?: string; note?: string }>(kind, {
      namespace: this.namespace,
    })
    return items.map(({ reason, note }) => `${reason} ${note}`)
  }

  /** Asks for a listing of a project's changes, as its interval does, and waits until it has ended. */
  async list(project = this.#firstProject): Promise<void> {
    const before = await this.#worked('listing')
    const annotations = { 'offshoot.dev/requested-at': new Date().toISOString() }
    const key = { apiVersion, kind: 'ReviewProject', namespace: this.namespace, name: project }
    await this.kube.patch<KubeObject>(key, { metadata: { annotations } }, { type: 'merge' })
    await waitFor(async () => (await this.#worked('listing')) > before, { describe: 'a listing', deadline: 60_000 })
  }

  /** Waits until every delivery is answered and Offshoot has nothing to do: what has not happened by then will not. */
  async settled(deadline = 60_000): Promise<void> {
    await this.forge.deliveries.settled()
    let quiet = 0
    const look = async () => {
      const samples = await readMetrics(this.offshoot.metricsUrl)
      const busy = ['waiting', 'active'].some(phase => sumOf(samples, 'offshoot_queue_length', { phase }) > 0)
      quiet = busy ? 0 : quiet + 1
      return quiet >= 3
    }
    await waitFor(look, { describe: 'Offshoot to have nothing to do', deadline })
  }

  /** What Offshoot says on a pull request. @throws Error when it says it twice */
  comment({ number }: { number: number }, project?: string): string {
    const ours = this.repo(project)
      .commentsOf(number)
      .filter(({ author }) => author === 'offshoot[bot]')
    if (ours.length > 1) throw new Error(`${ours.length} comments where one is kept up to date`)
    return ours[0]?.body ?? ''
  }

  /** Waits until the pull request's comment holds all of the texts; gives it. */
  async toSay(pull: { number: number }, ...texts: string[]): Promise<string> {
    const comment = () => this.comment(pull)
    return waitFor(() => texts.every(text => comment().includes(text)) && comment(), {
      deadline: 60_000,
      describe: () => `the comment to hold ${texts.join(', ')}; it says: ${comment()}`,
    })
  }

  /** Waits until a commit has a status of ours in this state. */
  async toMark(sha: string, state: string, project?: string): Promise<void> {
    const statuses = () => this.repo(project).statusesOf(sha)
    await waitFor(() => statuses().some(status => status.state === state), {
      deadline: 60_000,
      describe: () => `${sha} to be marked ${state}; it is ${JSON.stringify(statuses())}`,
    })
  }

  /** Everything that was made for this house's environments and is still there, as `Kind namespace/name`. */
  async remains(): Promise<string[]> {
    const labelSelector = `${labels.projectNamespace}=${this.namespace}`
    const found = await Promise.all([
      this.kube.list({ apiVersion, kind: 'ReviewEnvironment' }, { namespace: this.namespace }),
      this.kube.list({ apiVersion: 'v1', kind: 'Namespace' }, { labelSelector }),
      this.kube.list({ apiVersion: 'v1', kind: 'ServiceAccount' }, { labelSelector }),
      this.kube.list({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' }, { labelSelector }),
      this.kube.list(
        { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' },
        { namespace: this.namespace },
      ),
    ])
    return found
      .flatMap(({ items }) => items)
      .map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace ?? ''}/${name}`)
  }

  stop(): Promise<void> {
    return this.#parts.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get #firstProject(): string {
    return this.#repositories.keys().next().value ?? ''
  }

  async #worked(kind: string): Promise<number> {
    return sumOf(await readMetrics(this.offshoot.metricsUrl), 'offshoot_reconcile_seconds_count', { kind })
  }

  async #createSecret(name: string, stringData: Record<string, string>): Promise<void> {
    await this.kube.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: this.namespace, name },
      stringData,
    })
  }

  #projectObject(
    name: string,
    repo: FakeRepository,
    type: 'github' | 'git',
    { environment, ...spec }: ProjectOptions,
  ): ReviewProject {
    const apiUrl = type === 'github' ? { apiUrl: this.forge.apiUrl } : {}
    return {
      apiVersion,
      kind: 'ReviewProject',
      metadata: { namespace: this.namespace, name },
      spec: {
        source: {
          url: repo.url,
          forge: { type, ...apiUrl, secretRef: { name: `${name}-forge` } },
          interval: '1h',
        },
        changes: type === 'github' ? { pullRequests: {} } : { branches: { include: ['*'], exclude: ['main'] } },
        // Namespaces belong to the cluster, which many houses share.
        environment: { name: `${this.name}-${name}-{{ change.slug }}`, ...environment },
        deploy: { objects: { manifests: [sampleManifest] } },
        ...spec,
      } as unknown as ReviewProject['spec'],
    }
  }
}

const sampleManifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'shop' },
  data: { sha: '{{ change.sha }}', environment: '{{ environment.name }}' },
}
