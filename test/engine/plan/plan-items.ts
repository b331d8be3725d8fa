import type { DeploymentItem } from '../../../src/engine/deployment/tree.ts'
import type { Manifest } from '../../../src/engine/item.ts'
import { deploymentItem } from '../../../src/engine/project/schema/deployment.ts'
import type { ItemObjects } from '../../../src/engine/render/items.ts'

/** A ConfigMap with these annotations. */
export function mapOf(name: string, annotations: Record<string, string> = {}): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'ns', annotations } }
}

/** A rendered item, as `deployment.yaml` would configure it. */
export function itemOf(config: Record<string, unknown>, objects: readonly Manifest[] = []): ItemObjects {
  const parsed = deploymentItem.parse(config)
  const item = { config: parsed, path: parsed.path, renderedPath: parsed.path, tags: [] } as unknown as DeploymentItem
  return { item, objects, barrier: false, waitReadiness: false }
}
