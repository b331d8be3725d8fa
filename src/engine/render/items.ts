import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../util/errors.ts'
import { parallel } from '../../util/parallel.ts'
import { type DeploymentItem, overrideNamespace, searchPath } from '../deployment/tree.ts'
import { EngineError, EngineErrors, within } from '../errors.ts'
import type { EngineHost } from '../host.ts'
import { type Manifest, type RenderedItem, text } from '../item.ts'
import { renderFolder } from '../templating/render-folder.ts'
import type { Templates } from '../templating/templates.ts'
import { isObject } from '../values.ts'
import { writeYamlAll } from '../yaml.ts'
import type { Images } from './images.ts'
import { referenceOf } from './images.ts'
import { isToIgnore, itemAnnotations, itemLabels, setMetadata } from './metadata.ts'
import { settleNamespaces } from './namespaces.ts'

/** A deployment item with its objects, in the order kluctl gives them. */
export interface ItemObjects {
  readonly item: DeploymentItem
  readonly objects: readonly Manifest[]
  /** `barrier` and `waitReadiness` as the item's kustomization says by annotation. */
  readonly barrier: boolean
  readonly waitReadiness: boolean
}

/** What rendering items needs. */
export interface RenderContext {
  readonly host: EngineHost
  readonly templates: Templates
  readonly images: Images
  readonly discriminator: string
  /** Absolute folder that items are rendered into, one sub folder per source. */
  readonly renderFolder: string
  /** Whether the folder is there for people to look into: then it also gets what the files came to. */
  readonly isKept?: boolean
  readonly signal: AbortSignal
}

interface Work {
  readonly item: DeploymentItem
  readonly rendered: RenderedItem | undefined
}

/**
 * Renders items: templates, charts, Kustomize, then labels, annotations, images and namespaces. All items are worked
 * on at once, and each step reports all that failed in it.
 * @throws EngineErrors
 */
export async function renderItems(context: RenderContext, items: readonly DeploymentItem[]): Promise<ItemObjects[]> {
  const work = items.map(item => ({ item, rendered: placeOf(context, item) }))
  await step(context, 'Rendering templates', work, async ({ item, rendered }) => {
    if (rendered !== undefined) await renderTemplates(context, item, rendered)
  })
  await step(context, 'Rendering Helm charts', work, async ({ rendered }) => {
    if (rendered !== undefined) await context.host.helm.render(rendered, context.signal)
  })
  const results = await step(context, 'Building Kustomize objects', work, one => build(context, one))
  await step(context, 'Post-processing objects', results, one => complete(context, one))
  const { cluster, defaultNamespace } = context.host
  const all = results.flatMap(({ objects }) => objects)
  if (cluster !== undefined) await settleNamespaces(all, cluster, context.signal, defaultNamespace)
  warnOfDoubles(context, results)
  if (context.isKept !== true) return results
  await step(context, 'Writing rendered objects', results, async ({ item, objects }) => {
    const rendered = placeOf(context, item)
    if (rendered === undefined || item.config.onlyRender) return
    await writeFile(join(rendered.renderedFolder, '.rendered.yml'), writeYamlAll([...objects]), { mode: 0o600 })
  })
  return results
}

/** Does one step for all items; the first failure does not keep the others from being reported. */
async function step<T, R>(
  { host, signal }: RenderContext,
  name: string,
  all: readonly T[],
  work: (one: T) => Promise<R>,
): Promise<R[]> {
  const end = host.progress.start(name)
  const failures: unknown[][] = all.map(() => [])
  const results = await parallel(all, host.parallelism, async (one, index) => {
    signal.throwIfAborted()
    try {
      return { result: await work(one) }
    } catch (error) {
      failures[index] = error instanceof EngineErrors ? [...error.errors] : [error]
      return undefined
    }
  })
  signal.throwIfAborted()
  const errors = failures.flat()
  end(errors.length === 0 ? 'done' : 'failed')
  if (errors.length > 0) throw new EngineErrors(errors)
  return results.map(one => (one as { result: R }).result)
}

