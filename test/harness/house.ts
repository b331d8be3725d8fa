import { randomBytes } from 'node:crypto'
import { apiVersion, type ReviewEnvironment, type ReviewProject } from '../../src/api/index.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, serviceAccountKubeconfigFile, uniqueName } from './cluster.ts'
import { EnvironmentProbe, type Followed } from './environment-probe.ts'
import { type FakeForge, type RepositoryOptions, startFakeForge } from './forge/forge.ts'
import type { FakeRepository } from './forge/repository.ts'
import { installRights } from './installation.ts'
import { type OffshootOptions, startOffshoot, type TestOffshoot } from './offshoot.ts'

/** A ReviewProject's spec as far as a story cares; the builder fills in source, names and a ConfigMap to deploy. */
export type ProjectOptions = Record<string, unknown> & {
  /** Path of the repository; default `acme/<name>`. Two projects may share one. */
  repository?: string
  files?: RepositoryOptions['files']
  forge?: 'github' | 'git'
}

interface PlannedProject {
  name: string
  options: ProjectOptions
}

/** Describes a house for a story: `await aHouse().withProject('shop', {…}).start()`. */
export function aHouse(): HouseBuilder {
  return new HouseBuilder()
}

/** See `aHouse`. */
export class HouseBuilder {
  readonly #projects: PlannedProject[] = []
  readonly #offshoot: Partial<OffshootOptions> = {}

  /** A project with a repository and a webhook of its own. Every field of `spec` may be given. */
  withProject(name: string, options: ProjectOptions = {}): this {
    this.#projects.push({ name, options })
    return this
  }

  /** How Offshoot is started. */
  withOffshoot(options: Partial<OffshootOptions>): this {
    Object.assign(this.#offshoot, options)
    return this
  }

  /** Starts forge and Offshoot, with namespaces and rights that no other test has, and creates the projects. */
  async start(): Promise<House> {
    const name = uniqueName('house')
    const namespace = `${name}-projects`
    const system = `${name}-system`
    const admin = adminClient()
    const allowedClusterRoles = this.#offshoot.allowedClusterRoles ?? ['offshoot-environment']
    const watchNamespaces = this.#offshoot.watchNamespaces ?? [namespace]
    const rights = { name, controllerNamespace: system, projectNamespaces: watchNamespaces, allowedClusterRoles }
    const [forge] = await Promise.all([startFakeForge(), installRights(admin, rights)])
    try {
      const kubeconfig = await serviceAccountKubeconfigFile(system, 'offshoot')
      const offshoot = await startOffshoot({ kubeconfig, namespace: system, ...this.#offshoot, watchNamespaces })
      const house = new House(name, namespace, admin, forge, offshoot)
      for (const { name: project, options } of this.#projects) await house.createProject(project, options)
      return house
    } catch (error) {
      await forge.close()
      throw error
    }
  }
}

/** Offshoot, a forge and projects, as one story has them. */
export class House {
  readonly name: string
  /** Namespace of the projects. */
  readonly namespace: string
  /** The administrator's client, for looking and for meddling. */
  readonly kube: KubeClient
  readonly forge: FakeForge
  readonly offshoot: TestOffshoot
  readonly #repositories = new Map<string, FakeRepository>()

  constructor(name: string, namespace: string, kube: KubeClient, forge: FakeForge, offshoot: TestOffshoot) {
    this.name = name
    this.namespace = namespace
    this.kube = kube
    this.forge = forge
    this.offshoot = offshoot
  }

  /** The repository of a project; of the first one, when none is named. */
  repo(project?: string): FakeRepository {
    const name = project ?? this.#repositories.keys().next().value ?? ''
    const repository = this.#repositories.get(name)
    if (!repository) throw new Error(`no project ${name}`)
    return repository
  }

  /** The environment of a change, whether it exists or not. */
  environment(change: Followed, project = this.#repositories.keys().next().value ?? ''): EnvironmentProbe {
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
    const { repository = `acme/${name}`, files, forge: type = 'github', ...spec } = options
    const known = [...this.#repositories.values()].find(({ place }) => place.fullName === repository)
    const repo = known ?? (await this.forge.createRepository(repository, files ? { files } : {}))
    this.#repositories.set(name, repo)
    const webhookSecret = randomBytes(12).toString('hex')
    await this.#createSecret(`${name}-forge`, { token: 'fake-token', webhookSecret })
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

  async stop(): Promise<void> {
    await this.offshoot.stop()
    await this.forge.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #createSecret(name: string, stringData: Record<string, string>): Promise<void> {
    await this.kube.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: this.namespace, name },
      stringData,
    })
  }

  #projectObject(name: string, repo: FakeRepository, type: 'github' | 'git', spec: object): ReviewProject {
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
        environment: { name: `${this.name}-${name}-{{ change.slug }}` },
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
