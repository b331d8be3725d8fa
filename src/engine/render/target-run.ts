import { relative } from 'node:path'
import { type Inclusion, type InclusionFlags, inclusion } from '../deployment/inclusion.ts'
import { collectItems } from '../deployment/items.ts'
import { loadDeployment, type TreeContext } from '../deployment/load.ts'
import type { DeploymentProject } from '../deployment/tree.ts'
import type { EngineHost } from '../host.ts'
import type { Source } from '../item.ts'
import { type Project, selectTarget } from '../project/load.ts'
import type { FixedImage } from '../project/schema/project.ts'
import { type Target, targetVariables } from '../project/targets.ts'
import type { Templates } from '../templating/templates.ts'
import { type LoadedEntry, VarsLoader } from '../vars/loader.ts'
import { Images, type SeenImage } from './images.ts'
import { type ItemObjects, renderItems } from './items.ts'

/** Which target of a project is worked on, and what the command line changes about it. */
export interface TargetFlags {
  readonly target?: string | undefined
  /** Renames the target after it was found by its own name. */
  readonly targetNameOverride?: string | undefined
  readonly discriminator?: string | undefined
  /** Of `--fixed-images-file`, then of `--fixed-image`. */
  readonly fixedImages?: readonly FixedImage[] | undefined
  readonly inclusion?: InclusionFlags | undefined
}

/** A project rendered for one target. */
export interface TargetRun {
  readonly project: Project
  readonly target: Target
  readonly deployment: DeploymentProject
  readonly items: readonly ItemObjects[]
  readonly images: readonly SeenImage[]
  /** All variables that were loaded; `SensitiveTexts` hides what the sensitive ones brought. */
  readonly loadedVars: readonly LoadedEntry[]
}

/** What a run needs besides the project. */
export interface RunContext {
  readonly host: EngineHost
  readonly templates: Templates
  /** Absolute folder that items are rendered into. */
  readonly renderFolder: string
  /** Whether that folder is kept. */
  readonly isKept?: boolean
  readonly signal: AbortSignal
}

/** Loads the deployment tree of a target and renders its items. @throws EngineError */
export async function renderTarget(context: RunContext, project: Project, flags: TargetFlags): Promise<TargetRun> {
  const { host, templates, signal } = context
  const includes: Inclusion = inclusion(flags.inclusion ?? {})
  const target = overridden(selectTarget(project, flags.target), flags, host)
  const vars = new VarsLoader({ host, templates, aws: target.aws, signal })
  let sources = 0
  const sourceAt = (root: string): Source => {
    templates.allow(root)
    return { root, id: String(sources++) }
  }
  const tree: TreeContext = { host, templates, vars, signal, source: root => sourceAt(root) }
  const path = relative(project.root, project.folder) || '.'
  const end = host.progress.start('Loading deployment project')
  let deployment: DeploymentProject
  try {
    const variables = targetVariables(target, project)
    deployment = await loadDeployment(tree, tree.source(project.root), path, variables)
  } catch (error) {
    end('failed')
    throw error
  }
  end('done')
  const images = new Images([...(target.images ?? []), ...(flags.fixedImages ?? [])])
  const discriminator = target.discriminator ?? ''
  const collected = await collectItems(tree, deployment, includes)
  const items = await renderItems({ ...context, images, discriminator }, collected)
  return { project, target, deployment, items, images: images.seen, loadedVars: vars.loaded }
}

function overridden(target: Target, flags: TargetFlags, host: EngineHost): Target {
  const name = flags.targetNameOverride || target.name
  const discriminator = flags.discriminator || target.discriminator
  return {
    ...target,
    name,
    // Known only with a cluster: then it is the context that is really used.
    context: host.cluster?.context ?? '',
    ...(discriminator === undefined ? {} : { discriminator }),
  }
}