function placeOf({ renderFolder }: RenderContext, item: DeploymentItem): RenderedItem | undefined {
  const { path, renderedPath, project, config } = item
  if (path === undefined || renderedPath === undefined) return undefined
  const renderedRoot = join(renderFolder, project.source.id)
  return {
    source: project.source,
    path,
    renderedPath,
    renderedRoot,
    renderedFolder: join(renderedRoot, renderedPath),
    recursive: config.recursive,
    overrideNamespace: overrideNamespace(project),
  }
}

async function renderTemplates({ templates }: RenderContext, item: DeploymentItem, place: RenderedItem): Promise<void> {
  const folder = join(place.source.root, place.path)
  const errors = await renderFolder(templates, {
    root: place.source.root,
    path: place.path,
    target: place.renderedFolder,
    variables: item.variables,
    searchPath: [folder, ...searchPath(item.project)],
  })
  if (errors.length > 0) throw new EngineErrors(errors)
}

async function build({ host, signal }: RenderContext, { item, rendered }: Work): Promise<ItemObjects> {
  if (rendered === undefined || item.config.onlyRender)
    return { item, objects: [], barrier: false, waitReadiness: false }
  try {
    const { objects, barrier, waitReadiness } = await host.kustomize.build(rendered, signal)
    return { item, objects: objects.filter(object => !isToIgnore(object)), barrier, waitReadiness }
  } catch (error) {
    signal.throwIfAborted()
    const folder = join(rendered.source.root, rendered.path)
    throw new EngineError(`building kustomize objects for ${folder} failed. ${messageOf(error)}`)
  }
}

async function complete(context: RenderContext, { item, objects }: ItemObjects): Promise<void> {
  const labels = itemLabels(item, context.discriminator)
  const annotations = itemAnnotations(item)
  const { cluster } = context.host
  const scope = {
    tags: item.tags,
    renderedPath: item.renderedPath ?? '.',
    variables: item.variables,
    ...(cluster === undefined
      ? {}
      : { deployed: (object: Manifest) => deployedObject(cluster, object, context.signal) }),
  }
  const errors: unknown[] = []
  for (const object of objects.flatMap(withListItems)) {
    try {
      setMetadata(object, 'labels', labels)
      setMetadata(object, 'annotations', annotations)
      await context.images.resolve(object, scope)
    } catch (error) {
      context.signal.throwIfAborted()
      const folder = join(item.project.source.root, item.path ?? '.')
      errors.push(within(`postprocessing kustomize objects for ${folder} failed`, error))
    }
  }
  if (errors.length > 0) throw new EngineErrors(errors)
}

/** A `List` that Kustomize left whole, and what is in it. */
function withListItems(object: Manifest): Manifest[] {
  const { apiVersion, kind, items } = object
  if (apiVersion !== 'v1' || kind !== 'List' || !Array.isArray(items)) return [object]
  const kept = items.filter(item => isObject(item) && !isToIgnore(item)) as Manifest[]
  object.items = kept
  return [object, ...kept]
}

async function deployedObject(
  cluster: NonNullable<EngineHost['cluster']>,
  object: Manifest,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  const { name, namespace } = referenceOf(object)
  const key = { apiVersion: text(object.apiVersion), kind: text(object.kind), name }
  return (await cluster.get(namespace === undefined ? key : { ...key, namespace }, { signal })) as Manifest | undefined
}

function warnOfDoubles({ host }: RenderContext, results: readonly ItemObjects[]): void {
  const owners = new Map<string, string>()
  for (const { item, objects } of results) {
    for (const object of objects) {
      const { group = '', kind, name, namespace = '' } = referenceOf(object)
      const key = JSON.stringify([group, kind, namespace, name])
      const path = item.renderedPath ?? '.'
      const known = owners.get(key)
      if (known !== undefined && known !== path) {
        const shown = `${kind}/${namespace === '' ? '' : `${namespace}/`}${name}`
        host.progress.warn(`${shown} is in two deployment items: ${known} and ${path}`)
      }
      owners.set(key, path)
    }
  }
}
