import { type ApiProxy, startApiProxy } from './api-proxy.ts'
import { sharedCluster, uniqueName } from './cluster.ts'
import { type FakeForge, startFakeForge } from './forge/forge.ts'
import { House, type ProjectOptions } from './house-model.ts'
import { type Installer, installRights } from './installation.ts'
import { kluctlBinary, startKluctlBinary } from './kluctl-binary.ts'
import { type KluctlController, startKluctlController } from './kluctl-controller/controller.ts'
import { type OffshootOptions, startOffshoot } from './offshoot.ts'
import type { KluctlKind, StoryBackend } from './story-backends.ts'
import { accountKubeconfigFile, type TestCluster } from './test-cluster.ts'

interface PlannedProject {
  name: string
  options: ProjectOptions
}

type PrepareOffshoot = (forge: FakeForge, namespace: string) => Promise<Partial<OffshootOptions>>

/** Describes a house for a story: `await aHouse().withProject('shop', {…}).start()`. */
export function aHouse(): HouseBuilder {
  return new HouseBuilder()
}

/** See `aHouse`. */
export class HouseBuilder {
  readonly #projects: PlannedProject[] = []
  readonly #offshoot: Partial<OffshootOptions> = {}
  #prepare: PrepareOffshoot | undefined
  #cluster: TestCluster | undefined
  #kluctl: KluctlKind | undefined
  #install: Installer = installRights
  #proxied = false

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

  /** How Offshoot is started where that depends on the forge, such as on an App that is registered there. */
  preparing(prepare: PrepareOffshoot): this {
    this.#prepare = prepare
    return this
  }

  /** The kluctl controller that the backend needs, if it does. */
  deployingBy({ kluctl }: Pick<StoryBackend, 'kluctl'>): this {
    this.#kluctl = kluctl
    return this
  }

  /** A control plane of the story's own, instead of the one that all tests share. */
  onCluster(cluster: TestCluster): this {
    this.#cluster = cluster
    return this
  }

  /** Another way to make the rights than that of `offshoot install`. */
  installedBy(install: Installer): this {
    this.#install = install
    return this
  }

  /** Offshoot reaches the API server through `house.api`, which can hold and cut. */
  withApiProxy(): this {
    this.#proxied = true
    return this
  }

  /** Starts forge and Offshoot, with namespaces and rights that no other test has, and creates the projects. */
  async start(): Promise<House> {
    const cluster = this.#cluster ?? sharedCluster()
    const name = uniqueName('house')
    const started = new Started()
    try {
      const house = await this.#start(name, cluster, started)
      for (const { name: project, options } of this.#projects) await house.createProject(project, options)
      return house
    } catch (error) {
      await started.stop()
      throw error
    }
  }

  async #start(name: string, cluster: TestCluster, started: Started): Promise<House> {
    const namespace = `${name}-projects`
    const system = `${name}-system`
    const allowedClusterRoles = this.#offshoot.allowedClusterRoles ?? ['offshoot-environment']
    const watchNamespaces = this.#offshoot.watchNamespaces ?? [namespace]
    const rights = { name, controllerNamespace: system, projectNamespaces: watchNamespaces, allowedClusterRoles }
    const forge: FakeForge = started.add(await startFakeForge(), it => it.close())
    const settings = await this.#install(cluster.admin, rights, cluster.adminKubeconfig)
    const kluctl = await this.#startKluctl(cluster, namespace, started)
    const api: ApiProxy | undefined = this.#proxied
      ? started.add(await startApiProxy(cluster.url, cluster.ca), it => it.close())
      : undefined
    const kubeconfig = await accountKubeconfigFile(cluster, { namespace: system, name: 'offshoot' }, api?.url)
    const prepared = await this.#prepare?.(forge, namespace)
    const own = {
      ...this.#offshoot,
      ...prepared,
      settings: { ...settings, ...this.#offshoot.settings, ...prepared?.settings },
    }
    const offshoot = await startOffshoot({ kubeconfig, namespace: system, ...own, watchNamespaces })
    started.add(offshoot, it => it.stop())
    return new House({ name, namespace, system, cluster, forge, offshoot, kluctl, api }, started)
  }

  async #startKluctl(cluster: TestCluster, namespace: string, started: Started): Promise<KluctlController | undefined> {
    if (this.#kluctl === undefined) return undefined
    const controller =
      this.#kluctl === 'real' && kluctlBinary !== undefined
        ? await startKluctlBinary(kluctlBinary, cluster, namespace)
        : await startKluctlController(cluster.adminKubeconfig, { namespaces: [namespace] })
    let ending: Promise<void> | undefined
    // A story may end it before its house does.
    const stop = () => (ending ??= controller.stop())
    return started.add({ errors: controller.errors, stop }, stop)
  }
}

/** What was started, to be ended in reverse. */
export class Started {
  readonly #ends: (() => Promise<void>)[] = []

  add<T>(part: T, end: (part: T) => Promise<void>): T {
    this.#ends.push(() => end(part))
    return part
  }

  /** Ends everything, also when an end fails; throws the first failure. */
  async stop(): Promise<void> {
    const failures: unknown[] = []
    for (const end of this.#ends.splice(0).reverse()) await end().catch(error => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
}
