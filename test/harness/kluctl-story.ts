import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackendContext, Observation, Teardown } from '../../src/backend/backend.ts'
import { listedDiscriminators } from '../../src/backend/kluctl/discriminator-index.ts'
import { parseDeployment, progressOf } from '../../src/backend/kluctl/resource.ts'
import { kluctlDeploymentBackend } from '../../src/backend/kluctl-deployment.ts'
import { ProjectSources } from '../../src/backend/project-source.ts'
import type { DesiredEnvironment, DesiredKluctlDeployment } from '../../src/environment/desired.ts'
import { GitStore } from '../../src/git/index.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { systemClock } from '../../src/util/clock.ts'
import { adminClient, waitFor } from './cluster.ts'
import { nextReconcile, type World } from './environment-world.ts'

export type Deployment = KubeObject & {
  spec: Record<string, unknown>
  status?: Record<string, unknown> & { targetKey?: { discriminator?: string } }
}

/** What an environment with backend `kluctlDeployment` should be. */
export function desire(
  context: BackendContext,
  url: string,
  revision: string,
  options: { args?: Record<string, unknown>; target?: string; prune?: boolean; branch?: string } = {},
): DesiredEnvironment & { backend: DesiredKluctlDeployment } {
  const { name } = context.environment.metadata
  const { target = 'preview', prune = true, branch } = options
  const args = { environment: name, namespace: context.namespace, ...options.args }
  const source = { git: { url, path: 'deploy', ...(branch === undefined ? {} : { ref: { branch } }) } }
  const ownRepository = branch === undefined
  return {
    name,
    namespace: { name: context.namespace, labels: {}, annotations: {} },
    clusterRole: 'offshoot-environment',
    url: '',
    revision,
    backend: { kind: 'kluctlDeployment', ownRepository, target, args, spec: { interval: '5m', source }, prune },
  }
}

export const configKey = (namespace: string, name = 'config') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace,
  name,
})

/** Reconciles with backend `kluctlDeployment` as the controller does, in one world. */
export class KluctlStory {
  readonly #world: World

  readonly #projects: ProjectSources
  readonly #folder: string

  private constructor(world: World, folder: string) {
    this.#world = world
    this.#folder = folder
    const git = new GitStore({ folder, clock: systemClock, allowFile: true })
    this.#projects = new ProjectSources({ git, clock: systemClock })
  }

  /** Knows nothing yet of any project, as a controller that starts anew. */
  static async start(world: World): Promise<KluctlStory> {
    return new KluctlStory(world, await mkdtemp(join(tmpdir(), 'offshoot-story-')))
  }

  async close(): Promise<void> {
    await this.#projects.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  backend() {
    const discriminators = listedDiscriminators(this.#world.controller)
    return kluctlDeploymentBackend({ discriminators, projects: this.#projects })
  }

  /** One reconcile. */
  async reconcile(context: BackendContext, desired: DesiredEnvironment): Promise<Observation> {
    const deployer = this.backend()
    const next = await nextReconcile(this.#world, context)
    await deployer.apply(next, desired)
    return deployer.observe(next, desired)
  }

  /** Reconciles until that throws, and gives what it threw: a project that is being loaded is waited for. */
  refusal(context: BackendContext, desired: DesiredEnvironment): Promise<unknown> {
    const look = () =>
      this.reconcile(context, desired).then(
        () => undefined,
        (error: unknown) => error,
      )
    return waitFor(look, { describe: 'the project to be refused' })
  }

  /** Waits until kluctl has dealt with the KluctlDeployment as it stands. */
  async untilDone(context: BackendContext): Promise<void> {
    const done = async () => {
      const object = await this.deploymentOf(context)
      return object !== undefined && progressOf(parseDeployment(object), undefined).at === 'done'
    }
    await waitFor(done, { describe: 'kluctl to be done' })
  }

  /** Reconciles until the observation is one of these phases. */
  until(context: BackendContext, desired: DesiredEnvironment, ...phases: Observation['phase'][]): Promise<Observation> {
    const deployer = this.backend()
    let seen: Observation | undefined
    return waitFor(
      async () => {
        const next = await nextReconcile(this.#world, context)
        await deployer.apply(next, desired)
        seen = await deployer.observe(next, desired)
        return phases.includes(seen.phase) ? seen : undefined
      },
      { describe: () => `phase ${phases.join(' or ')}; last: ${JSON.stringify(seen)}`, interval: 100 },
    )
  }

  untilGone(context: BackendContext): Promise<Teardown> {
    const deployer = this.backend()
    let seen: Teardown | undefined
    return waitFor(
      async () => {
        seen = await deployer.teardown(await nextReconcile(this.#world, context))
        return seen.gone ? seen : undefined
      },
      { describe: () => `the teardown; last: ${JSON.stringify(seen)}` },
    )
  }

  deploymentOf(context: BackendContext): Promise<Deployment | undefined> {
    const { namespace, name } = context.environment.metadata
    const kind = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' }
    return adminClient().get<Deployment>({ ...kind, namespace, name })
  }

  find(context: BackendContext, name = 'config'): Promise<KubeObject | undefined> {
    return adminClient().get<KubeObject>(configKey(context.namespace, name))
  }

  async statusOf(context: BackendContext) {
    return (await nextReconcile(this.#world, context)).environment.status
  }
}
