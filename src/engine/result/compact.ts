import { EngineError } from '../errors.ts'
import type { Manifest } from '../item.ts'
import { writeJson } from '../json.ts'
import { refOf } from '../plan/refs.ts'
import { emptyObject, getPath, isObject, type JsonObject, sortKeys } from '../values.ts'
import { readYamlObject } from '../yaml.ts'
import { applyDelta, makeDelta } from './delta.ts'
import type { BaseObject, ResultObject } from './types.ts'

const versions = ['rendered', 'remote', 'applied'] as const

/** An object with its versions as texts: `full: ` and JSON, or `delta: ` and what to change in the version before. */
export type CompactedObject = BaseObject & { [version in (typeof versions)[number]]?: string }

/** Shorter texts are not worth a delta: compression, which looks back 32 KiB, finds what repeats in them. */
const minDelta = 16_384

/** Objects in the form that kluctl prints and stores results in (pkg/types/result/compact.go). */
export function compactObjects(objects: readonly ResultObject[]): CompactedObject[] {
  return objects.map(({ rendered, remote, applied, ...base }) => {
    const manifests = { rendered, remote, applied }
    const result: CompactedObject = { ...base }
    let previous: string | undefined
    for (const version of versions) {
      const manifest = manifests[version]
      if (manifest === undefined) continue
      const json = writeJson(sortKeys(manifest))
      const delta = previous === undefined || json.length < minDelta ? undefined : makeDelta(previous, json)
      result[version] = delta !== undefined && delta.length < json.length ? `delta: ${delta}` : `full: ${json}`
      previous = json
    }
    return result
  })
}

/** The objects of a compacted list. @throws EngineError when it is damaged */
export function expandObjects(objects: readonly CompactedObject[]): ResultObject[] {
  return objects.map(({ rendered, remote, applied, ...base }) => {
    const texts = { rendered, remote, applied }
    const result: ResultObject = { ...base }
    let previous: string | undefined
    for (const version of versions) {
      const text = texts[version]
      if (text === undefined || text === '') continue
      previous = expand(text, previous)
      result[version] = readYamlObject(previous)
    }
    return result
  })
}

function expand(text: string, previous: string | undefined): string {
  if (text.startsWith('full: ')) return text.slice(6)
  if (text.startsWith('delta: ') && previous !== undefined) return applyDelta(previous, text.slice(7))
  throw new EngineError('a stored result is damaged: neither an object nor a delta')
}

/** Of an object only what names and labels it: what lists need. */
export function reduceObject(object: Manifest): Manifest {
  const { name, namespace } = refOf(object)
  const metadata: JsonObject = Object.assign(emptyObject(), { name, ...(namespace === undefined ? {} : { namespace }) })
  for (const field of ['labels', 'annotations']) {
    const value = getPath(object, ['metadata', field])
    if (isObject(value) && Object.keys(value).length > 0) metadata[field] = value
  }
  const { apiVersion = '', kind = '' } = object
  return Object.assign(emptyObject(), { apiVersion, kind, metadata })
}
