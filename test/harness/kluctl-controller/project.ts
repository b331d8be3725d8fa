import { posix } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../../src/kube/types.ts'

type Tree = Record<string, unknown>

interface ProjectFile {
  discriminator?: string
  targets?: { name: string; discriminator?: string; context?: string; args?: Tree }[]
  args?: { name: string; default?: unknown }[]
}

/** A rendered Kluctl project. */
export interface Rendered {
  discriminator: string
  targetName: string
  targetArgs: Tree
  objects: KubeObject[]
}

/**
 * Renders the simple part of Kluctl's format: `.kluctl.yaml` with targets, args and discriminator, `deployment.yaml`
 * with paths, plain YAML files, and `{{ args.x }}` or `{{ target.name }}` in them.
 * @throws Error as `status.lastPrepareError` tells it
 */
export function renderProject(
  files: ReadonlyMap<string, string>,
  targetName: string | undefined,
  args: Tree,
): Rendered {
  const text = files.get('.kluctl.yaml') ?? files.get('.kluctl.yml')
  const project = (text === undefined ? {} : (parse(text) as ProjectFile | null)) ?? {}
  const target = project.targets?.find(({ name }) => name === targetName)
  if (targetName !== undefined && target === undefined) {
    throw new Error(`target ${targetName} not existent in kluctl project config`)
  }
  const scope = { target: { name: target?.name ?? '' }, args: argsOf(project, target?.args ?? {}, args) }
  const discriminator = substitute(target?.discriminator ?? project.discriminator ?? '', scope)
  const objects = itemsOf(files, '').flatMap(({ folder, paths }) =>
    paths.flatMap(path => objectsOf(path, files.get(path) ?? '', scope, discriminator, folder)),
  )
  return { discriminator, targetName: scope.target.name, targetArgs: target?.args ?? {}, objects }
}

function argsOf(project: ProjectFile, fromTarget: Tree, given: Tree): Tree {
  const args: Tree = {}
  for (const { name, default: value } of project.args ?? []) if (value !== undefined) args[name] = value
  Object.assign(args, fromTarget, given)
  const missing = (project.args ?? []).find(({ name }) => args[name] === undefined)
  if (missing) throw new Error(`required argument ${missing.name} not set`)
  return args
}

/** Replaces `{{ a.b }}`; anything else in braces is an error, so that no test believes it was rendered. */
function substitute(text: string, scope: Tree): string {
  return text.replace(/\{\{(.*?)\}\}|\{%|\{#/gs, (whole, expression: string | undefined) => {
    const path = expression?.trim() ?? ''
    if (!/^[a-zA-Z_][\w.]*$/.test(path)) throw new Error(`the stand-in cannot render ${whole}`)
    let value: unknown = scope
    for (const part of path.split('.')) value = (value as Tree | undefined)?.[part]
    if (value === undefined) throw new Error(`'${path}' is undefined`)
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}

interface Item {
  folder: string
  paths: string[]
}

/** Deployment items in order; without a `deployment.yaml` all YAML files of the folder. */
function itemsOf(files: ReadonlyMap<string, string>, folder: string): Item[] {
  const text = files.get(posix.join(folder, 'deployment.yaml')) ?? files.get(posix.join(folder, 'deployment.yml'))
  if (text === undefined) return [{ folder, paths: manifestsIn(files, folder) }]
  const { deployments = [] } = (parse(text) as { deployments?: { path?: string; include?: string }[] } | null) ?? {}
  return deployments.flatMap(({ path, include }) => {
    if (include !== undefined) return itemsOf(files, posix.join(folder, include))
    return path === undefined
      ? []
      : [{ folder: posix.join(folder, path), paths: manifestsIn(files, posix.join(folder, path)) }]
  })
}

function manifestsIn(files: ReadonlyMap<string, string>, folder: string): string[] {
  const kustomization = files.get(posix.join(folder, 'kustomization.yaml'))
  if (kustomization !== undefined) {
    const { resources = [] } = (parse(kustomization) as { resources?: string[] } | null) ?? {}
    return resources.map(resource => posix.join(folder, resource))
  }
  return [...files.keys()].filter(
    path =>
      posix.dirname(path) === (folder === '' ? '.' : folder) &&
      /\.ya?ml$/.test(path) &&
      !/^\.kluctl\.ya?ml$/.test(path),
  )
}

function objectsOf(path: string, text: string, scope: Tree, discriminator: string, folder: string): KubeObject[] {
  const documents = parseAllDocuments(substitute(text, scope))
  return documents.flatMap(document => {
    const problem = document.errors[0]
    if (problem) {
      throw new Error(
        `1 error occurred:\n\t* building kustomize objects for ${folder} failed. MalformedYAMLError: ${problem.message} in File: ${path}\n\n`,
      )
    }
    const object = document.toJS() as KubeObject | null
    return object === null ? [] : [mark(object, discriminator, folder)]
  })
}

/** The labels and the annotation that kluctl puts on everything (K8). */
function mark(object: KubeObject, discriminator: string, folder: string): KubeObject {
  const { labels, annotations } = object.metadata
  const own = {
    ...(discriminator === '' ? {} : { 'kluctl.io/discriminator': discriminator }),
    'kluctl.io/tag-0': posix.basename(folder) || 'root',
  }
  return {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...labels, ...own },
      annotations: { ...annotations, 'kluctl.io/deployment-item-dir': folder || '.' },
    },
  }
}
