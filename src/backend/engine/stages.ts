import type { ItemObjects } from '../../engine/render/items.ts'
import type { KubeObject } from '../../kube/types.ts'

/** Most stages, folders of one, and characters in all that a status holds; of one folder as many as its schema says. */
const maxStages = 20
const maxFolders = 50
const maxFolder = 253
const maxText = 16_384

/** Folders of a deployment's items, those between two barriers together, in order; nothing when there is no order. */
export type Stages = readonly (readonly string[])[]

/** The stages of rendered items, the last ones where there are too many; none where they are too long. Pure. */
export function stagesOf(items: readonly ItemObjects[]): Stages {
  const stages: string[][] = [[]]
  for (const { item, objects, barrier } of items) {
    if (objects.length > 0) stages.at(-1)?.push(item.path ?? '.')
    if (barrier || item.config.barrier) stages.push([])
  }
  const used = stages
    .map(folders => folders.filter(folder => folder.length <= maxFolder).slice(0, maxFolders))
    .filter(folders => folders.length > 0)
    .slice(-maxStages)
  return used.length > 1 && JSON.stringify(used).length <= maxText ? used : []
}

/** The stage in which an object was deployed, from 0; what belongs to none counts as first. */
export function stageOf(stages: Stages, { metadata }: KubeObject): number {
  const folder = metadata.annotations?.['kluctl.io/deployment-item-dir']
  return folder === undefined
    ? 0
    : Math.max(
        0,
        stages.findLastIndex(folders => folders.includes(folder)),
      )
}
