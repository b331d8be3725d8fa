import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { apiVersion, type ChangeIdentity, type ReviewEnvironment, type ReviewProject } from '../../src/api/index.ts'
import { ProjectSources } from '../../src/backend/project-source.ts'
import { Controller, type ControllerOptions } from '../../src/controller/index.ts'
import { environmentObjectName } from '../../src/environment/names.ts'
import type { GitAccess } from '../../src/forge/index.ts'
import { createForges } from '../../src/forge/index.ts'
import { GitStore } from '../../src/git/index.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { EventRecorder } from '../../src/kube/events.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
import { adminClient, serviceAccountKubeconfig, uniqueName, waitFor } from '../harness/cluster.ts'
import type { Files } from '../harness/forge/bare-repository.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { FakeRepository } from '../harness/forge/repository.ts'
import { installRights } from '../harness/installation.ts'

const noGit: GitAccess = {
  listBranches: () => Promise.reject(new Error('no Git in this test')),
  readFile: () => Promise.reject(new Error('no Git in this test')),
}

/** A controller under its own account, with a forge and one project; events are handed to it without HTTP. */
export class World {
  readonly name = uniqueName('ctl')
  readonly namespace = `${this.name}-projects`
  readonly admin = adminClient()
  readonly lines: string[] = []
  controller!: Controller
  forge!: FakeForge
  repo!: FakeRepository
  #kubeconfig = ''
  readonly #kubes: KubeClient[] = []
  readonly #projects: ProjectSources[] = []
  #gitFolder = ''

  async start(
    spec: Record<string, unknown> = {},
    options: Partial<ControllerOptions> & { files?: Files } = {},
  ): Promise<this> {
    const { files, ...rest } = options
    const controllerNamespace = `${this.name}-system`
    await installRights(this.admin, {
      name: this.name,
      controllerNamespace,
      projectNamespaces: [this.namespace],
      allowedClusterRoles: ['offshoot-environment'],
    })
    this.#kubeconfig = await serviceAccountKubeconfig(controllerNamespace, 'offshoot')
    this.forge = await startFakeForge()
    this.#gitFolder = await mkdtemp(join(tmpdir(), 'offshoot-world-'))
    this.repo = await this.forge.createRepository('acme/shop', files === undefined ? {} : { files })
    await this.admin.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: this.namespace, name: 'shop-forge' },
      stringData: { token: 'fake-token' },
    })
    await this.admin.create(this.#project(spec), { fieldValidation: 'Strict' })
    await this.startController(rest)
    return this
  }

  async startController(options: Partial<ControllerOptions> = {}): Promise<void> {
    this.controller = this.createController(options)
    this.controller.start()
    await waitFor(() => this.controller.leading, { describe: 'the controller to lead' })
  }

  /** A controller that is not started yet. */
  createController(options: Partial<ControllerOptions> = {}): Controller {
    const kube = options.kube ?? this.newClient()
    this.#kubes.push(kube)
    const git = new GitStore({ folder: this.#gitFolder, clock: systemClock })
    const projects = new ProjectSources({ git, clock: systemClock })
    this.#projects.push(projects)
    const log = options.log ?? silentLogger
    return new Controller({
      kube,
      projects,
      deployer: () => Promise.reject(new Error('nothing is deployed by the engine here')),
      forges: createForges({ clock: systemClock, logger: log, git: noGit }),
      events: new EventRecorder(kube, { controller: 'offshoot.dev/controller', instance: this.name }),
      registry: new Registry(),
      log,
      namespaces: [this.namespace],
      ...options,
    })
  }

  /** A client under the controller's own account. */
  newClient(): KubeClient {
    return KubeClient.fromKubeconfig({ text: this.#kubeconfig })
  }

  /** What a webhook does. */
  hear(change: ChangeIdentity): boolean {
    return this.controller.enqueue({ namespace: this.namespace, name: 'shop' }, change)
  }

  environmentKey(change: ChangeIdentity) {
    const name = environmentObjectName('shop', change)
    return { apiVersion, kind: 'ReviewEnvironment', namespace: this.namespace, name }
  }

  environment(change: ChangeIdentity): Promise<ReviewEnvironment | undefined> {
    return this.admin.get<ReviewEnvironment>(this.environmentKey(change))
  }

  /** Waits until the environment is as the condition wants it. */
  async until(
    change: ChangeIdentity,
    condition: (environment: ReviewEnvironment) => boolean,
    what: string,
  ): Promise<ReviewEnvironment> {
    let last: ReviewEnvironment | undefined
    return waitFor(
      async () => {
        last = await this.environment(change)
        return last !== undefined && condition(last) ? last : undefined
      },
      { describe: () => `${what}; last: ${JSON.stringify({ ...last, metadata: undefined })}` },
    )
  }

  ready(change: ChangeIdentity, sha?: string): Promise<ReviewEnvironment> {
    return this.until(
      change,
      ({ status }) => status?.state === 'Ready' && (sha === undefined || status.deployedRevision === sha),
      `ready ${sha ?? ''}`,
    )
  }

  gone(change: ChangeIdentity): Promise<boolean> {
    return waitFor(async () => (await this.environment(change)) === undefined, {
      describe: async () => `gone; last: ${JSON.stringify((await this.environment(change))?.status)}`,
    })
  }

  project(): Promise<ReviewProject | undefined> {
    return this.admin.get({ apiVersion, kind: 'ReviewProject', namespace: this.namespace, name: 'shop' })
  }

  async editProject(spec: Record<string, unknown>): Promise<void> {
    const key = { apiVersion, kind: 'ReviewProject', namespace: this.namespace, name: 'shop' }
    await this.admin.patch<KubeObject>(key, { spec }, { type: 'merge' })
  }

  async stopController(milliseconds = 5_000): Promise<void> {
    await this.controller.stop(milliseconds)
  }

  async stop(): Promise<void> {
    await this.stopController()
    await Promise.all(this.#kubes.map(kube => kube.close()))
    await Promise.all(this.#projects.map(projects => projects.close()))
    await rm(this.#gitFolder, { recursive: true, force: true })
    await this.forge.close()
  }

  #project(spec: Record<string, unknown>): KubeObject {
    return {
      apiVersion,
      kind: 'ReviewProject',
      metadata: { namespace: this.namespace, name: 'shop' },
      spec: {
        source: {
          url: this.repo.url,
          forge: { type: 'github', apiUrl: this.forge.apiUrl, secretRef: { name: 'shop-forge' } },
          interval: '1h',
        },
        changes: { pullRequests: {} },
        environment: { name: `${this.name}-{{ change.slug }}` },
        deploy: {
          objects: {
            manifests: [
              { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop' }, data: { sha: '{{ change.sha }}' } },
            ],
          },
        },
        ...spec,
      },
    }
  }
}
