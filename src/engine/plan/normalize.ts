import type { Manifest } from '../item.ts'
import { clone, emptyObject, getPath, isObject, type Json, type JsonObject } from '../values.ts'
import { type FieldPath, removePath } from './field-path.ts'

/** What changes with every write, or is nobody's wish: never part of a diff. */
const noise: readonly FieldPath[] = [
  ['metadata', 'managedFields'],
  ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'],
  ['metadata', 'creationTimestamp'],
  ['metadata', 'generation'],
  ['metadata', 'resourceVersion'],
  ['metadata', 'selfLink'],
  ['metadata', 'uid'],
  ['spec', 'template', 'metadata', 'labels', 'controller-uid'],
  ['spec', 'selector', 'matchLabels', 'controller-uid'],
  ['spec', 'template', 'metadata', 'labels', 'batch.kubernetes.io/controller-uid'],
  ['spec', 'selector', 'matchLabels', 'batch.kubernetes.io/controller-uid'],
  ['status'],
]

/**
 * A copy of an object that compares well, by kluctl's rules: without what the API server keeps for itself, with labels
 * and annotations even where there are none, and with environment variables by name instead of by position.
 */
export function normalizeObject(object: Manifest): Manifest {
  const copy = clone(object)
  for (const path of noise) removePath(copy, path)
  copy.metadata ??= emptyObject()
  if (isObject(copy.metadata)) {
    copy.metadata.labels ??= emptyObject()
    copy.metadata.annotations ??= emptyObject()
  }
  if (copy.kind === 'Deployment' || copy.kind === 'StatefulSet' || copy.kind === 'DaemonSet') normalizeContainers(copy)
  if (copy.kind === 'Secret' || copy.kind === 'ConfigMap') dropEmptyData(copy)
  if (copy.kind === 'ServiceAccount') dropOwnTokens(copy)
  return copy
}

function normalizeContainers(object: Manifest): void {
  const containers = getPath(object, ['spec', 'template', 'spec', 'containers'])
  if (!isListOfMaps(containers)) return
  for (const container of containers) {
    const { env, envFrom } = container
    if (isListOfMaps(env) && env.length > 0) container.env = byName(env) ?? env
    if (isListOfMaps(envFrom) && envFrom.length > 0) container.envFrom = bySource(envFrom)
  }
}

/** Undefined when an entry has no name. */
function byName(entries: readonly JsonObject[]): JsonObject | undefined {
  const result = emptyObject()
  for (const entry of entries) {
    if (typeof entry.name !== 'string') return undefined
    result[entry.name] = entry
  }
  return result
}

function bySource(entries: readonly JsonObject[]): JsonObject {
  const result = emptyObject()
  const unknown: Json[] = []
  for (const entry of entries) {
    const names = ['secretRef', 'configMapRef'].flatMap(source => {
      const name = getPath(entry, [source, 'name'])
      return typeof name === 'string' ? [`${source}/${name}`] : []
    })
    const [name] = names
    if (name === undefined) unknown.push(entry)
    else result[name] = entry
  }
  if (unknown.length > 0) result.unknown = unknown
  return result
}

function dropEmptyData(object: Manifest): void {
  const { data } = object
  if (data === null || (isObject(data) && Object.keys(data).length === 0)) delete object.data
}

/** Tokens that older clusters make for every account. */
function dropOwnTokens(object: Manifest): void {
  const name = getPath(object, ['metadata', 'name'])
  if (typeof name !== 'string' || !isListOfMaps(object.secrets)) return
  object.secrets = object.secrets.filter(
    secret => typeof secret.name === 'string' && !secret.name.startsWith(`${name}-`),
  )
}

function isListOfMaps(value: Json | undefined): value is JsonObject[] {
  return Array.isArray(value) && value.every(isObject)
}
