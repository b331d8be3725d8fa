import type { DeploymentProject } from '../deployment/tree.ts'
import { refOf } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import type { DeploymentConfig, DeploymentItemConfig } from '../project/schema/deployment.ts'
import type { TargetRun } from '../render/target-run.ts'

/** A `deployment.yaml` with what became of its items; who reads results finds objects in the tree by it. */
export type RenderedDeployment = Omit<DeploymentConfig, 'deployments'> & { deployments?: RenderedItemConfig[] }

type RenderedItemConfig = DeploymentItemConfig & {
  renderedObjects?: readonly ObjectRef[]
  renderedInclude?: RenderedDeployment
}

/** The tree of a target's `deployment.yaml`s as they were written, and the objects of each item. */
export function renderedDeployment({ deployment, items }: Pick<TargetRun, 'deployment' | 'items'>): RenderedDeployment {
  const objects = new Map(items.map(({ item, objects: found }) => [item.config, found.map(refOf)]))
  const write = (project: DeploymentProject): RenderedDeployment => {
    const { deployments, ...config } = project.config
    if (deployments === undefined || deployments.length === 0) return withoutDefaults(config)
    const written = deployments.map((item, index): RenderedItemConfig => {
      const [refs = [], included] = [objects.get(item), project.includes.get(index)]
      return {
        ...withoutDefaults(item),
        ...(refs.length === 0 ? {} : { renderedObjects: refs }),
        ...(included === undefined ? {} : { renderedInclude: write(included) }),
      }
    })
    return { ...withoutDefaults(config), deployments: written }
  }
  return write(deployment)
}

/** Without what parsing filled in, and without what is empty: kluctl leaves both out. */
function withoutDefaults<T extends object>(config: T): T {
  const isSet = (value: unknown) =>
    value !== undefined && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0)
  return Object.fromEntries(Object.entries(config).filter(([, value]) => isSet(value))) as T
}
