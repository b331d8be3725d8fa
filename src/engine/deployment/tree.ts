import type { Source } from '../item.ts'
import type { DeploymentConfig, DeploymentItemConfig } from '../project/schema/deployment.ts'
import type { JsonObject } from '../values.ts'
import type { LoadedEntry } from '../vars/loader.ts'

/** A `deployment.yaml` with what it includes: a node of the deployment tree. */
export interface DeploymentProject {
  readonly source: Source
  /** Folder relative to the source's root, as it was written; `.` for the root. */
  readonly path: string
  /** Absolute folder, links followed. */
  readonly folder: string
  readonly config: DeploymentConfig
  /** What it was given, before its own `vars`. */
  readonly given: JsonObject
  /** What its items and includes see. */
  readonly variables: JsonObject
  readonly loadedVars: readonly LoadedEntry[]
  /** False when its own `when` says so: then none of it is deployed. */
  readonly enabled: boolean
  readonly parent: DeploymentProject | undefined
  /** The item of the parent that includes this. */
  readonly includedBy: DeploymentItemConfig | undefined
  /** Included projects by the index of the item that includes them. */
  readonly includes: Map<number, DeploymentProject>
}

/** One thing to deploy, or to wait for, in the order of the tree. */
export interface DeploymentItem {
  readonly project: DeploymentProject
  readonly config: DeploymentItemConfig
  readonly variables: JsonObject
  readonly loadedVars: readonly LoadedEntry[]
  /** Inherited ones first, own ones last, each once. */
  readonly tags: readonly string[]
  /** Folder relative to the source's root; undefined for items that have no manifests (barriers, messages, …). */
  readonly path: string | undefined
  /** The same, made unique with `-1`, `-2`, … for a folder that several items use. */
  readonly renderedPath: string | undefined
}

/** The project itself and those around it, from the inside out, each with the item that includes the one before. */
export function* outwards(
  project: DeploymentProject,
): Generator<{ project: DeploymentProject; item: DeploymentItemConfig | undefined }> {
  let item: DeploymentItemConfig | undefined
  for (let at: DeploymentProject | undefined = project; at !== undefined; at = at.parent) {
    yield { project: at, item }
    item = at.includedBy
  }
}

/** Folders that templates of a project are searched in: its own, then those around it in the same source. */
export function searchPath(project: Pick<DeploymentProject, 'source' | 'folder' | 'parent'>): string[] {
  const folders = [project.folder]
  for (let at = project.parent; at !== undefined; at = at.parent) {
    if (at.source === project.source) folders.push(at.folder)
  }
  return folders
}

/** Tags that items of a project inherit: of the project, of the item that includes it, and so on outwards. */
export function inheritedTags(project: DeploymentProject): string[] {
  const tags = new Set<string>()
  for (const { project: at, item } of outwards(project)) {
    for (const tag of [...(item?.tags ?? []), ...(at.config.tags ?? [])]) tags.add(tag)
  }
  return [...tags]
}

/** `commonLabels` or `commonAnnotations` of a project and those around it; the inner ones win. */
export function commonMetadata(
  project: DeploymentProject,
  field: 'commonLabels' | 'commonAnnotations',
): Record<string, string> {
  const layers = [...outwards(project)].map(({ project: at }) => at.config[field] ?? {})
  return Object.assign(Object.create(null) as Record<string, string>, ...layers.reverse()) as Record<string, string>
}

/** `overrideNamespace` of the nearest project that sets one. */
export function overrideNamespace(project: DeploymentProject): string | undefined {
  for (const { project: at } of outwards(project)) {
    if (at.config.overrideNamespace !== undefined) return at.config.overrideNamespace
  }
  return undefined
}
