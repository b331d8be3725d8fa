import { lstatSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Manifest, text } from '../item.ts'
import { isObject, type Json, type JsonObject } from '../values.ts'
import { takesNamespace } from './namespaced.ts'
import { readPlainYaml } from './plain-yaml.ts'

const kustomizationKeys = new Set(['apiVersion', 'kind', 'metadata', 'resources', 'namespace'])
/** Annotations that steer Kustomize or that it keeps its own notes in. */
const steering =
  /^(?:internal\.config\.kubernetes\.io|config\.kubernetes\.io|config\.k8s\.io|kustomize\.config\.k8s\.io)\//

/**
 * Builds a trivial kustomization without starting Kustomize: resources that are files of the folder, and at most a
 * namespace. Undefined whenever the real Kustomize could make anything else of it, including an error.
 */
export async function buildInProcess(
  folder: string,
  kustomization: JsonObject,
  read: (file: string) => Promise<Uint8Array>,
): Promise<Manifest[] | undefined> {
  const files = trivialResources(kustomization)
  if (files === undefined) return undefined
  const namespace = kustomization.namespace
  const objects: Manifest[] = []
  const seen = new Set<string>()
  for (const file of files) {
    const path = join(folder, file)
    if (!isPlainFile(folder, file)) return undefined
    const found = readPlainYaml(Buffer.from(await read(path)).toString('utf8'))
    if (found === undefined) return undefined
    for (const object of found) {
      const ready = prepare(object, namespace)
      const key = ready === undefined ? undefined : `${text(object.kind)}/${nameOf(object)}`
      // Two objects that are the same but for group or namespace may or may not clash.
      if (ready === undefined || key === undefined || seen.has(key)) return undefined
      seen.add(key)
      objects.push(ready)
    }
  }
  return objects.length === 0 ? undefined : objects
}

/** The default reader: the file as it is on disk. */
export function readPlainFile(file: string): Promise<Uint8Array> {
  return readFile(file)
}

function trivialResources(kustomization: JsonObject): string[] | undefined {
  if (Object.keys(kustomization).some(key => !kustomizationKeys.has(key))) return undefined
  const { apiVersion, kind, metadata, namespace, resources } = kustomization
  if (apiVersion !== undefined && apiVersion !== 'kustomize.config.k8s.io/v1beta1') return undefined
  if (kind !== undefined && kind !== 'Kustomization') return undefined
  if (metadata !== undefined && !isTrivialMetadata(metadata)) return undefined
  if (namespace !== undefined && (typeof namespace !== 'string' || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(namespace))) {
    return undefined
  }
  if (!Array.isArray(resources) || new Set(resources).size !== resources.length) return undefined
  const files = resources.filter(resource => typeof resource === 'string' && isLocalFile(resource))
  return files.length === resources.length && files.length > 0 ? (files as string[]) : undefined
}

function isTrivialMetadata(metadata: Json): boolean {
  if (!isObject(metadata)) return false
  const { name, annotations } = metadata
  const known = Object.keys(metadata).every(key => key === 'name' || key === 'annotations')
  return (
    known && (name === undefined || typeof name === 'string') && (annotations === undefined || isTexts(annotations))
  )
}

function isLocalFile(resource: string): boolean {
  return (
    /^(?:\.\/)?[\w.-][\w. -]*(?:\/[\w.-][\w. -]*)*\.ya?ml$/i.test(resource) && !/(?:^|\/)\.\.(?:\/|$)/.test(resource)
  )
}

/** A regular file, reached without following a link. */
function isPlainFile(folder: string, file: string): boolean {
  const parts = file.split('/').filter(part => part !== '.')
  for (const [index] of parts.entries()) {
    const info = statOf(join(folder, ...parts.slice(0, index + 1)))
    const last = index === parts.length - 1
    if (info === undefined || (last ? !info.isFile() : !info.isDirectory())) return false
  }
  return true
}

function statOf(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    // The real Kustomize says what is wrong with it.
    return undefined
  }
}

function prepare(object: JsonObject, namespace: Json | undefined): Manifest | undefined {
  const { apiVersion, kind, metadata } = object
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isObject(metadata)) return undefined
  if (apiVersion === '' || kind === '' || kind.endsWith('List') || nameOf(object) === '') return undefined
  const { annotations, labels, namespace: own } = metadata
  if (annotations !== undefined && !isTexts(annotations)) return undefined
  if (labels !== undefined && !isTexts(labels)) return undefined
  if (own !== undefined && typeof own !== 'string') return undefined
  if (typeof namespace !== 'string') return object
  if (!takesNamespace(apiVersion, kind)) return undefined
  metadata.namespace = namespace
  return object
}

/** A map of texts with at least one entry: Kustomize drops or converts others. */
function isTexts(value: Json): boolean {
  if (!isObject(value)) return false
  const entries = Object.entries(value)
  return entries.length > 0 && entries.every(([key, entry]) => typeof entry === 'string' && !steering.test(key))
}

function nameOf({ metadata }: JsonObject): string {
  const name = isObject(metadata) ? metadata.name : undefined
  return typeof name === 'string' ? name : ''
}
