import { commonMetadata, type DeploymentItem } from '../deployment/tree.ts'
import { EngineError } from '../errors.ts'
import { type Manifest, text } from '../item.ts'
import { emptyObject, getPath, isObject, type JsonObject } from '../values.ts'

/** Labels that every object of an item gets: common ones, discriminator, tags. */
export function itemLabels(item: DeploymentItem, discriminator: string): Record<string, string> {
  const labels = commonMetadata(item.project, 'commonLabels')
  if (discriminator !== '') labels['kluctl.io/discriminator'] = discriminator
  for (const [index, tag] of item.tags.entries()) labels[`kluctl.io/tag-${index}`] = tag
  return labels
}

/** Annotations that every object of an item gets: common ones and the item's own. */
export function itemAnnotations(item: DeploymentItem): Record<string, string> {
  const annotations = commonMetadata(item.project, 'commonAnnotations')
  annotations['kluctl.io/deployment-item-dir'] = item.path ?? '.'
  if (item.config.skipDeleteIfTags) annotations['kluctl.io/skip-delete-if-tags'] = 'true'
  return annotations
}

/** Sets labels or annotations, over what the object has. */
export function setMetadata(object: Manifest, field: 'labels' | 'annotations', values: Record<string, string>): void {
  const known = Object.entries(values)
  if (known.length === 0) return
  const metadata = mapAt(object, 'metadata', 'metadata')
  const target = mapAt(metadata, field, `metadata.${field}`)
  for (const [key, value] of known) target[key] = value
}

function mapAt(parent: JsonObject, key: string, path: string): JsonObject {
  const known = parent[key]
  if (isObject(known)) return known
  if (known !== undefined && known !== null) throw new EngineError(`${path} of ${describe(parent)} is not a map`)
  const fresh = emptyObject()
  parent[key] = fresh
  return fresh
}

function describe(object: JsonObject): string {
  return `${text(object.kind)}/${text(getPath(object, ['metadata', 'name']))}`
}

const trueWords = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

/** Whether the object says that it shall not be deployed (`kluctl.io/ignore`). */
export function isToIgnore(object: Manifest): boolean {
  const value = getPath(object, ['metadata', 'annotations', 'kluctl.io/ignore'])
  return typeof value === 'string' && trueWords.has(value)
}
