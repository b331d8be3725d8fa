import { posix, relative } from 'node:path'
import { EngineError } from '../errors.ts'
import type { Inclusion } from './inclusion.ts'
import type { TreeContext } from './load.ts'
import { type DeploymentItem, type DeploymentProject, inheritedTags, searchPath } from './tree.ts'

/**
 * The items of a tree in deployment order, depth first, without those that `when` or the inclusion leaves out. Items
 * with `onlyRender`, `alwaysDeploy` or `barrier` are always in.
 * @throws EngineError when an item's variables cannot be loaded
 */
export async function collectItems(
  context: TreeContext,
  root: DeploymentProject,
  includes: Inclusion,
): Promise<DeploymentItem[]> {
  const items: DeploymentItem[] = []
  const uses = new Map<string, number>()
  const visit = async (project: DeploymentProject): Promise<void> => {
    if (!project.enabled) return
    for (const [index, config] of (project.config.deployments ?? []).entries()) {
      if (!context.templates.holds(config.when, project.variables)) continue
      const included = project.includes.get(index)
      if (included === undefined) items.push(await makeItem(context, project, config, uses))
      else {
        await visit(included)
        if (config.barrier) items.push(barrierAfter(project))
      }
    }
  }
  await visit(root)
  return items.filter(({ config, tags, path }) => {
    return config.onlyRender || config.alwaysDeploy || config.barrier || includes(tags, path)
  })
}

async function makeItem(
  context: TreeContext,
  project: DeploymentProject,
  config: DeploymentItem['config'],
  uses: Map<string, number>,
): Promise<DeploymentItem> {
  const { variables, loaded } = await context.vars.load(config.vars, project.variables, searchPath(project))
  const tags = [...new Set([...inheritedTags(project), ...(config.tags ?? [])])]
  const item = { project, config, variables, loadedVars: loaded, tags }
  if (config.path === undefined) return { ...item, path: undefined, renderedPath: undefined }
  const folder = posix.join(project.folder, config.path)
  const path = relative(project.source.root, folder.replace(/(?<=.)\/+$/, '')) || '.'
  if (path === '..' || path.startsWith('../')) {
    throw new EngineError(`path/include is not part of the deployment project: ${config.path}`)
  }
  const key = `${project.source.root}\0${path}`
  const use = uses.get(key) ?? 0
  uses.set(key, use + 1)
  return { ...item, path, renderedPath: use === 0 ? path : `${path}-${use}` }
}

/** `barrier: true` on an include waits for all that it includes. */
function barrierAfter(project: DeploymentProject): DeploymentItem {
  const flags = { recursive: false, waitReadiness: false, passVars: false, skipDeleteIfTags: false, when: '' }
  const config = { ...flags, barrier: true, onlyRender: false, alwaysDeploy: false }
  const tags = inheritedTags(project)
  return {
    project,
    config,
    variables: project.variables,
    loadedVars: [],
    tags,
    path: undefined,
    renderedPath: undefined,
  }
}
