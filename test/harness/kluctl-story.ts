import type { BackendContext, Observation, Teardown } from '../../src/backend/backend.ts'
import { listedDiscriminators } from '../../src/backend/kluctl/discriminator-index.ts'
import { kluctlDeploymentBackend } from '../../src/backend/kluctl-deployment.ts'
import type { DesiredEnvironment } from '../../src/environment/desired.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, waitFor } from './cluster.ts'
import { nextReconcile, type World } from './environment-world.ts'

export type Deployment = KubeObject & { spec: Record<string, unknown>; status?: Record<string, unknown> }

/** What an environment with backend `kluctlDeployment` should be. */
export function desire(
  context: BackendContext,
  url: string,
  revision: string,
  options: { args?: Record<string, unknown>; target?: string; prune?: boolean } = {},
): DesiredEnvironment {
  const { name } = context.environment.metadata
  const { target = 'preview', prune = true } = options
  const args = { environment: name, namespace: context.namespace, ...options.args }
  const source = { git: { url, path: 'deploy' } }
  return {
    name,
    namespace: { name: context.namespace, labels: {}, annotations: {} },
    clusterRole: 'offshoot-environment',
    url: '',
    revision,
    backend: { kind: 'kluctlDeployment', ownRepository: true, target, args, spec: { interval: '5m', source }, prune },
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

  constructor(world: World) {
    this.#world = world
  }

  backend() {
    return kluctlDeploymentBackend(listedDiscriminators(this.#world.controller))
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
