import { isAbsolute } from 'node:path'
import { EngineError } from '../errors.ts'

/** Which items a command works on, by tag and by item folder; exclusion beats inclusion. */
export interface InclusionFlags {
  readonly includeTag?: readonly string[] | undefined
  readonly excludeTag?: readonly string[] | undefined
  /** Relative to the root of the repository; exactly the folder, not a prefix. */
  readonly includeDeploymentDir?: readonly string[] | undefined
  readonly excludeDeploymentDir?: readonly string[] | undefined
}

/** Decides by tags and folder (undefined for items without one) whether an item is part of the command. */
export type Inclusion = (tags: readonly string[], folder: string | undefined) => boolean

/** Makes the decision of the flags. @throws EngineError for an absolute folder */
export function inclusion(flags: InclusionFlags): Inclusion {
  const { includeTag = [], excludeTag = [], includeDeploymentDir = [], excludeDeploymentDir = [] } = flags
  if (includeDeploymentDir.some(isAbsolute)) throw new EngineError('--include-deployment-dir path must be relative')
  if (excludeDeploymentDir.some(isAbsolute)) throw new EngineError('--exclude-deployment-dir path must be relative')
  const all = includeTag.length + includeDeploymentDir.length === 0
  const matches = (wantedTags: readonly string[], wantedFolders: readonly string[]) => {
    const tagSet = new Set(wantedTags)
    const folderSet = new Set(wantedFolders)
    return (tags: readonly string[], folder: string | undefined) =>
      tags.some(tag => tagSet.has(tag)) || (folder !== undefined && folderSet.has(folder))
  }
  const included = matches(includeTag, includeDeploymentDir)
  const excluded = matches(excludeTag, excludeDeploymentDir)
  return (tags, folder) => !excluded(tags, folder) && (all || included(tags, folder))
}
